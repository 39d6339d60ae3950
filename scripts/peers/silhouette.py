"""Times scikit-learn beside Trailmark on 36 silhouettes of the same vectors, and compares the scores.

    pip install scikit-learn==1.9.1 numpy==2.4.6
    cargo build --release -p trailmark-metrics --example silhouettes
    python scripts/peers/silhouette.py [n_samples] [n_features]

Trailmark runs on one thread; scikit-learn on as many as it takes.
"""

import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from sklearn.metrics import silhouette_score

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
n, cols = (int(a) for a in (sys.argv[1:] + ["10000", "64"][len(sys.argv) - 1 :])[:2])

with tempfile.TemporaryDirectory() as folder:
    program = ROOT / "target" / "release" / "examples" / "silhouettes"
    lines = subprocess.run([program, folder, str(n), str(cols)], check=True, capture_output=True, text=True).stdout.split("\n")
    x = np.fromfile(pathlib.Path(folder) / "x.f32", dtype="<f4").reshape(n, cols)
    labels = np.fromfile(pathlib.Path(folder) / "labels.u32", dtype="<u4").reshape(-1, n)

said = [line.split() for line in lines if line]
ours = {key: float(value) for key, value in said if key != "score"}
scores = [float(value) for key, value in said if key == "score"]

start = time.perf_counter()
first = silhouette_score(x, labels[0])
one = time.perf_counter() - start
start = time.perf_counter()
peer = [silhouette_score(x, row) for row in labels]
every = time.perf_counter() - start

print(f"{n} x {cols}, one partition: {ours['one_s']:.3f} s, scikit-learn {one:.3f} s, {one / ours['one_s']:.1f}x")
print(f"{n} x {cols}, {len(peer)} partitions: {ours['all_s']:.3f} s, scikit-learn {every:.3f} s, {every / ours['all_s']:.1f}x")
print(f"largest difference of scores: {max(abs(a - b) for a, b in zip(scores, peer)):.2g}")
