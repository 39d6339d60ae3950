"""Writes tests/oracle/cluster/{hdbscan,optics}.toml: what scikit-learn (and for outlier scores hdbscan) answer.

Run with numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1, hdbscan 0.8.44:

    python scripts/oracle_cluster_hierarchical_density.py

Mutual reachability is full of ties, and scikit-learn sorts them with an unstable sort whose result differs between
processors. So every tree here is the minimum spanning tree under the order (mutual reachability, distance, lower row,
higher row), made from all pairs by Kruskal's algorithm and handed to scikit-learn's own `make_single_linkage` and
`tree_to_labels`. `published = true` marks the cases where `HDBSCAN(..).fit(x)`, as it is published, says the same on
the machine that wrote the table: labels up to renaming, and all probabilities. Labels with cluster_selection_epsilon
all outlier scores and all persistences are hdbscan's, on the same trees.
"""

import importlib.metadata
import pathlib

import numpy as np
import sklearn
from hdbscan import _hdbscan_tree as scores
from sklearn.cluster import HDBSCAN, OPTICS
from sklearn.cluster._hdbscan._linkage import MST_edge_dtype, make_single_linkage
from sklearn.cluster._hdbscan._tree import _condense_tree, tree_to_labels
from sklearn.metrics import adjusted_rand_score

HDBSCAN_VERSION = importlib.metadata.version("hdbscan")
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


def write(name, tool, version, rtol, atol, cases):
    lines = [
        f'tool = "{tool}"',
        f'version = "{version}"',
        'script = "scripts/oracle_cluster_hierarchical_density.py"',
        f"rtol = {rtol!r}",
        f"atol = {atol!r}",
    ]
    for case in cases:
        lines += ["", "[[case]]"] + [f"{key} = {value(v)}" for key, v in case.items()]
    (ROOT / f"{name}.toml").write_text("\n".join(lines) + "\n")


def f32(x):
    """Values that f32 holds exactly, so that both precisions see the same numbers."""
    return np.asarray(x, dtype=np.float32).astype(np.float64)


def blobs(rng, sizes, d, spread, centre=4.0):
    centres = rng.normal(size=(len(sizes), d)) * centre
    x = np.vstack([centres[k] + rng.normal(size=(n, d)) * spread for k, n in enumerate(sizes)])
    return f32(np.round(rng.permutation(x), 3))


def sets():
    rng = np.random.default_rng(20261123)
    yield "three blobs in the plane", blobs(rng, [40, 30, 30], 2, 0.6)
    yield "blobs of differing density and noise", f32(
        np.round(np.vstack([rng.normal(size=(40, 2)) * 0.2, rng.normal(size=(40, 2)) + 6, rng.uniform(-8, 12, (25, 2))]), 3)
    )
    yield "eight dimensions", blobs(rng, [30, 25, 25], 8, 1.0)
    yield "noise in twenty dimensions", f32(np.round(rng.normal(size=(60, 20)), 3))
    yield "a curve", f32(np.round([[t, np.sin(t)] for t in np.sort(rng.uniform(0, 12, 90))], 3))
    yield "one blob", blobs(rng, [60], 3, 1.0)
    yield "every row three times", np.repeat(blobs(rng, [12, 10], 2, 0.8), 3, axis=0)
    yield "a row many times among others", np.vstack([np.ones((20, 3)), blobs(rng, [40], 3, 1.0)])
    yield "whole numbers", f32(rng.poisson(1.5, size=(80, 3)))
    yield "a lattice", f32(np.stack(np.meshgrid(np.arange(7), np.arange(6)), -1).reshape(-1, 2))
    yield "all rows equal", np.full((12, 2), 3.0)
    yield "as few rows as it takes", f32([[0, 0], [1, 0], [0, 1], [5, 5], [9, 9]])


def distances(x, metric):
    if metric == "cosine":
        u = x / np.linalg.norm(x, axis=1, keepdims=True)
        return 0.5 * ((u[:, None, :] - u[None, :, :]) ** 2).sum(-1)
    return np.sqrt(((x[:, None, :] - x[None, :, :]) ** 2).sum(-1))


def spanning_tree(x, min_samples, alpha, metric):
    d = distances(x, metric)
    core = np.sort(d, axis=1)[:, min_samples - 1]
    i, j = np.triu_indices(len(x), 1)
    weight = np.maximum(np.maximum(core[i], core[j]), d[i, j] / alpha)
    parent = list(range(len(x)))

    def find(a):
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        return a

    edges = []
    for at in np.lexsort((j, i, d[i, j], weight)):
        a, b = find(i[at]), find(j[at])
        if a != b:
            parent[a] = b
            edges.append((i[at], j[at], weight[at]))
    return core, make_single_linkage(np.array(edges, dtype=MST_edge_dtype))


def as_hdbscan(tree):
    """A condensed tree of scikit-learn under the names that hdbscan gives its fields."""
    rows = [(row["parent"], row["child"], row["value"], row["cluster_size"]) for row in tree]
    names = [("parent", np.intp), ("child", np.intp), ("lambda_val", np.float64), ("child_size", np.intp)]
    return np.array(rows, dtype=names)


def outlier_scores(tree):
    """GLOSH. hdbscan's own, but finite where a row of distance 0 makes it infinity by infinity."""
    with np.errstate(invalid="ignore"):
        found = scores.outlier_scores(tree)
    return np.where(np.isnan(found), 1.0, found)


def hdbscan_case(name, x, **given):
    p = {
        "min_cluster_size": 5,
        "min_samples": 5,
        "cluster_selection_method": "eom",
        "cluster_selection_epsilon": 0.0,
        "max_cluster_size": 0,
        "allow_single_cluster": False,
        "alpha": 1.0,
        "metric": "euclidean",
    } | given
    most = p["max_cluster_size"] or None
    core, linkage = spanning_tree(x, p["min_samples"], p["alpha"], p["metric"])
    condensed = as_hdbscan(_condense_tree(linkage, p["min_cluster_size"]))
    if p["cluster_selection_epsilon"] > 0.0:
        # scikit-learn 1.9.1 raises a TypeError under this numpy as soon as a split is undone.
        labels, probabilities, _ = scores.get_clusters(
            condensed,
            scores.compute_stability(condensed),
            p["cluster_selection_method"],
            p["allow_single_cluster"],
            False,
            p["cluster_selection_epsilon"],
            p["max_cluster_size"],
        )
        published = False
    else:
        labels, probabilities = tree_to_labels(
            linkage,
            p["min_cluster_size"],
            p["cluster_selection_method"],
            p["allow_single_cluster"],
            p["cluster_selection_epsilon"],
            most,
        )
        peer = HDBSCAN(copy=True, **(p | {"max_cluster_size": most})).fit(x)
        same = adjusted_rand_score(labels, peer.labels_) == 1.0 and ((labels < 0) == (peer.labels_ < 0)).all()
        published = bool(same and np.allclose(probabilities, peer.probabilities_, rtol=1e-9, atol=1e-12))
    # By label, labels named by their first row. Of a cluster made by undoing splits hdbscan gives the stability of the
    # best clusters within it, we that of the cluster: no case.
    again, _, persistence = scores.get_clusters(
        condensed,
        scores.compute_stability(condensed),
        p["cluster_selection_method"],
        p["allow_single_cluster"],
        False,
        p["cluster_selection_epsilon"],
        p["max_cluster_size"],
    )
    assert (again == labels).all(), name
    first = [label for label in dict.fromkeys(again) if label >= 0]

    undone = p["cluster_selection_epsilon"] > 0.0

    return {
        "name": name,
        **p,
        "published": published,
        "x": [list(row) for row in x],
        "core_distances": list(core),
        "labels": list(labels),
        "probabilities": list(probabilities),
        "outlier_scores": list(outlier_scores(condensed)),
    } | ({} if undone else {"cluster_persistence": [persistence[label] for label in first]})


def hdbscan_cases():
    all_sets = dict(sets())
    for name, x in all_sets.items():
        for given in (
            {},
            {"min_samples": 1},
            {"min_samples": 3, "cluster_selection_method": "leaf"},
            {"min_cluster_size": 8, "allow_single_cluster": True},
            {"min_cluster_size": 2, "min_samples": 2},
        ):
            yield hdbscan_case(name, x, **given)
    plane = all_sets["three blobs in the plane"]
    yield hdbscan_case("splits undone", plane, min_cluster_size=3, min_samples=2, cluster_selection_epsilon=0.7)
    yield hdbscan_case(
        "leaves undone", plane, min_cluster_size=3, min_samples=2, cluster_selection_epsilon=0.5, cluster_selection_method="leaf"
    )
    yield hdbscan_case("large clusters passed over", plane, min_cluster_size=3, min_samples=2, max_cluster_size=30)
    yield hdbscan_case("distances divided", plane, min_samples=4, alpha=1.3)
    yield hdbscan_case(
        "one cluster of the dense rows", all_sets["one blob"], allow_single_cluster=True, cluster_selection_epsilon=1.5
    )
    yield hdbscan_case("cosine", all_sets["eight dimensions"], metric="cosine")
    yield hdbscan_case("cosine of parallel rows", np.vstack([plane[:40], plane[:40] * 2]), metric="cosine", min_samples=3)


def optics_case(name, x, **given):
    p = {
        "min_samples": 5,
        "max_eps": np.inf,
        "cluster_method": "xi",
        "xi": 0.05,
        "predecessor_correction": True,
        "min_cluster_size": 0,
        "eps": np.inf,
        "metric": "euclidean",
    } | given
    asked = p | {"min_cluster_size": p["min_cluster_size"] or None, "eps": min(p["eps"], p["max_eps"])}
    if p["metric"] == "euclidean":
        # By differences throughout; "euclidean" and "brute" go through products, whose rounding breaks ties.
        asked |= {"metric": "minkowski", "algorithm": "kd_tree"}
        peer = OPTICS(**asked).fit(x)
    else:
        peer = OPTICS(**(asked | {"metric": "precomputed"})).fit(distances(x, p["metric"]))
    return {
        "name": name,
        **p,
        "x": [list(row) for row in x],
        "ordering": list(peer.ordering_),
        "reachability": list(peer.reachability_),
        "core_distances": list(peer.core_distances_),
        "predecessor": list(peer.predecessor_),
        "cluster_hierarchy": [list(row) for row in getattr(peer, "cluster_hierarchy_", [])],
        "labels": list(peer.labels_),
    }


def optics_cases():
    all_sets = dict(sets())
    for name, x in all_sets.items():
        for given in (
            {},
            {"min_samples": 2},
            {"min_samples": 3, "xi": 0.2, "predecessor_correction": False},
            {"max_eps": 1.5, "min_cluster_size": 4},
            {"cluster_method": "dbscan", "eps": 1.2},
            {"cluster_method": "dbscan", "eps": 0.1, "max_eps": 2.0},
        ):
            yield optics_case(name, x, **given)
    yield optics_case("cosine", all_sets["eight dimensions"], metric="cosine")
    yield optics_case("nothing is reached", all_sets["three blobs in the plane"], max_eps=0.001)


hdbscan_table = list(hdbscan_cases())
write("hdbscan", "scikit-learn and hdbscan", f"{sklearn.__version__}, {HDBSCAN_VERSION}", 1e-9, 1e-12, hdbscan_table)
optics_table = list(optics_cases())
write("optics", "scikit-learn", sklearn.__version__, 1e-9, 1e-12, optics_table)
print(sum(case["published"] for case in hdbscan_table), "of", len(hdbscan_table), "hdbscan cases as published")
for case in hdbscan_table:
    labels = np.array(case["labels"])
    print(case["published"], case["name"], case["min_samples"], max(labels) + 1, (labels < 0).sum())
