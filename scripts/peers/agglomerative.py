"""Times fastcluster and scikit-learn beside Trailmark on agglomerative clustering of the same vectors.

    pip install fastcluster==1.3.0 scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
    cargo build --release -p trailmark-cluster --example agglomerative
    OMP_NUM_THREADS=2 OPENBLAS_NUM_THREADS=2 python scripts/peers/agglomerative.py [n_samples] [n_features] [turns]

Everybody takes turns in one run: Trailmark's linkage and 12-cut sweep, fastcluster's linkage with its distances (both of
its ways for Ward), and one scikit-learn fit; its 12 fits are 12 times that, because it links anew for every number of
clusters. Medians, wall time and processor time; the ratio is of wall times. Then the partitions are compared.
"""

import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import fastcluster
import numpy as np
from scipy.cluster.hierarchy import fcluster
from scipy.spatial.distance import pdist
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "target" / "release" / "examples" / "agglomerative"
n, cols, turns = (int(a) for a in (sys.argv[1:] + ["10000", "64", "3"][len(sys.argv) - 1 :])[:3])
CUTS = 12

rng = np.random.default_rng(1)
centres = rng.normal(size=(20, cols))
x = (centres[rng.integers(20, size=n)] + rng.normal(size=(n, cols))).astype("<f4")


def cpu(who):
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def timed(work):
    wall, before = time.perf_counter(), cpu(resource.RUSAGE_SELF)
    result = work()
    return time.perf_counter() - wall, cpu(resource.RUSAGE_SELF) - before, result


def ours(linkage, path):
    before = cpu(resource.RUSAGE_CHILDREN)
    lines = subprocess.run([PROGRAM, path, str(cols), linkage], check=True, capture_output=True, text=True).stdout
    said = [line.split() for line in lines.splitlines()]
    seconds = {line[0]: float(line[1]) for line in said if line[0] != "labels"}
    labels = {int(line[1]): [int(v) for v in line[2:]] for line in said if line[0] == "labels"}
    return seconds, cpu(resource.RUSAGE_CHILDREN) - before, labels


with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "x.npy"
    np.save(path, x)
    for linkage in ["ward", "average", "complete", "single", "weighted"]:
        walls, cpus = {}, {}
        for _ in range(turns):
            seconds, used, labels = ours(linkage, path)
            arms = {
                "one": (seconds["one_s"], used / 2),  # two fits in one process
                "sweep": (seconds["sweep_s"], used / 2),
                "fastcluster": timed(lambda: fastcluster.linkage(pdist(x), linkage, preserve_input=False)),
            }
            if linkage == "ward":
                arms["fastcluster vector"] = timed(lambda: fastcluster.linkage_vector(x, "ward"))
            if linkage != "weighted":
                model = AgglomerativeClustering(10, linkage=linkage)
                arms["scikit-learn"] = timed(lambda: model.fit(x))
            for name, arm in arms.items():
                walls.setdefault(name, []).append(arm[0])
                cpus.setdefault(name, []).append(arm[1])
        wall = {name: statistics.median(values) for name, values in walls.items()}
        print(f"{linkage}, {n} x {cols}: " + ", ".join(
            f"{name} {wall[name]:.2f} s (cpu {statistics.median(cpus[name]):.2f})" for name in wall))
        peers = [name for name in wall if name.startswith("fastcluster")]
        print("  one linkage: " + ", ".join(f"{wall[p] / wall['one']:.1f}x {p}" for p in peers))
        if "scikit-learn" in wall:
            print(f"  {CUTS} numbers of clusters: {CUTS * wall['scikit-learn'] / wall['sweep']:.0f}x scikit-learn's refits")
        tree = arms["fastcluster"][2]
        agreement = [adjusted_rand_score(labels[k], fcluster(tree, k, "maxclust")) for k in labels]
        print(f"  adjusted Rand index with fastcluster's cuts: least {min(agreement):.4f}")
