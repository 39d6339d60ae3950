"""Times scikit-learn beside Trailmark on 36 silhouettes of the same vectors, in alternating turns, and compares the scores.

    pip install scikit-learn==1.9.1 numpy==2.4.6
    cargo build --release -p trailmark-metrics --example silhouettes
    python scripts/peers/silhouette.py [n_samples] [n_features] [calls]

Both run on two threads. Trailmark scores all 36 partitions in one pass (Euclidean) or without pairs (the other two).
scikit-learn's time is that of 36 calls, and of one distance matrix with 36 precomputed calls; with fewer `calls` than 36
only so many are made and the time is scaled up, which is said.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

THREADS = 2
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(THREADS)

import numpy as np  # noqa: E402: the number of threads is read on import
from sklearn.metrics import pairwise_distances, silhouette_score  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
METRICS = {"euclidean": "euclidean", "squared_euclidean": "sqeuclidean", "cosine": "cosine"}
n, cols, calls = (int(a) for a in (sys.argv[1:] + ["10000", "64", "36"][len(sys.argv) - 1 :])[:3])


def ours(folder):
    """Best times by name, and the scores by distance."""
    program = ROOT / "target" / "release" / "examples" / "silhouettes"
    command = [program, folder, str(n), str(cols), str(THREADS)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    times, scores = {}, {name: [] for name in METRICS}
    for key, value in (line.split() for line in text.splitlines()):
        if key.endswith("_score"):
            scores[key.removesuffix("_score")].append(float(value))
        else:
            times[key] = float(value)
    return times, scores


def timed(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


with tempfile.TemporaryDirectory() as folder:
    times, scores = ours(folder)
    x = np.fromfile(pathlib.Path(folder) / "x.f32", dtype="<f4").reshape(n, cols)
    labels = np.fromfile(pathlib.Path(folder) / "labels.u32", dtype="<u4").reshape(-1, n)
    chosen = np.linspace(0, len(labels) - 1, min(calls, len(labels))).astype(int)
    scale = len(labels) / len(chosen)
    peer = {}
    for ours_name, metric in METRICS.items():
        runs = [timed(lambda: silhouette_score(x, labels[at], metric=metric)) for at in chosen]
        peer[ours_name] = sum(run[0] for run in runs) * scale
        difference = max(abs(run[1] - scores[ours_name][at]) for at, run in zip(chosen, runs))
        print(f"{ours_name}: {len(chosen)} of {len(labels)} calls timed, largest difference of scores {difference:.2g}")
    matrix_s, matrix = timed(lambda: pairwise_distances(x))
    np.fill_diagonal(matrix, 0)
    runs = [timed(lambda: silhouette_score(matrix, labels[at], metric="precomputed")) for at in chosen]
    precomputed = matrix_s + sum(run[0] for run in runs) * scale
    again, _ = ours(folder)

for name in METRICS:
    took = min(times[f"{name}_all_s"], again[f"{name}_all_s"])
    line = f"{n} x {cols}, {len(labels)} partitions, {name}: {took:.3f} s, scikit-learn {peer[name]:.2f} s"
    print(f"{line}, {peer[name] / took:.1f}x")
    if name == "euclidean":
        print(f"  scikit-learn with one shared matrix {precomputed:.2f} s, {precomputed / took:.1f}x")
