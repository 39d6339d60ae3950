"""Writes tests/oracle/cluster/{gaussian_mixture,linfa_gaussian_mixture,linfa_dbscan}.toml: what scikit-learn answers.

Run with numpy 2.4.6, scikit-learn 1.9.1:

    python scripts/oracle_cluster_mixture.py
"""

import pathlib
import warnings

import numpy as np
import sklearn
from sklearn.cluster import DBSCAN
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

ROOT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "oracle" / "cluster"
TYPES = ("full", "tied", "diag", "spherical")


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


def keys(table):
    return [f"{key} = {value(v)}" for key, v in table.items() if key != "fit"]


def write(name, rtol, atol, reason, cases):
    lines = [
        'tool = "scikit-learn"',
        f'version = "{sklearn.__version__}"',
        'script = "scripts/oracle_cluster_mixture.py"',
        f"rtol = {rtol!r}",
        f"atol = {atol!r}",
    ]
    if reason:
        lines.append(f'tolerance_reason = "{reason}"')
    for case in cases:
        lines += ["", "[[case]]"] + keys(case)
        for fit in case.get("fit", []):
            lines += ["", "[[case.fit]]"] + keys(fit)
    ROOT.mkdir(parents=True, exist_ok=True)
    (ROOT / f"{name}.toml").write_text("\n".join(lines) + "\n")


def blobs(rng, n, d, k, spread):
    centres = rng.normal(size=(k, d)) * 4
    return np.round(centres[rng.integers(k, size=n)] + rng.normal(size=(n, d)) * spread, 3)


def sets():
    """Name, vectors, numbers of components, iterations."""
    rng = np.random.default_rng(20261123)
    yield "three blobs in the plane", blobs(rng, 60, 2, 3, 0.8), (2, 3, 5), 12
    yield "overlapping blobs in five dimensions", blobs(rng, 90, 5, 4, 2.0), (1, 4, 9), 20
    yield "noise in nineteen dimensions", np.round(rng.normal(size=(150, 19)), 3), (2, 3), 15
    twice = blobs(rng, 20, 2, 3, 1.0)
    yield "every row twice", np.vstack([twice, twice]), (3,), 10
    plane = blobs(rng, 60, 2, 3, 1.0)
    near = plane @ np.array([1.0, -1.0]) + rng.normal(size=60) * 1e-3
    yield "a column that nearly follows from the others", np.round(np.column_stack([plane, near]), 6), (3,), 10
    yield "a constant column", np.column_stack([blobs(rng, 40, 2, 3, 1.0), np.full(40, 7.0)]), (3,), 10
    yield "far from the origin", np.round(blobs(rng, 50, 3, 3, 1.0) + 4096.0, 2), (3,), 10
    yield "one dimension", np.sort(blobs(rng, 50, 1, 3, 0.7), axis=0), (1, 3, 6), 15
    yield "barely more rows than components", blobs(rng, 7, 2, 3, 1.0), (6,), 8
    yield "one hundred and thirty-one rows: more than a block", blobs(rng, 131, 3, 2, 1.5), (2,), 10


def start(x, k, kind):
    """Weights, means and covariances to start from: rows as means, wide covariances that are all different."""
    n, d = x.shape
    rng = np.random.default_rng(1000 * k + d)
    weights = rng.uniform(1.0, 2.0, size=k)
    weights /= weights.sum()
    means = x[rng.choice(n, size=k, replace=False)] + np.round(rng.normal(size=(k, d)) * 0.1, 3)
    variance = 1.0 + x.var(axis=0).mean()
    matrices = []
    for _ in range(k):
        a = rng.normal(size=(d, d))
        matrices.append((np.eye(d) + 0.3 * a @ a.T / d) * variance)
    matrices = np.array(matrices)
    covariances = {
        "full": matrices,
        "tied": matrices[0],
        "diag": np.array([np.diag(m) for m in matrices]),
        "spherical": np.array([np.diag(m).mean() for m in matrices]),
    }[kind]
    precisions = np.linalg.inv(covariances) if kind in ("full", "tied") else 1.0 / covariances
    return weights, means, covariances, precisions


def fit(x, k, kind, max_iter, tol):
    weights, means, covariances, precisions = start(x, k, kind)
    model = GaussianMixture(
        k,
        covariance_type=kind,
        tol=tol,
        max_iter=max_iter,
        weights_init=weights,
        means_init=means,
        precisions_init=precisions,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        labels = model.fit_predict(x)
    return weights, means, covariances, model, labels


def mixture_fits(x, ks, max_iter):
    for k in ks:
        for kind in TYPES:
            for iterations, tol in ((max_iter, 0.0), (100, 1e-3)):
                if tol > 0 and k != ks[0]:
                    continue
                weights, means, covariances, model, labels = fit(x, k, kind, iterations, tol)
                yield {
                    "name": f"{kind}, k = {k}, tol = {tol}",
                    "covariance_type": kind,
                    "weights": list(weights),
                    "means": [list(row) for row in means],
                    "covariances": list(np.ravel(covariances)),
                    "max_iter": iterations,
                    "tol": tol,
                    "labels": list(labels),
                    "log_likelihood": model.score(x) * len(x),
                    "lower_bound": model.lower_bound_,
                    "bic": model.bic(x),
                    "aic": model.aic(x),
                    "n_iter": model.n_iter_,
                    "converged": str(bool(model.converged_)).lower(),
                    "fitted_weights": list(model.weights_),
                    "fitted_means": [list(row) for row in model.means_],
                }


def mixture_cases():
    for name, x, ks, max_iter in sets():
        yield {"name": name, "x": [list(row) for row in x], "fit": list(mixture_fits(x, ks, max_iter))}


def linfa_mixture_cases():
    rng = np.random.default_rng(5)
    for name, n, d, k in (("two groups in the plane", 60, 2, 2), ("four groups in three dimensions", 120, 3, 4)):
        centres = np.stack([np.roll(np.array([9.0, 0.0, 3.0][:d]), i) * (1 + 2 * i) for i in range(k)])
        x = np.round(centres[np.arange(n) % k] + rng.normal(size=(n, d)), 3)
        model = GaussianMixture(k, n_init=10, random_state=0, tol=1e-6).fit(x)
        yield {
            "name": name,
            "n_clusters": k,
            "x": [list(row) for row in x],
            "labels": list(model.predict(x)),
            "weights": sorted(model.weights_),
            "log_likelihood": model.score(x) * n,
        }


def dbscan_cases():
    rng = np.random.default_rng(6)
    plane = np.vstack([blobs(rng, 70, 2, 3, 0.6), np.round(rng.uniform(-12, 12, size=(20, 2)), 3)])
    for name, x, eps, min_points in (
        ("three blobs and noise", plane, 0.8, 5),
        ("three blobs and noise, a wide radius", plane, 2.0, 4),
        ("a radius so small that all is noise", plane, 1e-3, 3),
        ("every row twice", np.vstack([plane[:40], plane[:40]]), 0.7, 4),
        ("neighbours at exactly the radius", np.array([[float(i), 0.0] for i in range(6)] + [[9.0, 0.0]]), 1.0, 3),
        ("eight dimensions", blobs(rng, 80, 8, 3, 1.0), 3.2, 4),
    ):
        model = DBSCAN(eps=eps, min_samples=min_points).fit(x)
        core = np.zeros(len(x), dtype=int)
        core[model.core_sample_indices_] = 1
        yield {
            "name": name,
            "eps": eps,
            "min_points": min_points,
            "x": [list(row) for row in x],
            "labels": list(model.labels_),
            "core": list(core),
        }


write("gaussian_mixture", 1e-6, 1e-9, "the goal of the comparison: equal starts end at equal likelihoods", mixture_cases())
write("linfa_gaussian_mixture", 1e-4, 1e-6, "both stop by a tolerance, at slightly different points", linfa_mixture_cases())
write("linfa_dbscan", 0.0, 0.0, "", dbscan_cases())
