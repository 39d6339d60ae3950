"""Times scikit-learn's DBSCAN beside Trailmark's on the same vectors, in alternating turns, and compares the labels.

    pip install scikit-learn==1.9.1 numpy==2.4.6
    cargo build --release -p trailmark-cluster --example dbscan
    python scripts/peers/dbscan.py [n_samples] [turns]

Both run on two threads, in 64 and in 384 dimensions. The ratio is of the medians, to the better of scikit-learn's
`brute` and `auto`; processor seconds of both stand beside it.
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
from sklearn.cluster import DBSCAN  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "target" / "release" / "examples" / "dbscan"
MIN_SAMPLES = 5
n, turns = (int(a) for a in (sys.argv[1:] + ["10000", "5"][len(sys.argv) - 1 :])[:2])


def vectors(cols):
    """Twenty blobs and a tenth of scattered rows."""
    rng = np.random.default_rng(cols)
    x = rng.normal(size=(20, cols))[rng.integers(20, size=n)] * 2 + rng.normal(size=(n, cols))
    scattered = rng.random(n) < 0.1
    x[scattered] = rng.normal(size=(scattered.sum(), cols)) * 3
    return x.astype(np.float32)


def cpu_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def own_cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


for cols in (64, 384):
    x = vectors(cols)
    eps = float(np.round(np.sqrt(2 * cols) * 1.02, 2))  # near the usual distance within a blob
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder) / "x.f32", pathlib.Path(folder) / "labels.i32"
        source.write_bytes(x.tobytes())
        command = [PROGRAM, source, n, cols, eps, MIN_SAMPLES, THREADS, target]
        ours = subprocess.Popen([str(a) for a in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        walls, cpus = {}, {}
        for turn in range(turns + 1):
            before = cpu_of(ours.pid)
            ours.stdin.write("\n")
            ours.stdin.flush()
            wall = float(ours.stdout.readline())
            times = {"trailmark": (wall, cpu_of(ours.pid) - before)}
            for algorithm in ("brute", "auto"):
                start, before = time.perf_counter(), own_cpu()
                fitted = DBSCAN(eps=eps, min_samples=MIN_SAMPLES, algorithm=algorithm, n_jobs=THREADS).fit(x)
                times[algorithm] = (time.perf_counter() - start, own_cpu() - before)
            if turn:  # the first turn warms up
                for name, (wall, cpu) in times.items():
                    walls.setdefault(name, []).append(wall)
                    cpus.setdefault(name, []).append(cpu)
        ours.stdin.close()
        ours.wait()
        labels = np.fromfile(target, dtype="<i4")
    wall = {name: statistics.median(all) for name, all in walls.items()}
    cpu = {name: statistics.median(all) for name, all in cpus.items()}
    best = min(("brute", "auto"), key=wall.get)
    print(f"{n} x {cols}, eps {eps}: {len(set(fitted.labels_) - {-1})} clusters, {(fitted.labels_ == -1).sum()} of noise")
    for name in wall:
        print(f"  {name}: {wall[name]:.3f} s, {cpu[name]:.2f} processor seconds, least {min(walls[name]):.3f} s")
    print(f"  ratio to {best}: {wall[best] / wall['trailmark']:.2f}, processor {cpu[best] / cpu['trailmark']:.2f}")
    print(f"  labels that differ: {(labels != fitted.labels_).sum()}")
