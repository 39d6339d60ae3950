"""Writes tests/oracle/metrics/*.toml: what scikit-learn and scipy say of small partitions.

    pip install scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
    python scripts/oracle_metrics.py

Conventions of the tables: a negative predicted label is noise, and scored as a singleton; a negative reference label is
a sample without one, and left out of external scores. Where Trailmark answers a reason instead of the reference's
number, the case has `undefined` and, for the record, `reference_says`.
"""

import pathlib

import numpy as np
import scipy
import sklearn
import sklearn.metrics as skm
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist, pdist

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "oracle" / "metrics"
rng = np.random.default_rng(20261122)


# ---- partitions -------------------------------------------------------------------------------------------------
def external_cases():
    seven = [0, 0, 1, 1, 2, 2, 2]
    yield "a published example", seven, [0, 0, 1, 2, 2, 2, 1]
    yield "one cluster", seven, [0] * 7
    yield "all singletons", seven, list(range(7))
    yield "one class", [0] * 7, [0, 0, 1, 1, 2, 2, 2]
    yield "every sample its own class", list(range(7)), seven
    yield "identical", seven, seven
    yield "identical but for names", seven, [9, 9, 4, 4, 0, 0, 0]
    yield "identical, one group", [0] * 5, [3] * 5
    yield "identical, all singletons", list(range(5)), [4, 3, 2, 1, 0]
    yield "two samples, both together", [0, 0], [0, 0]
    yield "two samples, both apart", [0, 1], [0, 1]
    yield "two samples, together and apart", [0, 0], [0, 1]
    yield "two samples, apart and together", [0, 1], [0, 0]
    yield "independent", [0, 0, 1, 1], [0, 1, 0, 1]
    yield "worse than chance", [0, 0, 1, 1, 2, 2], [0, 1, 0, 2, 1, 2]
    yield "ties in the matching", [0, 0, 1, 1, 2, 2], [0, 1, 1, 2, 2, 0]
    yield "more clusters than classes", [0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 2, 2, 3, 3]
    yield "more classes than clusters", [0, 0, 1, 1, 2, 2, 3, 3], [0, 0, 0, 0, 1, 1, 1, 1]
    yield "noise is singletons", [0, 0, 0, 1, 1, 1], [0, 0, -1, 1, 1, -1]
    yield "all noise", [0, 0, 0, 1, 1, 1], [-1] * 6
    yield "samples without a class", [0, 0, -1, 1, 1, -1, 1], [0, 0, 0, 1, 1, 1, 0]
    yield "imbalanced", [0] * 95 + [1] * 5, [0] * 90 + [1] * 10
    yield "imbalanced, small group missed", [0] * 95 + [1] * 5, ([0, 1] * 50)
    for n, k, l in [(30, 3, 4), (200, 12, 5), (500, 2, 40), (300, 150, 150)]:
        yield f"random, {n} samples, {k} and {l} groups", rng.integers(k, size=n).tolist(), rng.integers(l, size=n).tolist()
    for share in (0.2, 0.8):
        true = rng.choice(6, p=[0.5, 0.25, 0.12, 0.08, 0.04, 0.01], size=400)
        pred = np.where(rng.random(400) < share, rng.integers(6, size=400), true)
        noisy = np.where(rng.random(400) < 0.1, -1, pred)
        yield f"imbalanced, {share:.0%} of labels redrawn, a tenth noise", true.tolist(), noisy.tolist()


def singled(labels):
    """Noise as singletons."""
    labels = np.array(labels)
    noise = labels < 0
    labels[noise] = labels.max(initial=0) + 1 + np.arange(noise.sum())
    return labels


def scored(true, pred):
    true, pred = np.array(true), singled(pred)
    return true[true >= 0], pred[true >= 0]


def pairs(true, pred):
    (tn, fp), (fn, tp) = skm.pair_confusion_matrix(true, pred) // 2
    return int(tp), int(fp), int(fn), int(tn)


def ratio(a, b):
    return float(a / b) if b else None


def pair_precision(true, pred):
    tp, fp, _, _ = pairs(true, pred)
    return ratio(tp, tp + fp)


def pair_recall(true, pred):
    tp, _, fn, _ = pairs(true, pred)
    return ratio(tp, tp + fn)


def pair_f1(true, pred):
    tp, fp, fn, _ = pairs(true, pred)
    return ratio(2 * tp, 2 * tp + fp + fn)


def fowlkes_mallows(true, pred):
    tp, fp, fn, _ = pairs(true, pred)
    return float(skm.fowlkes_mallows_score(true, pred)) if tp + fp and tp + fn else None


def table(true, pred):
    return skm.cluster.contingency_matrix(true, pred)


def purity(true, pred):
    return float(table(true, pred).max(axis=0).sum() / len(true))


def hungarian(true, pred):
    found = table(true, pred)
    return float(found[linear_sum_assignment(found, maximize=True)].sum() / len(true))


EXTERNAL = {
    "adjusted_mutual_info_score": lambda t, p: float(skm.adjusted_mutual_info_score(t, p, average_method="arithmetic")),
    "adjusted_rand_score": lambda t, p: float(skm.adjusted_rand_score(t, p)),
    "completeness_score": lambda t, p: float(skm.completeness_score(t, p)),
    "fowlkes_mallows_score": fowlkes_mallows,
    "homogeneity_score": lambda t, p: float(skm.homogeneity_score(t, p)),
    "hungarian_accuracy": hungarian,
    "normalized_mutual_info_score": lambda t, p: float(skm.normalized_mutual_info_score(t, p, average_method="arithmetic")),
    "pair_f1": pair_f1,
    "pair_precision": pair_precision,
    "pair_recall": pair_recall,
    "purity_score": purity,
    "rand_score": lambda t, p: float(skm.rand_score(t, p)),
    "v_measure_score": lambda t, p: float(skm.v_measure_score(t, p)),
}
OF_PAIRS = {
    "adjusted_mutual_info_score", "adjusted_rand_score", "fowlkes_mallows_score", "pair_f1", "pair_precision", "pair_recall",
    "rand_score",
}


def external_tables():
    cases = list(external_cases())
    for name, score in EXTERNAL.items():
        rows = [{"name": "no samples", "labels_true": [], "labels_pred": [], "undefined": "empty"}]
        rows.append({"name": "no sample has a class", "labels_true": [-1, -1], "labels_pred": [0, 1], "undefined": "no_truth"})
        single = {"name": "one sample", "labels_true": [0], "labels_pred": [0]}
        rows.append(single | ({"undefined": "below_min_points"} if name in OF_PAIRS else {"expected": 1.0}))
        for title, true, pred in cases:
            value = score(*scored(true, pred))
            row = {"name": title, "labels_true": true, "labels_pred": pred}
            if value is None:
                row["undefined"] = "zero_denominator"
                if name == "fowlkes_mallows_score":
                    row["reference_says"] = float(skm.fowlkes_mallows_score(*scored(true, pred)))
            else:
                row["expected"] = value
            if name == "normalized_mutual_info_score":
                row["geometric"] = float(skm.normalized_mutual_info_score(*scored(true, pred), average_method="geometric"))
            rows.append(row)
        write(name, rows, rtol=1e-9, atol=1e-9 if name == "adjusted_mutual_info_score" else 1e-12)


# ---- vectors ----------------------------------------------------------------------------------------------------
def blobs(n, k, p, spread):
    centres = rng.normal(size=(k, p)) * 3
    labels = rng.integers(k, size=n)
    return centres[labels] + rng.normal(size=(n, p)) * spread, labels.tolist()


def internal_cases():
    five = [[0, 0], [0, 1], [4, 0], [4, 2], [10, 0]]
    yield "a published example with a singleton", five, [0, 0, 1, 1, 2]
    yield "names do not matter", five, [7, 7, 3, 3, 0]
    yield "noise is singletons", five, [0, 0, 1, 1, -1]
    yield "two noise samples", five + [[11, 0]], [0, 0, 1, 1, -1, -1]
    yield "two samples, one cluster", [[0, 1], [1, 1]], [0, 0]
    yield "two samples, two clusters", [[0, 1], [1, 1]], [0, 1]
    yield "one sample", [[1, 2]], [0]
    yield "one cluster", five, [0] * 5
    yield "all singletons", five, [0, 1, 2, 3, 4]
    yield "all noise", five, [-1] * 5
    yield "duplicates inside clusters", [[1, 0]] * 2 + [[5, 5]] * 2, [0, 0, 1, 1]
    yield "all samples equal", [[1.1, 2.3]] * 6, [0, 0, 0, 1, 1, 1]
    yield "equal samples, sums that round", [[0.1, 0.7]] * 3 + [[0.3, 0.2]] * 3, [0, 0, 0, 1, 1, 1]
    yield "some duplicates", [[1, 1], [1, 1], [2, 1], [8, 8], [8, 8], [9, 7]], [0, 0, 0, 1, 1, 1]
    yield "coincident centroids", [[-1], [1], [-1], [1]], [0, 0, 1, 1]
    yield "coincident centroids, sums that round", [[0.1], [-0.3], [0.2], [0.2], [0.1], [-0.3], [5.0], [6.0]], [0, 0, 0, 1, 1, 1, 2, 2]
    yield "ties", [[0, 1], [1, 1], [2, 1], [3, 1]], [0, 0, 1, 1]
    six = np.array([[0, 0], [1, 0], [0, 1], [5, 5], [6, 5], [5, 6]], dtype=float)
    yield "far from the origin", (six + 1e8).tolist(), [0, 0, 0, 1, 1, 1]
    x, labels = blobs(60, 3, 2, 1.0)
    yield "three blobs", x.tolist(), labels
    yield "three blobs, random labels", x.tolist(), rng.integers(4, size=60).tolist()
    x, labels = blobs(40, 4, 6, 3.0)
    yield "overlapping blobs in six columns, some noise", x.tolist(), np.where(rng.random(40) < 0.2, -1, labels).tolist()
    x = np.concatenate([rng.normal(size=(40, 2)), rng.normal(size=(3, 2)) + 6])
    yield "imbalanced", x.tolist(), [0] * 40 + [1] * 3
    yield "tiny scale", (rng.normal(size=(12, 2)) * 1e-9).tolist(), [0, 1] * 6


METRIC = {"euclidean": "euclidean", "squared_euclidean": "sqeuclidean", "cosine": "cosine"}


def distances(x, distance):
    """By differences (scipy), not by the expansion that scikit-learn uses."""
    d = cdist(x, x, METRIC[distance])
    np.fill_diagonal(d, 0)
    # Cosine distances of equal directions are rounding in scipy.
    return np.where(np.abs(d) < 1e-15, 0, d) if distance == "cosine" else d


def trivial(pred):
    k, n = len(set(singled(pred).tolist())), len(pred)
    return "empty" if n == 0 else "one_cluster" if k == 1 else "all_singletons" if k == n else None


def silhouette_rows():
    empty = {"name": "no samples", "x": [], "labels_pred": [], "distance": "euclidean", "undefined": "empty"}
    rows = [empty]
    for title, x, pred in internal_cases():
        for distance in METRIC:
            row = {"name": title, "x": x, "labels_pred": pred, "distance": distance}
            zero = distance == "cosine" and (np.linalg.norm(x, axis=1) == 0).any()
            reason = trivial(pred) or ("zero_vector" if zero else None)
            if distance == "cosine" and title in ("far from the origin", "tiny scale"):
                continue
            if reason:
                row["undefined"] = reason
            else:
                d, labels = distances(x, distance), singled(pred)
                # The reference calls tiny distances zero; the score is the same at any scale.
                scale = 1e18 if title == "tiny scale" else 1.0
                row["samples"] = skm.silhouette_samples(d * scale, labels, metric="precomputed").tolist()
                row["expected"] = float(np.mean(row["samples"]))
            rows.append(row)
    return rows


def mean_intra_rows():
    rows = [{"name": "no samples", "x": [], "labels_pred": [], "distance": "euclidean", "undefined": "empty"}]
    for title, x, pred in internal_cases():
        for distance in METRIC:
            if distance == "cosine" and title in ("far from the origin", "tiny scale"):
                continue
            row = {"name": title, "x": x, "labels_pred": pred, "distance": distance}
            labels = singled(pred)
            if len(set(labels.tolist())) == len(labels):
                row["undefined"] = "all_singletons"
            elif distance == "cosine" and (np.linalg.norm(x, axis=1) == 0).any():
                row["undefined"] = "zero_vector"
            else:
                inside = [pdist(np.array(x)[labels == c], METRIC[distance]) for c in sorted(set(labels.tolist()))]
                value = np.concatenate(inside).mean()
                row["expected"] = 0.0 if distance == "cosine" and abs(value) < 1e-15 else float(value)
            rows.append(row)
    return rows


def davies_bouldin(x, labels):
    """The definition by differences: the reference expands squares, which gives a singleton a spread of about 1e-8."""
    x = x.astype(np.longdouble)
    groups = [x[labels == c] for c in sorted(set(labels.tolist()))]
    centres = [group.mean(axis=0) for group in groups]
    spreads = [np.sqrt(((group - centre) ** 2).sum(axis=1)).mean() for group, centre in zip(groups, centres)]
    worst = [
        max((s + t) / np.sqrt(((a - b) ** 2).sum()) for j, (t, b) in enumerate(zip(spreads, centres)) if j != i)
        for i, (s, a) in enumerate(zip(spreads, centres))
    ]
    value, reference = float(np.mean(worst)), float(skm.davies_bouldin_score(x.astype(float), labels))
    assert abs(value / reference - 1) < 1e-7, (value, reference)
    return value


def centroid_rows(name, score, reasons):
    rows = [{"name": "no samples", "x": [], "labels_pred": [], "distance": "euclidean", "undefined": "empty"}]
    for title, x, pred in internal_cases():
        row = {"name": title, "x": x, "labels_pred": pred, "distance": "euclidean"}
        reason = trivial(pred) or reasons.get(title)
        if reason:
            row["undefined"] = reason
            if not trivial(pred):
                row["reference_says"] = float(getattr(skm, name)(np.array(x, dtype=float), singled(pred)))
        else:
            # Shifted to its mean: a common offset is not part of the definition, and costs the reference precision.
            shifted = np.array(x, dtype=float) - np.array(x, dtype=float)[0]
            # scikit-learn calls distances below 1e-8 zero; both indices are the same at any scale.
            row["expected"] = float(score(shifted * (1e9 if title == "tiny scale" else 1.0), singled(pred)))
        rows.append(row)
    return rows


def inertia_rows():
    rows = [{"name": "no samples", "x": [], "labels_pred": [], "distance": "euclidean", "undefined": "empty"}]
    for title, x, pred in internal_cases():
        x, labels = np.array(x, dtype=float), singled(pred)
        shifted = x - x[0]
        value = sum(((shifted[labels == c] - shifted[labels == c].mean(axis=0)) ** 2).sum() for c in sorted(set(labels.tolist())))
        rows.append({"name": title, "x": x.tolist(), "labels_pred": pred, "distance": "euclidean", "expected": float(value)})
    return rows


def internal_tables():
    flat = {title: "zero_dispersion" for title in ("duplicates inside clusters", "all samples equal", "equal samples, sums that round")}
    same = {title: "coincident_centroids" for title in ("coincident centroids", "coincident centroids, sums that round")}
    write("silhouette_score", silhouette_rows(), rtol=1e-9, atol=1e-9)
    write("mean_intra_cluster_distance", mean_intra_rows(), rtol=1e-9, atol=1e-24)
    write("calinski_harabasz_score", centroid_rows("calinski_harabasz_score", skm.calinski_harabasz_score, flat), rtol=1e-9, atol=1e-12)
    write("davies_bouldin_score", centroid_rows("davies_bouldin_score", davies_bouldin, flat | same), rtol=1e-9, atol=1e-12)
    write("inertia", inertia_rows(), rtol=1e-9, atol=1e-18)


# ---- writing ----------------------------------------------------------------------------------------------------
def toml(value):
    if isinstance(value, str):
        return '"' + value.replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    if isinstance(value, float):
        text = repr(value)
        return text if any(c in text for c in ".e") else text + ".0"
    return str(int(value))


def write(name, rows, rtol, atol):
    OUT.mkdir(parents=True, exist_ok=True)
    lines = [
        'tool = "scikit-learn"',
        f'version = "{sklearn.__version__}, scipy {scipy.__version__}, numpy {np.__version__}"',
        'script = "scripts/oracle_metrics.py"',
        f"rtol = {rtol!r}",
        f"atol = {atol!r}",
    ]
    for row in rows:
        lines += ["", "[[case]]"] + [f"{key} = {toml(value)}" for key, value in row.items()]
    (OUT / f"{name}.toml").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    cached = list(internal_cases())
    internal_cases = lambda: cached  # noqa: E731 -- every table has the same cases
    external_tables()
    internal_tables()
