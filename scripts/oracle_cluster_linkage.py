"""Writes tests/oracle/cluster/agglomerative.toml: SciPy's trees for small sets, all linkages.

Run with numpy 2.4.6, scipy 1.17.1:

    python scripts/oracle_cluster_linkage.py

What equal distances leave open is left out: heights, merges and cuts stand in the table only where they are the same
after the distances were disturbed by a millionth of the largest.
"""

import pathlib

import numpy as np
import scipy
from scipy.cluster.hierarchy import cophenet, fcluster, linkage
from scipy.spatial.distance import pdist

TABLE = pathlib.Path(__file__).resolve().parent.parent / "tests" / "oracle" / "cluster" / "agglomerative.toml"
ANY = ["average", "complete", "single", "weighted"]
EUCLIDEAN = ["ward", "centroid", "median"]
NOISE = 1e-6


def value(x):
    if isinstance(x, str):
        return '"' + x + '"'
    if isinstance(x, (bool, np.bool_)):
        return "true" if x else "false"
    if isinstance(x, (int, np.integer)):
        return str(int(x))
    if isinstance(x, (float, np.floating)):
        return repr(float(x))
    return "[" + ", ".join(value(v) for v in x) + "]"


def blobs(rng, n, d, k, spread):
    centres = rng.normal(size=(k, d)) * 4
    return np.round(centres[rng.integers(k, size=n)] + rng.normal(size=(n, d)) * spread, 3)


def sets():
    """Name, vectors, metrics, and whether f32 holds them well enough for the same tree."""
    rng = np.random.default_rng(20261122)
    both = ["euclidean", "cosine"]
    twice = blobs(rng, 12, 2, 3, 1.0)
    lattice = np.array([[i, j] for i in range(4) for j in range(4)], dtype=float)
    yield "three blobs in the plane", blobs(rng, 30, 2, 3, 0.7), ["euclidean"], True
    yield "overlapping blobs in five dimensions", blobs(rng, 40, 5, 4, 2.5), both, True
    yield "noise in twenty dimensions", np.round(rng.normal(size=(40, 20)), 3), both, True
    yield "every row twice", np.vstack([twice, twice]), both, True
    yield "a lattice of ties", lattice, ["euclidean"], True
    yield "near-duplicates far from the origin", blobs(rng, 20, 2, 3, 1.0) * 1e-4 + 1e6, ["euclidean"], False
    yield "a triangle that inverts", np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 0.87], [5.0, 5.0]]), ["euclidean"], True
    yield "equal rows", np.full((4, 2), 3.0), ["euclidean"], True
    yield "three rows", np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 5.0]]), both, True
    yield "two rows", np.array([[0.0, 1.0], [3.0, 5.0]]), both, True


def cut(tree, k):
    """The first n - k merges: R's cutree, and SciPy's maxclust where heights ascend and differ."""
    n = len(tree) + 1
    owner = list(range(n))
    members = {i: [i] for i in range(n)}
    for at, row in enumerate(tree[: n - k]):
        members[n + at] = members.pop(int(row[0])) + members.pop(int(row[1]))
    for name, group in members.items():
        for sample in group:
            owner[sample] = name
    names = {}
    return [names.setdefault(name, len(names)) for name in owner]


def case(name, x, metric, f32):
    distances = pdist(x, metric)
    rng = np.random.default_rng(1)
    noise = NOISE * (np.max(distances) or 1.0)
    moved = [distances + noise * rng.uniform(size=len(distances)) for _ in range(8)]
    found = {"name": name, "metric": metric, "f32": f32, "x": [list(row) for row in x]}
    for method in ANY + (EUCLIDEAN if metric == "euclidean" else []):
        tree = linkage(distances, method)
        others = [linkage(d, method) for d in moved]
        if all(np.allclose(o[:, 2], tree[:, 2], rtol=1e-4, atol=20 * noise) for o in others):
            found["heights_" + method] = list(tree[:, 2])
            if np.ptp(distances) > 0 and np.ptp(tree[:, 2]) > 0:
                found["cophenetic_" + method] = cophenet(tree, distances)[0]
        if all(np.array_equal(o[:, [0, 1, 3]], tree[:, [0, 1, 3]]) for o in others):
            found["merges_" + method] = [[int(v) for v in row] for row in tree[:, [0, 1, 3]]]
        cuts = []
        for k in range(1, min(len(x), 12) + 1):
            labels = cut(tree, k)
            if all(cut(o, k) == labels for o in others):
                cuts.append([k] + labels)
                flat = fcluster(tree, k, "maxclust")
                if len(set(flat)) == k:  # SciPy finds fewer where heights invert
                    assert len(set(zip(flat, labels))) == k, (name, method, k)
        found["cuts_" + method] = cuts
    return found


lines = [
    'tool = "SciPy"',
    f'version = "{scipy.__version__}"',
    'script = "scripts/oracle_cluster_linkage.py"',
    "rtol = 1e-09",
    "atol = 1e-12",
]
for name, x, metrics, f32 in sets():
    for metric in metrics:
        lines += ["", "[[case]]"] + [f"{key} = {value(v)}" for key, v in case(name, x, metric, f32).items()]
TABLE.write_text("\n".join(lines) + "\n")
