"""Writes tests/oracle/cluster/dbscan.toml: what scikit-learn's DBSCAN answers for small sets.

Run with numpy 2.4.6, scikit-learn 1.9.1:

    python scripts/oracle_cluster_dbscan.py
"""

import pathlib

import numpy as np
import sklearn
from sklearn.cluster import DBSCAN

TABLE = pathlib.Path(__file__).resolve().parent.parent / "tests" / "oracle" / "cluster" / "dbscan.toml"


def value(x):
    if isinstance(x, str):
        return '"' + x + '"'
    if isinstance(x, (int, np.integer)):
        return str(int(x))
    if isinstance(x, (float, np.floating)):
        return repr(float(x))
    return "[" + ", ".join(value(v) for v in x) + "]"


def f32(x):
    """Values that f32 holds exactly, so that both precisions see the same numbers."""
    return np.asarray(x, dtype=np.float32).astype(np.float64)


def blobs(rng, n, d, k, spread):
    centres = rng.normal(size=(k, d)) * 4
    return f32(np.round(centres[rng.integers(k, size=n)] + rng.normal(size=(n, d)) * spread, 3))


def moons(rng, n, noise):
    angle = rng.uniform(0, np.pi, size=n)
    side = rng.integers(2, size=n)
    x = np.column_stack([np.cos(angle), np.sin(angle)])
    x[side == 1] = [1.0, 0.5] - x[side == 1]
    return f32(np.round(x + rng.normal(size=(n, 2)) * noise, 4))


def rings(rng, n):
    angle = rng.uniform(0, 2 * np.pi, size=n)
    radius = np.where(rng.integers(2, size=n) == 1, 1.0, 3.0) + rng.normal(size=n) * 0.08
    return f32(np.round(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), 4))


def sets():
    rng = np.random.default_rng(20261122)
    yield "three blobs in the plane", blobs(rng, 60, 2, 3, 0.6), [0.3, 0.6, 1.2], [1, 2, 4, 8]
    yield "two moons", moons(rng, 120, 0.07), [0.12, 0.2, 0.35], [3, 5]
    yield "two rings", rings(rng, 110), [0.3, 0.6], [3, 6]
    yield "overlapping blobs in five dimensions", blobs(rng, 80, 5, 4, 1.0), [1.5, 2.2, 3.0], [3, 5]
    yield "blobs in forty dimensions", blobs(rng, 70, 40, 3, 0.5), [3.5, 4.2, 5.0], [3, 5]
    # The rest is on a lattice of halves: distances are exact, and many lie on the radius itself.
    lattice = np.round(blobs(rng, 60, 2, 3, 0.8) * 2) / 2
    yield "ties on a lattice", lattice, [0.5, 1.0, 1.5], [3, 4, 6]
    twice = blobs(rng, 20, 2, 3, 0.7)
    yield "every row three times", np.vstack([twice, twice, twice]), [0.0, 0.25, 0.75], [3, 4, 7]
    yield "all rows equal", np.full((8, 2), 0.5), [0.0, 1.0], [1, 8, 9]
    yield "all noise", np.column_stack([np.arange(12.0) * 10, np.zeros(12)]), [1.0, 9.5], [2, 5]
    yield "one chain", np.column_stack([np.arange(15.0), np.zeros(15)]), [1.0], [2, 3, 4]
    # Cores at 0..2 and 4..6 of each arm; the row at 3 is reached by both and makes neither larger.
    cross = np.array([[9.0], [6.0], [5.0], [4.0], [4.0], [3.0], [2.0], [2.0], [1.0], [0.0], [-3.0]])
    yield "a border between two clusters goes to the lower", cross, [1.0], [3, 4, 5]
    # Dense knots 4 apart with single rows midway: chains of border rows that no cluster may cross.
    knots = [[4.0 * k + dx, 0.0] for k in (3, 0, 2, 1) for dx in (0.0, 0.25, -0.25, 0.0)]
    midway = [[4.0 * k + 2.0, 0.0] for k in (1, 0, 2)]
    yield "chains of borders", np.array(midway + knots + midway), [1.75, 2.0, 2.25], [4, 5, 6, 7]
    yield "one row", np.array([[1.0, 2.0]]), [0.5], [1, 2]
    yield "far from the origin", f32(np.round(blobs(rng, 40, 2, 3, 0.5) * 4) / 4 + 4096.0), [0.5, 0.75], [3, 5]


def cases():
    for name, x, radii, counts in sets():
        yield case(name, "euclidean", x, [(eps, min_samples) for eps in radii for min_samples in counts])
    rng = np.random.default_rng(7)
    for d in (3, 30):
        x = blobs(rng, 60, d, 4, 0.8)
        yield case(f"directions in {d} dimensions", "cosine", x, [(0.01, 4), (0.05, 4), (0.2, 4)])


def case(name, metric, x, settings):
    # scikit-learn refuses a radius of 0; the next number asks for the same pairs of these sets.
    fits = [
        DBSCAN(eps=eps or np.nextafter(0, 1), min_samples=count, metric=metric, algorithm="brute").fit(x)
        for eps, count in settings
    ]
    return {
        "name": name,
        "metric": metric,
        "x": [list(row) for row in x],
        "eps": [float(eps) for eps, _ in settings],
        "min_samples": [count for _, count in settings],
        "labels": [list(fit.labels_) for fit in fits],
        "core": [list(fit.core_sample_indices_) for fit in fits],
    }


lines = [
    'tool = "scikit-learn"',
    f'version = "{sklearn.__version__}"',
    'script = "scripts/oracle_cluster_dbscan.py"',
    "rtol = 0.0",
    "atol = 0.0",
]
for one in cases():
    lines += ["", "[[case]]"] + [f"{key} = {value(v)}" for key, v in one.items()]
TABLE.write_text("\n".join(lines) + "\n")
