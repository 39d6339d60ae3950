"""Times gensim beside Trailmark on skip-gram over the same words, and compares what the vectors know.

    pip install gensim==4.4.0 numpy==2.4.6
    cargo build --release -p trailmark-encode --example word2vec_speed
    python scripts/peers/word2vec.py [n_tokens] [runs]

The corpus has 100 planted groups of 17 tokens; a sample leaves its group with chance 0.9 after each token. Both train with 64
dimensions, window 5 (drawn per position), 5 negatives, 5 epochs, no thinning, rate 0.025 falling to a ten-thousandth of
it (gensim: 2.5e-6). Runs alternate; the medians of words (epochs counted) per second are printed, with the lowest and
highest. Quality: of the 10 nearest tokens by cosine, the share in the same group, over all tokens.
"""

import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from gensim.models import Word2Vec

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "target" / "release" / "examples" / "word2vec_speed"
n_tokens, runs = (int(a) for a in (sys.argv[1:] + ["2000000", "5"][len(sys.argv) - 1 :])[:2])


def quality(x, groups):
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    near = x @ x.T
    np.fill_diagonal(near, -2)
    nearest = np.argpartition(-near, 10, axis=1)[:, :10]
    return (groups[nearest] == groups[:, None]).mean()


def ours(folder, *arguments):
    said = subprocess.run([PROGRAM, folder, *arguments], check=True, capture_output=True, text=True).stdout.split()
    x = np.array([line.split()[1:] for line in (folder / "vectors.txt").read_text().splitlines()], dtype=np.float32)
    return float(said[3]) / float(said[1]), x


def gensim(sentences, n_words, names, **settings):
    model = Word2Vec(vector_size=64, window=5, negative=5, min_count=1, sample=0, alpha=0.025, min_alpha=2.5e-6, seed=1, **settings)
    model.build_vocab(sentences)
    start = time.perf_counter()
    model.train(sentences, total_examples=len(sentences), epochs=5)
    seconds = time.perf_counter() - start
    return n_words / seconds, np.array([model.wv[name] for name in names])


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    subprocess.run([PROGRAM, folder, "make", str(n_tokens)], check=True)
    sentences = [line.split(" ") for line in (folder / "corpus.txt").read_text().splitlines()]
    pairs = [line.split() for line in (folder / "groups.txt").read_text().splitlines()]
    known = {token for sentence in sentences for token in sentence}
    keep = [i for i, (token, _) in enumerate(pairs) if token in known]
    names, groups = [pairs[i][0] for i in keep], np.array([int(pairs[i][1]) for i in keep])
    n_words = 5 * sum(map(len, sentences))
    arms = {
        "gensim, skip-gram, 1 worker": lambda: gensim(sentences, n_words, names, sg=1, workers=1),
        "Trailmark, skip-gram, 1 worker": lambda: ours(folder, "1"),
        "gensim, skip-gram, 2 workers": lambda: gensim(sentences, n_words, names, sg=1, workers=2),
        "Trailmark, skip-gram, 2 workers": lambda: ours(folder, "2"),
        "Trailmark, skip-gram, 2 workers, hogwild": lambda: ours(folder, "2", "hogwild"),
        "gensim, CBOW, 1 worker": lambda: gensim(sentences, n_words, names, sg=0, workers=1),
        "Trailmark, CBOW, 1 worker": lambda: ours(folder, "1", "cbow"),
        "gensim, CBOW, 2 workers": lambda: gensim(sentences, n_words, names, sg=0, workers=2),
        "Trailmark, CBOW, 2 workers": lambda: ours(folder, "2", "cbow"),
    }
    results = {arm: [] for arm in arms}
    for _ in range(runs):
        for arm, run in arms.items():
            speed, x = run()
            results[arm].append((speed, quality(x if len(x) == len(names) else x[keep], groups)))

print(f"{n_words // 5:,} tokens, {len(names):,} distinct, {runs} alternating runs")
for arm, values in results.items():
    speeds = [speed for speed, _ in values]
    print(
        f"{arm}: {statistics.median(speeds):,.0f} words/s ({min(speeds):,.0f} to {max(speeds):,.0f}), "
        f"same-group share of 10 nearest {statistics.mean(share for _, share in values):.4f}"
    )


def ratio(ours, theirs):
    return statistics.median(a[0] / b[0] for a, b in zip(results[ours], results[theirs]))


for kind in ("skip-gram, 1 worker", "skip-gram, 2 workers", "CBOW, 1 worker", "CBOW, 2 workers"):
    print(f"{kind}: {ratio(f'Trailmark, {kind}', f'gensim, {kind}'):.2f}x gensim")
for kind in ("skip-gram, 2 workers", "skip-gram, 2 workers, hogwild"):
    print(f"{kind}: {ratio(f'Trailmark, {kind}', 'Trailmark, skip-gram, 1 worker'):.2f}x one worker of ours")
