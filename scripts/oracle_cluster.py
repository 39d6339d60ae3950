"""Writes tests/oracle/cluster/*.toml: what scikit-learn answers for small sets.

Run with numpy 2.4.6, scikit-learn 1.9.1:

    python scripts/oracle_cluster.py
"""

import pathlib

import numpy as np
import sklearn
from sklearn.cluster import KMeans

ROOT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "oracle" / "cluster"


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


def write(name, tool, version, rtol, atol, reason, cases):
    lines = [
        f'tool = "{tool}"',
        f'version = "{version}"',
        'script = "scripts/oracle_cluster.py"',
        f"rtol = {rtol!r}",
        f"atol = {atol!r}",
    ]
    if reason:
        lines.append(f'tolerance_reason = "{reason}"')
    for case in cases:
        lines += ["", "[[case]]"] + [f"{key} = {value(v)}" for key, v in case.items()]
    ROOT.mkdir(parents=True, exist_ok=True)
    (ROOT / f"{name}.toml").write_text("\n".join(lines) + "\n")


def f32(x):
    """Values that f32 holds exactly, so that both sides see the same numbers."""
    return np.asarray(x, dtype=np.float32).astype(np.float64)


def blobs(rng, n, d, k, spread):
    centres = rng.normal(size=(k, d)) * 4
    return f32(np.round(centres[rng.integers(k, size=n)] + rng.normal(size=(n, d)) * spread, 3))


def sets():
    rng = np.random.default_rng(20261122)
    twice = blobs(rng, 15, 2, 3, 1.0)
    yield "three blobs in the plane", blobs(rng, 40, 2, 3, 0.7)
    yield "overlapping blobs in five dimensions", blobs(rng, 60, 5, 4, 2.5)
    yield "noise in twenty dimensions", f32(np.round(rng.normal(size=(50, 20)), 3))
    yield "every row twice", f32(np.vstack([twice, twice]))
    yield "a constant column", f32(np.column_stack([blobs(rng, 30, 2, 3, 1.0), np.full(30, 7.0)]))
    yield "far from the origin", f32(np.round(blobs(rng, 30, 2, 3, 1.0) + 4096.0, 1))
    yield "two rows", f32([[0.0, 0.0], [3.0, 4.0]])


def flat(x):
    return [list(row) for row in x]


def kmeans_cases():
    for name, x in sets():
        for k in (2, 3, 5):
            distinct = np.unique(x, axis=0)
            if len(distinct) < k:
                continue
            rng = np.random.default_rng(k)
            start = distinct[rng.choice(len(distinct), size=k, replace=False)]
            one = KMeans(k, init=start, n_init=1, max_iter=300, tol=1e-4, algorithm="lloyd").fit(x)
            best = KMeans(k, n_init=10, random_state=0, algorithm="lloyd").fit(x)
            yield {
                "name": name,
                "x": flat(x),
                "start": flat(start),
                "labels": list(one.labels_),
                "inertia": one.inertia_,
                "centers": flat(one.cluster_centers_),
                "best_inertia": best.inertia_,
            }


def relocation_case():
    # The third centre is nobody's nearest: scikit-learn gives it the farthest row.
    x = f32([[0.0], [1.0], [2.0], [10.0], [11.0], [30.0]])
    start = f32([[1.0], [12.0], [-500.0]])
    one = KMeans(3, init=start, n_init=1, algorithm="lloyd").fit(x)
    best = KMeans(3, n_init=10, random_state=0, algorithm="lloyd").fit(x)
    return {
        "name": "an empty cluster takes the farthest row",
        "x": flat(x),
        "start": flat(start),
        "labels": list(one.labels_),
        "inertia": one.inertia_,
        "centers": flat(one.cluster_centers_),
        "best_inertia": best.inertia_,
    }


kmeans = list(kmeans_cases()) + [relocation_case()]
write("kmeans", "scikit-learn", sklearn.__version__, 1e-6, 1e-6, "vectors are centred in f32", kmeans)
write(
    "linfa_kmeans",
    "scikit-learn",
    sklearn.__version__,
    1e-6,
    1e-9,
    "best_inertia is a bound and not a value: linfa draws its own starts",
    [{k: case[k] for k in ("name", "x", "best_inertia")} | {"n_clusters": len(case["start"])} for case in kmeans[:9]],
)
