"""Writes tests/oracle/evaluate/*.toml: the elbow of kneed, the post steps of scikit-learn.

Needs python 3.11, numpy 2.4.6, scikit-learn 1.9.1, kneed 0.9.0. Run it from anywhere; it writes beside itself.
"""

import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
from kneed import KneeLocator
from sklearn.covariance import ledoit_wolf
from sklearn.decomposition import PCA
from sklearn.preprocessing import Normalizer, StandardScaler

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "tests" / "oracle" / "evaluate"


def value(v):
    if isinstance(v, str):
        return f'"{v}"'
    if isinstance(v, (list, tuple, np.ndarray)):
        return "[" + ", ".join(value(x) for x in v) + "]"
    if isinstance(v, dict):
        return "{ " + ", ".join(f"{key} = {value(x)}" for key, x in v.items()) + " }"
    if isinstance(v, bool):
        return str(v).lower()
    if isinstance(v, (int, np.integer)):
        return str(int(v))
    return repr(float(v))


def write(name, tool, cases, rtol=1e-9, atol=1e-12, reason=None):
    OUT.mkdir(parents=True, exist_ok=True)
    lines = [f'tool = "{tool}"', f'version = "{version(tool)}"', 'script = "scripts/oracle_evaluate.py"', f"rtol = {rtol}", f"atol = {atol}"]
    if reason:
        lines.append(f'tolerance_reason = "{reason}"')
    for case in cases:
        lines += ["", "[[case]]"] + [f"{key} = {value(v)}" for key, v in case.items()]
    (OUT / f"{name}.toml").write_text("\n".join(lines) + "\n")


def elbow():
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(1)
    wcss = [900, 600, 420, 300, 230, 190, 165, 150, 140, 132]
    inputs = [("pub-15", range(1, 11), wcss), ("pub-15, first six", range(1, 7), wcss[:6]), ("pub-15, first five", range(1, 6), wcss[:5])]
    inputs += [
        ("straight line", range(2, 9), [70.0, 60.0, 50.0, 40.0, 30.0, 20.0, 10.0]),
        ("one sharp corner", range(2, 11), [100.0, 20.0, 19.0, 18.0, 17.0, 16.0, 15.0, 14.0, 13.0]),
        ("concave", range(2, 8), [100.0, 99.0, 95.0, 80.0, 50.0, 0.0]),
        ("plateau", range(2, 11), [100.0, 50.0, 50.0, 50.0, 50.0, 40.0, 30.0, 20.0, 10.0]),
        ("two knees", range(2, 16), [100, 70, 60, 58, 57, 56, 40, 20, 10, 9, 8, 7, 6, 5]),
        ("uneven steps", [2, 3, 4, 6, 8, 12, 16, 24, 32], [900, 640, 500, 340, 260, 190, 160, 130, 118]),
        ("not monotone", range(2, 10), [50.0, 30.0, 33.0, 20.0, 22.0, 15.0, 14.5, 14.0]),
        ("three values", [2, 3, 4], [10.0, 2.0, 1.0]),
    ]
    for i in range(30):
        n = int(rng.integers(4, 16))
        drops = np.sort(rng.exponential(1.0, n))[::-1] if i % 2 else rng.exponential(1.0, n)
        y = 100 - np.cumsum(drops) * rng.uniform(1, 5)
        inputs.append((f"random {i}", range(2, 2 + n), y.round(4).tolist()))
    cases = []
    for name, x, y in inputs:
        x = list(x)
        locator = KneeLocator(x, y, S=1.0, curve="convex", direction="decreasing")
        case = dict(name=name, n_clusters=x, inertia=y)
        if locator.knee is not None:
            case["knee"] = int(locator.knee)
            case["height"] = float(locator.y_difference[x.index(locator.knee)])
        cases.append(case)
    assert [case.get("knee") for case in cases[:3]] == [4, 3, None]
    assert sum("knee" in case for case in cases) not in (0, len(cases))
    write("elbow", "kneed", cases)


def posts():
    rng = np.random.default_rng(2)
    train = (rng.normal(0, 1, (9, 4)) * [1, 10, 0.01, 3] + [0, 100, 5, -2]).astype(np.float32)
    x = np.vstack([train[:3], rng.normal(0, 2, (3, 4)).astype(np.float32)])
    constant = train.copy()
    constant[:, 1] = np.float32(0.1)
    zeros = x.copy()
    zeros[1] = 0
    reason = "results are stored as f32"
    center = StandardScaler(with_std=False).fit(train.astype(float))
    write("center", "scikit-learn", [dict(train=train, x=x, expected=center.transform(x.astype(float)).ravel())], 1e-6, 1e-6, reason)
    cases = []
    # The second case is applied to training rows: constant columns of new rows follow another rule than scikit-learn.
    for t, rows in ((train, x), (constant, constant)):
        scaler = StandardScaler().fit(t.astype(float))
        cases.append(dict(train=t, x=rows, expected=scaler.transform(rows.astype(float)).ravel()))
    for other in (dict(with_mean=False), dict(with_std=False)):
        scaler = StandardScaler(**other).fit(train.astype(float))
        cases.append(dict(params=other, train=train, x=x, expected=scaler.transform(x.astype(float)).ravel()))
    write("standardize", "scikit-learn", cases, 1e-6, 1e-6, reason)
    cases = [dict(train=train, x=rows, expected=Normalizer().transform(rows.astype(float)).ravel()) for rows in (x, zeros)]
    write("l2", "scikit-learn", cases, 1e-6, 1e-7, reason)


def signs_of(components):
    """Signs that make the entry of largest absolute value positive; where several are equal, the first."""
    first = [np.argmax(np.abs(v) >= np.abs(v).max() * (1 - 1e-9)) for v in components]
    return np.sign([v[at] for v, at in zip(components, first)])


def rotations():
    rng = np.random.default_rng(4)

    def vectors(n, d, rank, rows):
        mix = rng.normal(0, 1, (rank, d)) * np.geomspace(3, 0.3, rank)[:, None]
        return [(rng.normal(0, 1, (k, rank)) @ mix + 5).astype(np.float32) for k in (n, rows)]

    inputs = {
        "more rows than columns": vectors(40, 6, 6, 4),
        "fewer rows than columns": vectors(7, 12, 12, 3),
        "fewer directions than columns": vectors(30, 8, 3, 3),
        "two directions to remove": vectors(12, 205, 10, 2),
        "one column": vectors(9, 1, 1, 2),
    }
    tables = {"pca": [], "all_but_the_top": [], "whiten": []}
    for name, (train, x) in inputs.items():
        n, d = train.shape
        wide, other = train.astype(float), x.astype(float)
        if "fewer directions" in name:
            # In f32 the rank is full; directions of rounding alone are left out.
            rank = int((np.linalg.svd(wide - wide.mean(axis=0), compute_uv=False) > 1e-3).sum())
        else:
            rank = int(np.linalg.matrix_rank(wide - wide.mean(axis=0), tol=1e-3))
        fitted = PCA(n_components=rank, svd_solver="full").fit(wide)
        signs = signs_of(fitted.components_)
        directions = fitted.components_ * signs[:, None]
        centred = other - fitted.mean_

        def add(table, expected, **params):
            case = dict(name=name) | (dict(params=params) if params else {})
            tables[table].append(case | dict(train=train, x=x, expected=expected.ravel()))

        add("pca", centred @ directions[:50].T)
        top = directions[: max(1, d // 100)]
        add("all_but_the_top", centred - centred @ top.T @ top)
        variances = fitted.explained_variance_ * (n - 1) / n
        mean = np.var(wide, axis=0).sum() / d

        def whitened(shrinkage, kept=rank):
            factor = 1 / np.sqrt((1 - shrinkage) * variances + shrinkage * mean)
            return (centred @ directions.T * factor)[:, :kept]

        add("whiten", whitened(ledoit_wolf(wide)[1]))
        if rank < 3:
            continue
        add("pca", PCA(n_components=2, svd_solver="full").fit(wide).transform(other) * signs[:2], n_components=2)
        add("all_but_the_top", centred - centred @ directions[:2].T @ directions[:2], n_components=2)
        add("whiten", whitened(ledoit_wolf(wide)[1], 2), n_components=2)
        add("whiten", whitened(0.25), shrinkage=0.25)
        # Without shrinkage this is scikit-learn's own whitening, but for its n - 1.
        plain = PCA(n_components=rank, svd_solver="full", whiten=True).fit(wide).transform(other)
        plain = plain * signs * np.sqrt(n / (n - 1))
        assert np.allclose(plain, whitened(0.0), rtol=1e-9)
        add("whiten", plain, shrinkage=0.0)
    for name, cases in tables.items():
        write(name, "scikit-learn", cases, 1e-5, 1e-5, "vectors are read and stored as f32")


if __name__ == "__main__":
    elbow()
    rotations()
    posts()
