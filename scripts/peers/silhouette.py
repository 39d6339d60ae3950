"""Times scikit-learn beside Trailmark on 36 silhouettes of the same vectors, in alternating turns, and compares the scores.

    pip install scikit-learn==1.9.1 numpy==2.4.6
    cargo build --release -p trailmark-metrics --example silhouettes
    python scripts/peers/silhouette.py [n_samples] [n_features] [calls]

Both run on two threads. Trailmark scores all 36 partitions in one pass (Euclidean) or without pairs (the other two), once
before and once after every call of scikit-learn; medians count. scikit-learn's time is that of 36 calls, and of one
distance matrix with 36 precomputed calls; with fewer `calls` than 36 only so many are made and their time is scaled up.
"""

import os
import pathlib
import resource
import statistics
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
PARTITIONS = 36
METRICS = {"euclidean": "euclidean", "squared_euclidean": "sqeuclidean", "cosine": "cosine"}
n, cols, calls = (int(a) for a in (sys.argv[1:] + ["10000", "64", "36"][len(sys.argv) - 1 :])[:3])



def cpu_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def own_cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def timed(work):
    start, before = time.perf_counter(), own_cpu()
    result = work()
    return time.perf_counter() - start, own_cpu() - before, result


class Ours:
    def __init__(self, folder):
        command = [ROOT / "target" / "release" / "examples" / "silhouettes", folder, str(n), str(cols), str(THREADS)]
        self.program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.program.stdout.readline() == "ready\n"
        self.runs = {name: [] for name in METRICS}

    def score(self, name):
        before = cpu_of(self.program.pid)
        self.program.stdin.write(f"{name} {PARTITIONS}\n")
        self.program.stdin.flush()
        wall, *scores = (float(word) for word in self.program.stdout.readline().split())
        self.runs[name].append((wall, cpu_of(self.program.pid) - before))
        return scores

    def median(self, name):
        return [statistics.median(run[at] for run in self.runs[name]) for at in (0, 1)]


def report(what, ours, peer):
    print(
        f"{what}: {ours[0]:.3f} s ({ours[1]:.2f} processor seconds), scikit-learn {peer[0]:.2f} s ({peer[1]:.2f}):"
        f" {peer[0] / ours[0]:.1f}x, processor {peer[1] / ours[1]:.1f}x"
    )


with tempfile.TemporaryDirectory() as folder:
    program = Ours(folder)
    x = np.fromfile(pathlib.Path(folder) / "x.f32", dtype="<f4").reshape(n, cols)
    labels = np.fromfile(pathlib.Path(folder) / "labels.u32", dtype="<u4").reshape(-1, n)
    chosen = np.linspace(0, PARTITIONS - 1, min(calls, PARTITIONS)).astype(int)
    scale = PARTITIONS / len(chosen)
    print(f"{n} x {cols}, {PARTITIONS} partitions, {len(chosen)} calls of scikit-learn timed")
    for name, metric in METRICS.items():
        wall = cpu = difference = 0
        for at in chosen:
            scores = program.score(name)
            run = timed(lambda: silhouette_score(x, labels[at], metric=metric))
            program.score(name)
            wall, cpu, difference = wall + run[0], cpu + run[1], max(difference, abs(run[2] - scores[at]))
        report(name, program.median(name), (wall * scale, cpu * scale))
        print(f"  largest difference of scores {difference:.2g}")
    *matrix_s, matrix = timed(lambda: pairwise_distances(x))
    np.fill_diagonal(matrix, 0)
    runs = [timed(lambda: silhouette_score(matrix, labels[at], metric="precomputed")) for at in chosen]
    shared = [matrix_s[which] + sum(run[which] for run in runs) * scale for which in (0, 1)]
    report("euclidean, one shared matrix", program.median("euclidean"), shared)
