"""Times scikit-learn and hdbscan beside Trailmark's HDBSCAN on the same vectors, in turns, and compares the labels.

    pip install scikit-learn==1.9.1 hdbscan==0.8.44 numpy==2.4.6
    cargo build --release -p trailmark-cluster --example fit_npy
    python scripts/peers/hdbscan.py [n_samples] [n_features] [turns] [peers, as in hdbscan,scikit-learn] [limit_s]

Two threads each, where an implementation can use them. A peer whose first turn takes more than SLOW seconds gets no
second one, and one that has not finished after limit_s is ended and said to be unfinished.
"""

import multiprocessing
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

THREADS = 2
sys.path.pop(0)  # or else this file would be what `import hdbscan` finds
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(THREADS)

import numpy as np  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "target" / "release" / "examples" / "fit_npy"
SLOW = 20.0


def vectors(n, d):
    """Twenty groups of unit variance around normal centres."""
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(20, d))
    return (centres[rng.integers(20, size=n)] + rng.normal(size=(n, d))).astype(np.float32)


def ours(folder):
    arguments = [PROGRAM, "hdbscan", folder / "x.npy", folder / "labels.i32", str(THREADS)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout.split()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return float(said[said.index("fit_s") + 1]), cpu, np.fromfile(folder / "labels.i32", dtype="<i4")


def fit_peer(peer, x, pipe):
    if peer == "scikit-learn":
        from sklearn.cluster import HDBSCAN

        model = HDBSCAN(min_cluster_size=5, n_jobs=THREADS, copy=True)
    else:
        from hdbscan import HDBSCAN

        # hdbscan does not count the row itself where scikit-learn does.
        model = HDBSCAN(min_cluster_size=5, min_samples=4, core_dist_n_jobs=THREADS)
    start, cpu = time.perf_counter(), time.process_time()
    labels = model.fit(x).labels_
    pipe.send((time.perf_counter() - start, time.process_time() - cpu, labels))


def theirs(peer, x, limit_s):
    """Seconds and labels, or None where it does not finish. In a process of its own, so that it can be ended."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=fit_peer, args=(peer, x, there))
    process.start()
    there.close()  # so that a peer that fails ends the wait
    answer = here.recv() if here.poll(limit_s) else None
    if answer is None:
        process.kill()
    process.join()
    return answer


def main():
    given = sys.argv[1:]
    n, d, turns = (int(word) for word in (given + ["10000", "64", "5"][len(given) :])[:3])
    peers = given[3].split(",") if len(given) > 3 else ["hdbscan", "scikit-learn"]
    limit_s = float(given[4]) if len(given) > 4 else 240.0
    x = vectors(n, d)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        np.save(folder / "x.npy", x)
        seconds = {"ours": []} | {peer: [] for peer in peers}
        labels = {}
        ours(folder)  # the program and the file come into the caches
        for _ in range(turns):
            *took, labels["ours"] = ours(folder)
            seconds["ours"].append(took)
            for peer in list(peers):
                answer = theirs(peer, x, limit_s)
                if answer is None:
                    print(f"{n} x {d}, {peer}: not finished within {limit_s:.0f} s")
                    peers.remove(peer)
                    continue
                *took, labels[peer] = answer
                seconds[peer].append(took)
                if answer[0] > SLOW:
                    peers.remove(peer)

    from sklearn.metrics import adjusted_rand_score

    print(f"load {os.getloadavg()[0]:.1f}")
    middle = {name: [statistics.median(part) for part in zip(*took)] for name, took in seconds.items() if took}
    mine = middle.pop("ours")
    print(f"{n} x {d}, ours: {mine[0]:.3f} s, processors {mine[1]:.3f} s, medians of {turns}")
    for name, (wall, cpu) in middle.items():
        agree = adjusted_rand_score(labels["ours"], labels[name])
        print(
            f"{n} x {d}, {name}: {wall:.2f} s, {wall / mine[0]:.1f}x; processors {cpu:.2f} s, {cpu / mine[1]:.1f}x; "
            f"medians of {len(seconds[name])}; agreement with ours {agree:.4f}"
        )
    if middle:
        print(f"against the better: {min(wall for wall, _ in middle.values()) / mine[0]:.1f}x")


if __name__ == "__main__":
    main()
