"""Writes tests/oracle/cluster/{lloyd_f64,mini_batch_kmeans,spherical_kmeans,soft_kmeans}.toml: what scikit-learn answers
for the k-means family in double precision and for batches, and what the definitions of spherical and soft k-means give,
spelt out in numpy (no library of scikit-learn's rank has them).

Run with numpy 2.4.6, scikit-learn 1.9.1:

    python scripts/oracle_cluster_kmeans.py
"""

import pathlib

import numpy as np
import sklearn
from sklearn.cluster import KMeans, MiniBatchKMeans

ROOT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "oracle" / "cluster"


def value(x):
    if isinstance(x, str):
        return '"' + x + '"'
    if isinstance(x, (int, np.integer)):
        return str(int(x))
    if isinstance(x, (float, np.floating)):
        return repr(float(x))
    return "[" + ", ".join(value(v) for v in x) + "]"


def write(name, tool, version, rtol, atol, reason, cases):
    lines = [
        f'tool = "{tool}"',
        f'version = "{version}"',
        'script = "scripts/oracle_cluster_kmeans.py"',
        f"rtol = {rtol!r}",
        f"atol = {atol!r}",
    ]
    if reason:
        lines.append(f'tolerance_reason = "{reason}"')
    for case in cases:
        lines += ["", "[[case]]"] + [f"{key} = {value(v)}" for key, v in case.items()]
    (ROOT / f"{name}.toml").write_text("\n".join(lines) + "\n")


def blobs(rng, n, d, k, spread):
    centres = rng.normal(size=(k, d)) * 4
    return np.round(centres[rng.integers(k, size=n)] + rng.normal(size=(n, d)) * spread, 4)


def ten_sets():
    rng = np.random.default_rng(4)
    ring = rng.uniform(0, 2 * np.pi, size=120)
    twice = blobs(rng, 40, 3, 4, 1.5)
    yield "three blobs in the plane", blobs(rng, 120, 2, 3, 0.7)
    yield "overlapping blobs", blobs(rng, 150, 4, 6, 3.0)
    yield "noise in twelve dimensions", np.round(rng.normal(size=(80, 12)), 4)
    yield "a ring", np.round(np.column_stack([np.cos(ring), np.sin(ring)]) * 5 + rng.normal(size=(120, 2)) * 0.1, 4)
    yield "every row twice", np.vstack([twice, twice])
    yield "a constant column", np.column_stack([blobs(rng, 90, 2, 3, 1.0), np.full(90, 0.1)])
    # Rounded to f32 these would lie on a lattice of 8.
    yield "further from the origin than f32 can tell", blobs(rng, 90, 2, 4, 1.0) + 1e8
    yield "columns of very different scale", blobs(rng, 100, 3, 4, 1.0) * np.array([1e-3, 1.0, 1e3])
    yield "heavy tails", np.round(rng.standard_t(2, size=(120, 3)), 4)
    yield "one dimension", np.sort(np.round(rng.normal(size=(100, 1)), 4), axis=0)


def lloyd_cases():
    for name, x in ten_sets():
        for k in (2, 5, 9):
            distinct = np.unique(x, axis=0)
            start = distinct[np.random.default_rng(k).choice(len(distinct), size=k, replace=False)]
            one = KMeans(k, init=start, n_init=1, max_iter=300, tol=1e-4, algorithm="lloyd").fit(x)
            best = KMeans(k, n_init=10, random_state=0, algorithm="lloyd").fit(x)
            yield {
                "name": name,
                "x": x,
                "start": start,
                "labels": one.labels_,
                "inertia": one.inertia_,
                "centers": one.cluster_centers_,
                "n_iter": one.n_iter_,
                "best_inertia": best.inertia_,
            }


def mini_batch_cases():
    rng = np.random.default_rng(5)
    for name, n, d, k, spread in (
        ("four blobs", 90, 3, 4, 1.0),
        ("overlapping blobs", 120, 5, 6, 3.0),
        ("one cluster", 30, 2, 1, 1.0),
    ):
        x = blobs(rng, n, d, max(k, 2), spread).astype(np.float32).astype(np.float64)
        start = x[rng.choice(n, size=k, replace=False)]
        model = MiniBatchKMeans(k, init=start, n_init=1, reassignment_ratio=0.0)
        for batch in np.split(x, 3):
            model.partial_fit(batch)
        whole = [
            MiniBatchKMeans(k, n_init=3, batch_size=40, random_state=seed).fit(x).inertia_ for seed in range(20)
        ]
        yield {
            "name": name,
            "x": x,
            "start": start,
            "centers": model.cluster_centers_,
            "counts": model._counts,
            "labels": model.predict(x),
            "median_inertia": float(np.median(whole)),
        }


def spherical(x, start):
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    c = start / np.linalg.norm(start, axis=1, keepdims=True)
    labels = None
    for _ in range(1000):
        new = (x @ c.T).argmax(axis=1)
        if labels is not None and (new == labels).all():
            break
        labels = new
        for j in range(len(c)):
            total = x[labels == j].sum(axis=0)
            if (labels == j).any() and np.linalg.norm(total) > 0:
                c[j] = total / np.linalg.norm(total)
    return labels, c, float((1 - (x * c[labels]).sum(axis=1)).sum())


def spherical_cases():
    rng = np.random.default_rng(6)
    for name, n, d, k in (("directions in the plane", 60, 2, 3), ("directions in six dimensions", 90, 6, 5)):
        x = blobs(rng, n, d, k, 1.0) * np.round(rng.uniform(0.1, 9, size=(n, 1)), 1)
        x = np.round(x, 4)
        labels, centers, objective = spherical(x, x[:k].copy())
        best = min(
            spherical(x, x[np.random.default_rng(s).choice(n, size=k, replace=False)].copy())[2] for s in range(50)
        )
        yield {
            "name": name,
            "x": x,
            "n_clusters": k,
            "labels_from_first_rows": labels,
            "centers": centers,
            "objective": objective,
            "best_objective": best,
        }


def soft(x, c, sigma, n_iter):
    def responsibilities():
        d = ((x[:, None, :] - c[None, :, :]) ** 2).sum(axis=2) / (2 * sigma**2)
        low = d.min(axis=1, keepdims=True)
        e = np.exp(low - d)
        return e / e.sum(axis=1, keepdims=True), (low[:, 0] - np.log(e.sum(axis=1))).mean()

    for _ in range(n_iter):
        r, _ = responsibilities()
        c = (r.T @ x) / r.sum(axis=0)[:, None]
    r, objective = responsibilities()
    terms = np.where(r > 0, r * np.log(np.where(r > 0, r, 1)), 0)
    return c, float(-terms.sum(axis=1).mean()), float(objective)


def soft_cases():
    rng = np.random.default_rng(7)
    for name, n, d, k, sigma in (
        ("blobs, narrow weights", 60, 2, 3, 0.8),
        ("overlapping blobs, wide weights", 80, 4, 4, 2.5),
        ("weights so wide that centres meet", 40, 2, 3, 50.0),
    ):
        x = blobs(rng, n, d, k, 1.5)
        centers, entropy, objective = soft(x, x[:k].copy(), sigma, 25)
        yield {
            "name": name,
            "x": x,
            "start": x[:k],
            "sigma": sigma,
            "n_iter": 25,
            "centers": centers,
            "entropy": entropy,
            "objective": objective,
        }


write("lloyd_f64", "scikit-learn", sklearn.__version__, 1e-9, 1e-9, "", lloyd_cases())
write(
    "mini_batch_kmeans",
    "scikit-learn",
    sklearn.__version__,
    1e-6,
    1e-6,
    "batches are centred in f32; median_inertia is a bound of whole fits, whose draws differ",
    mini_batch_cases(),
)
write("spherical_kmeans", "numpy", np.__version__, 1e-9, 1e-9, "", spherical_cases())
write("soft_kmeans", "numpy", np.__version__, 1e-9, 1e-9, "", soft_cases())
