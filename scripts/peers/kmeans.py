"""Times scikit-learn's KMeans beside Trailmark's `kmeans`, in alternating turns on the same vectors.

    pip install scikit-learn==1.9.1 numpy==2.4.6 threadpoolctl
    cargo build --release -p trailmark-cluster --example kmeans
    python scripts/peers/kmeans.py fits [n ...]             single fits from the same start, 2 threads each
    python scripts/peers/kmeans.py sweep [n_init [n [d]]]   12 values of n_clusters, each side drawing its own starts

Wall seconds are the best of several turns; CPU seconds (user and system) of the same turn stand beside them.
"""

import pathlib
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

warnings.filterwarnings("ignore")
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
THREADS = 2
FOLDER = pathlib.Path(tempfile.mkdtemp())
PROGRAM = subprocess.Popen(
    [ROOT / "target" / "release" / "examples" / "kmeans"],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    text=True,
)


def ask(line):
    PROGRAM.stdin.write(line + "\n")
    PROGRAM.stdin.flush()
    return PROGRAM.stdout.readline().split()


def load(x):
    np.save(FOLDER / "x.npy", x)
    ask(f"load {FOLDER / 'x.npy'}")


def vectors(n, d, groups, spread):
    """Gaussian groups that overlap: `spread` is their distance over their width."""
    rng = np.random.default_rng(n + d)
    centres = rng.normal(size=(groups, d)) * spread
    return (centres[rng.integers(groups, size=n)] + rng.normal(size=(n, d))).astype(np.float32)


def sklearn(fit):
    wall, cpu = time.perf_counter(), time.process_time()
    with threadpool_limits(THREADS):
        model = fit()
    return time.perf_counter() - wall, time.process_time() - cpu, model


def fits(sizes):
    print("| n x d, K | ours s (cpu) | scikit-learn s (cpu) | ratio wall (cpu) | iterations | inertia ratio |")
    print("| --- | --- | --- | --- | --- | --- |")
    for n in sizes:
        for d in (64, 384):
            x = vectors(n, d, 40, 0.5)
            load(x)
            for k in (8, 32, 128):
                start = x[np.random.default_rng(k).choice(n, size=k, replace=False)]
                np.save(FOLDER / "start.npy", start)
                for max_iter in (20, 300):
                    ours, peers = [], []
                    for _ in range(5 if n <= 10_000 else 3):
                        said = [float(v) for v in ask(f"start {FOLDER / 'start.npy'} {max_iter} {THREADS}")]
                        ours.append(said)
                        model = KMeans(k, init=start, n_init=1, max_iter=max_iter, algorithm="lloyd")
                        peers.append(sklearn(lambda: model.fit(x)))
                    us, them = min(ours), min(peers, key=lambda p: p[0])
                    print(
                        f"| {n} x {d}, {k}, max_iter {max_iter} | {us[0]:.4f} ({us[1]:.2f}) | {them[0]:.4f}"
                        f" ({them[1]:.2f}) | **{them[0] / us[0]:.2f}** ({them[1] / max(us[1], 0.01):.1f}) |"
                        f" {us[3]:.0f} / {them[2].n_iter_} | {us[2] / them[2].inertia_:.6f} |",
                        flush=True,
                    )


def sweep(n_init, sizes, widths):
    values = [2, 3, 4, 6, 8, 10, 12, 16, 20, 25, 30, 40]
    print("| n x d, n_init | ours s (cpu) | scikit-learn s (cpu) | ratio | worst inertia ratio |")
    print("| --- | --- | --- | --- | --- |")
    for n in sizes:
        for d in widths:
            x = vectors(n, d, 40, 0.5)
            load(x)
            ours, peers = [], []
            for _ in range(2 if n_init == 1 else 1):
                ours.append([float(v) for v in ask(f"sweep {n_init} {THREADS} " + " ".join(map(str, values)))])
                peers.append(
                    sklearn(lambda: [KMeans(k, n_init=n_init, random_state=0, algorithm="lloyd").fit(x) for k in values])
                )
            us, them = min(ours), min(peers, key=lambda p: p[0])
            worst = max(a / m.inertia_ for a, m in zip(us[2:], them[2]))
            print(
                f"| {n} x {d}, {n_init} | {us[0]:.3f} ({us[1]:.2f}) | {them[0]:.3f} ({them[1]:.2f}) |"
                f" **{them[0] / us[0]:.2f}** ({them[1] / max(us[1], 0.01):.1f}) | {worst:.5f} |",
                flush=True,
            )


if sys.argv[1] == "fits":
    fits([int(v) for v in sys.argv[2:]] or [10_000, 50_000, 100_000])
else:
    given = [int(v) for v in sys.argv[2:]]
    sweep(given[0] if given else 1, given[1:2] or [10_000, 50_000], given[2:3] or [64, 384])
