"""Times scikit-learn's GaussianMixture beside Trailmark from the same start, in alternating turns.

    pip install scikit-learn==1.9.1 numpy==2.4.6 threadpoolctl
    cargo build --release -p trailmark-cluster --example gaussian_mixture
    python scripts/peers/gaussian_mixture.py [n_samples] [n_features] [turns] [threads] [covariance_type ..]

Both make exactly 20 iterations and label the rows, on 2 threads unless said. The best and the median of the turns are
printed. Other work on the machine slows both, scikit-learn more as its threads wait for each other: there, compare CPU
time on 1 thread.
"""

import os
import sys

n, cols, turns, threads = (int(a) for a in (sys.argv[1:5] + ["10000", "64", "3", "2"][len(sys.argv[:5]) - 1 :]))
os.environ.update({name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")})

import pathlib
import statistics
import subprocess
import tempfile
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "target" / "release" / "examples" / "gaussian_mixture"
ITERATIONS = 20
warnings.simplefilter("ignore", ConvergenceWarning)


def ours(folder, kind):
    before = os.times()
    command = [PROGRAM, folder, kind, str(ITERATIONS), str(threads)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    after = os.times()
    said = dict(zip(said[::2], map(float, said[1::2])))
    said["cpu_s"] = after.children_user + after.children_system - before.children_user - before.children_system
    said["labels"] = np.loadtxt(pathlib.Path(folder) / "labels.csv", dtype=int)
    return said


def theirs(x, k, kind, weights, means, covariances):
    precisions = np.linalg.inv(covariances) if kind in ("full", "tied") else 1.0 / covariances
    model = GaussianMixture(
        k,
        covariance_type=kind,
        tol=0.0,
        max_iter=ITERATIONS,
        weights_init=weights,
        means_init=means,
        precisions_init=precisions,
    )
    cpu, start = time.process_time(), time.perf_counter()
    labels = model.fit_predict(x)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    return {"wall_s": wall, "cpu_s": cpu, "labels": labels, "log_likelihood": model.score(x) * len(x)}


rng = np.random.default_rng(1)
centres = rng.normal(size=(20, cols)) * 1.5
x = centres[rng.integers(20, size=n)] + rng.normal(size=(n, cols)) @ (np.eye(cols) + 0.2 * rng.normal(size=(cols, cols)))

for kind in sys.argv[5:] or ("full", "tied", "diag", "spherical"):
    for k in (8, 32):
        weights = np.full(k, 1.0 / k)
        means = x[rng.choice(n, size=k, replace=False)]
        covariance = np.cov(x.T)
        covariances = {
            "full": np.array([covariance] * k),
            "tied": covariance,
            "diag": np.array([np.diag(covariance)] * k),
            "spherical": np.full(k, np.diag(covariance).mean()),
        }[kind]
        with tempfile.TemporaryDirectory() as folder:
            for name, values in (("x", x), ("weights", weights), ("means", means), ("covariances", covariances)):
                np.save(pathlib.Path(folder) / f"{name}.npy", np.ascontiguousarray(values))
            pairs = [(ours(folder, kind), theirs(x, k, kind, weights, means, covariances)) for _ in range(turns)]
        a, b = pairs[0]
        walls = [[side["wall_s"] for side in pair] for pair in pairs]
        best = [min(side) for side in zip(*walls)]
        median = [statistics.median(side) for side in zip(*walls)]
        relative = abs(a["log_likelihood"] - b["log_likelihood"]) / abs(b["log_likelihood"])
        print(
            f"{kind} {n} x {cols}, K = {k}, {threads} threads: best {best[0]:.3f} s, scikit-learn {best[1]:.3f} s, {best[1] / best[0]:.1f}x; "
            f"median {median[0]:.3f} s, {median[1]:.3f} s, {median[1] / median[0]:.1f}x; CPU {a['cpu_s']:.2f} s with "
            f"reading, {b['cpu_s']:.2f} s, {b['cpu_s'] / a['cpu_s']:.1f}x; log-likelihood differs by {relative:.1g}, "
            f"{int((a['labels'] != b['labels']).sum())} labels differ",
            flush=True,
        )
