"""Times scikit-learn's TF-IDF with truncated SVD beside Trailmark's over the same texts, and compares what they keep.

    pip install scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
    cargo build --release -p trailmark-encode --example svd_speed
    python scripts/peers/svd.py [n_texts] [runs] [dim]

Character n-grams of 2 to 5 that at least two texts hold, sublinear, l2 rows; TruncatedSVD(algorithm="randomized") with
its five iterations; two threads for both. Runs alternate. Printed: seconds of the SVD alone and with TF-IDF, the
median of the ratios (above 1: Trailmark is faster), and the share of the squared length of the first thousand texts
that each projection keeps (1 keeps all; the best that so many dimensions can keep over all texts is the SVD's).
"""

import os

os.environ.update(OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2", MKL_NUM_THREADS="2")

import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "target" / "release" / "examples" / "svd_speed"
n_texts, runs, dim = (int(a) for a in (sys.argv[1:] + ["20000", "3", "128"][len(sys.argv) - 1 :])[:3])


def ours(folder):
    said = subprocess.run([PROGRAM, folder, str(dim), "2"], check=True, capture_output=True, text=True).stdout.split()
    alone, whole = map(float, said)
    return whole - alone, whole, np.loadtxt(folder / "vectors.txt")


def theirs(texts):
    start = time.perf_counter()
    x = TfidfVectorizer(analyzer="char", ngram_range=(2, 5), min_df=2, sublinear_tf=True).fit_transform(texts)
    between = time.perf_counter()
    svd = TruncatedSVD(dim, algorithm="randomized", n_iter=5, random_state=1).fit(x)
    end = time.perf_counter()
    return end - between, end - start, svd.transform(x[:1000]), x.shape


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    subprocess.run([PROGRAM, folder, "make", str(n_texts)], check=True)
    texts = (folder / "texts.txt").read_text().splitlines()
    results = []
    for _ in range(runs):
        a, b = theirs(texts), ours(folder)
        results.append((a, b))
        print(
            f"scikit-learn {a[0]:.2f} s (with TF-IDF {a[1]:.2f}), Trailmark {b[0]:.2f} s (with TF-IDF {b[1]:.2f})", flush=True
        )

(a, b) = results[-1]
print(f"{a[3][0]:,} texts x {a[3][1]:,} n-grams, {dim} dimensions, {runs} alternating runs, 2 threads")
print(f"kept: scikit-learn {np.mean((a[2] ** 2).sum(1)):.5f}, Trailmark {np.mean((b[2] ** 2).sum(1)):.5f}")
print(f"SVD: {statistics.median(a[0] / b[0] for a, b in results):.2f}x scikit-learn")
print(f"TF-IDF and SVD: {statistics.median(a[1] / b[1] for a, b in results):.2f}x scikit-learn")
