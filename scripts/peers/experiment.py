"""Times a whole experiment: 3 encoders x 5 clusterers x 12 n_clusters on one fold, by Trailmark and by the plain script
that one would write with scikit-learn and gensim. Both read the same log, hold out the same share of users, make the
same number of partitions and score each with the same metrics on both sides. Trailmark also scores shuffled labels and
one cluster as controls, chooses n_clusters, and writes its store, tables, charts and report; the script does none of it.

    pip install scikit-learn==1.9.1 gensim==4.4.0 numpy==2.4.6 scipy==1.17.1
    cargo build --release
    python scripts/peers/experiment.py [n_users] [turns] [n_clusters, as 2-13 or 4,8,16]

Two threads each. The first argument defaults to 2,000 users, the second to 3 alternating turns.
"""

import csv
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
THREADS = 2


def values(text):
    if "-" in text:
        low, high = text.split("-")
        return list(range(int(low), int(high) + 1))
    return [int(value) for value in text.split(",")]


def write_log(path, n_users):
    """Six kinds of shopper, each with its own taste in events and categories, 10 to 40 events."""
    import numpy as np

    draws = np.random.default_rng(3)
    events = ["browse", "search", "click", "cart", "buy"]
    categories = [f"c{i:02d}" for i in range(24)]
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["user", "time", "event", "category", "kind"])
        tastes = [(draws.dirichlet([0.7] * len(events)), draws.dirichlet([0.4] * len(categories))) for _ in range(6)]
        for user in range(n_users):
            kind = int(draws.integers(6))
            event, category = tastes[kind]
            for step in range(int(draws.integers(10, 41))):
                row = [f"u{user:06d}", 1_700_000_000 + 60 * step]
                rows.writerow([*row, events[draws.choice(5, p=event)], categories[draws.choice(24, p=category)], f"k{kind}"])


SUITE = """schema = 1
suite = {{ name = "experiment", seed = 1 }}
split = {{ scheme = "user_kfold", folds = 5 }}
sequence = {{ form = {{ text = "{{event}} {{category}}", tokens = "{{event}}:{{category}}" }}, min_events = 1 }}
sweep.n_clusters = {n_clusters}

[[dataset]]
id = "log"
source = "log.csv"
labels = ["kind"]
columns.user = "user"
columns.event = "event"
columns.category = "category"
columns.time = {{ column = "time", format = "unix_s" }}
columns.label_columns = {{ kind = "kind" }}

[[encoder]]
id = "bag"
kind = "bag_of_events"
post = ["l2"]

[[encoder]]
id = "tfidf"
kind = "tfidf"
ngram_max = 2
svd_dim = 64
post = ["l2"]

[[encoder]]
id = "w2v"
kind = "word2vec"
dim = 64
window = 5
negative = 5
epochs = 5
post = ["l2"]

[[clusterer]]
id = "kmeans"
kind = "kmeans"

[[clusterer]]
id = "ward"
kind = "agglomerative"

[[clusterer]]
id = "average"
kind = "agglomerative"
linkage = "average"

[[clusterer]]
id = "complete"
kind = "agglomerative"
linkage = "complete"

[[clusterer]]
id = "mixture"
kind = "gaussian_mixture"

[score]
primary = "adjusted_rand_score"
metrics = [
  "adjusted_mutual_info_score", "adjusted_rand_score", "calinski_harabasz_score", "completeness_score",
  "davies_bouldin_score", "fowlkes_mallows_score", "homogeneity_score", "normalized_mutual_info_score",
  "silhouette_score",
]
"""


def peer(path, ks):
    """The plain script: fit, assign, score, one cell after the other."""
    import numpy as np
    from gensim.models import Word2Vec
    from sklearn import metrics
    from sklearn.cluster import AgglomerativeClustering, KMeans
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
    from sklearn.mixture import GaussianMixture
    from sklearn.neighbors import NearestCentroid
    from sklearn.preprocessing import normalize

    users, kinds = {}, {}
    for row in csv.DictReader(open(path)):
        users.setdefault(row["user"], []).append(f"{row['event']}:{row['category']}")
        kinds[row["user"]] = row["kind"]
    names = sorted(users)
    np.random.default_rng(0).shuffle(names)
    cut = len(names) // 5
    sides = {"test": names[:cut], "train": names[cut:]}
    truth = {side: [kinds[name] for name in chosen] for side, chosen in sides.items()}
    docs = {side: [users[name] for name in chosen] for side, chosen in sides.items()}

    def same(tokens):
        return tokens

    def bag():
        counts = CountVectorizer(analyzer=same)
        return counts.fit_transform(docs["train"]).toarray(), counts.transform(docs["test"]).toarray()

    def tfidf():
        grams = [[t for t in doc] + [" ".join(p) for p in zip(doc, doc[1:])] for doc in docs["train"]]
        new = [[t for t in doc] + [" ".join(p) for p in zip(doc, doc[1:])] for doc in docs["test"]]
        weights, svd = TfidfVectorizer(analyzer=same), TruncatedSVD(64, random_state=0)
        return svd.fit_transform(weights.fit_transform(grams)), svd.transform(weights.transform(new))

    def w2v():
        model = Word2Vec(docs["train"], vector_size=64, window=5, negative=5, epochs=5, min_count=1, sg=1, workers=THREADS)

        def mean(side):
            rows = [[model.wv[t] for t in doc if t in model.wv] for doc in docs[side]]
            return np.array([np.mean(row, axis=0) if row else np.zeros(64) for row in rows])

        return mean("train"), mean("test")

    clusterers = {
        "kmeans": lambda k: KMeans(k, n_init=10, random_state=0),
        "ward": lambda k: AgglomerativeClustering(k),
        "average": lambda k: AgglomerativeClustering(k, linkage="average"),
        "complete": lambda k: AgglomerativeClustering(k, linkage="complete"),
        "mixture": lambda k: GaussianMixture(k, random_state=0),
    }
    inside = [metrics.silhouette_score, metrics.calinski_harabasz_score, metrics.davies_bouldin_score]
    against = [
        metrics.adjusted_rand_score,
        metrics.adjusted_mutual_info_score,
        metrics.normalized_mutual_info_score,
        metrics.homogeneity_score,
        metrics.completeness_score,
        metrics.fowlkes_mallows_score,
    ]
    n_scores, spent = 0, {}
    for encode in (bag, tfidf, w2v):
        start = time.perf_counter()
        x = {side: normalize(rows).astype(np.float32) for side, rows in zip(("train", "test"), encode())}
        spent["encode"] = spent.get("encode", 0) + time.perf_counter() - start
        for name, make in clusterers.items():
            for k in ks:
                start = time.perf_counter()
                model = make(k)
                labels = {"train": model.fit_predict(x["train"])}
                # Agglomerative clustering has no rule for new rows; the nearest centroid is what scripts take.
                rule = model if hasattr(model, "predict") else NearestCentroid().fit(x["train"], labels["train"])
                labels["test"] = rule.predict(x["test"])
                spent[name] = spent.get(name, 0) + time.perf_counter() - start
                start = time.perf_counter()
                for side in ("train", "test"):
                    found = len(set(labels[side]))
                    if 2 <= found < len(labels[side]):
                        n_scores += sum(score(x[side], labels[side]) is not None for score in inside)
                    n_scores += sum(score(truth[side], labels[side]) is not None for score in against)
                spent["score"] = spent.get("score", 0) + time.perf_counter() - start
    print(f"    {n_scores} scores; " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in spent.items()))


def main():
    n_users = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    ks = values(sys.argv[3] if len(sys.argv) > 3 else "2-13")
    env = {**os.environ, "OMP_NUM_THREADS": str(THREADS), "OPENBLAS_NUM_THREADS": str(THREADS)}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        write_log(folder / "log.csv", n_users)
        (folder / "experiment.toml").write_text(SUITE.format(n_clusters=ks))
        trailmark = [str(ROOT / "target" / "release" / "trailmark"), "run", "experiment.toml", "-f", "fold=0", "-j", str(THREADS)]
        plain = [sys.executable, __file__, "--peer", str(folder / "log.csv"), ",".join(map(str, ks))]
        seconds = {"trailmark": [], "plain script": []}
        for turn in range(turns):
            for name, command in (("trailmark", trailmark), ("plain script", plain)):
                for left in ("runs", ".trailmark"):
                    shutil.rmtree(folder / left, ignore_errors=True)
                start = time.perf_counter()
                done = subprocess.run(command, cwd=folder, env={**env, "TRAILMARK_STORE": str(folder / ".trailmark")}, capture_output=name == "trailmark", text=True)
                spent = time.perf_counter() - start
                if done.returncode != 0:
                    sys.exit(f"{name} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
                seconds[name].append(spent)
                print(f"turn {turn + 1}: {name} {spent:.2f} s", flush=True)
    ours, theirs = (statistics.median(seconds[name]) for name in ("trailmark", "plain script"))
    print(f"{n_users} users, n_clusters {ks}: {ours:.2f} s, plain script {theirs:.2f} s, {theirs / ours:.1f}x")


if sys.argv[1:2] == ["--peer"]:
    peer(sys.argv[2], values(sys.argv[3]))
else:
    main()
