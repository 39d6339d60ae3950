"""Writes tests/oracle/encode/*.toml: what scikit-learn, SciPy and the authors' sgt answer for small corpora, and by
NumPy in double precision what no library offers: steps of word2vec and GloVe, transition matrices, pooled word vectors.

Run with numpy 2.4.6, pandas 3.1.1, scipy 1.17.1, scikit-learn 1.9.1, sgt 2.0.3 (pip install sgt --no-deps):

    python scripts/oracle_encode.py
"""

import json
import pathlib
import re

import numpy as np
import pandas as pd
import scipy
import sklearn
from importlib.metadata import version
from scipy.stats import entropy
from sgt import SGT
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

ROOT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "oracle" / "encode"


def value(x):
    if isinstance(x, str):
        return json.dumps(x, ensure_ascii=False)
    if isinstance(x, (bool, np.bool_)):
        return "true" if x else "false"
    if isinstance(x, (int, np.integer)):
        return str(int(x))
    if isinstance(x, (float, np.floating)):
        return repr(float(x))
    return "[" + ", ".join(value(v) for v in x) + "]"


def write(name, tool, version, rtol, atol, reason, cases):
    lines = [
        f'tool = "{tool}"',
        f'version = "{version}"',
        'script = "scripts/oracle_encode.py"',
        f"rtol = {rtol!r}",
        f"atol = {atol!r}",
        f'tolerance_reason = "{reason}"',
    ]
    for case in cases:
        lines += ["", "[[case]]"] + [f"{key} = {value(v)}" for key, v in case.items()]
    ROOT.mkdir(parents=True, exist_ok=True)
    (ROOT / f"{name}.toml").write_text("\n".join(lines) + "\n")


def corpora():
    yield (
        "a small shop",
        [
            ["view:shoes", "view:shoes", "cart:shoes", "buy:shoes"],
            ["search", "view:hats", "view:shoes"],
            ["view:hats", "cart:hats", "view:hats", "buy:hats"],
            ["search", "search", "view:coats"],
            ["view:coats"],
        ],
        [["view:shoes", "buy:hats", "never seen"], ["search"], ["never seen"]],
    )
    yield (
        "one sample, one token",
        [["view"]],
        [["view", "view"], ["buy"]],
    )
    yield (
        "names of two scripts, with an empty history",
        [["浏览", "加购", "Buy"], [], ["buy", "浏览", "浏览"]],
        [["加购", "Buy", "buy"], []],
    )
    rng = np.random.default_rng(7)
    names = [f"item{i:02d}" for i in range(30)]
    popularity = 1 / np.arange(1, 31)
    popularity /= popularity.sum()
    docs = [list(rng.choice(names, size=rng.integers(1, 25), p=popularity)) for _ in range(36)]
    yield "power-law items", docs[:30], docs[30:]


def vectoriser(kind, **options):
    # Tokens may hold blanks, so n-grams are made here; joined by a character that sorts before every other.
    low, high = options.pop("ngram_range", (1, 1))

    def grams(tokens):
        return ["\x00".join(tokens[i : i + n]) for n in range(low, high + 1) for i in range(len(tokens) - n + 1)]

    return kind(analyzer=grams, dtype=np.float64 if kind is TfidfVectorizer else np.int64, **options)


def rows(x):
    return [list(row) for row in np.asarray(x)]


def bag_cases():
    for name, train, test in corpora():
        for min_df in (1, 2):
            if min_df == 2 and len(train) < 2:
                continue
            v = vectoriser(CountVectorizer, min_df=min_df).fit(train)
            yield {
                "name": name,
                "train": train,
                "test": test,
                "min_df": min_df,
                "train_x": rows(v.transform(train).toarray()),
                "test_x": rows(v.transform(test).toarray()),
            }


def sign_of(components):
    """scikit-learn makes the entry of largest absolute value positive; where several are equal, rounding chooses one.
    Here it is the first."""
    first = [np.argmax(np.abs(v) >= np.abs(v).max() * (1 - 1e-9)) for v in components]
    return np.sign([v[at] for v, at in zip(components, first)])


def tfidf_cases():
    variants = [
        {},
        {"sublinear_tf": True},
        {"smooth_idf": False},
        {"norm": None},
        {"ngram_range": (1, 2)},
        {"ngram_range": (2, 3), "sublinear_tf": True},
        {"min_df": 2},
    ]
    for name, train, test in corpora():
        for variant in variants:
            try:
                v = vectoriser(TfidfVectorizer, **variant).fit(train)
            except ValueError:
                continue  # no n-gram is left: ours refuses too
            x = v.transform(train)
            if name == "power-law items" and variant.get("ngram_range", (1, 1))[1] > 1:
                continue  # hundreds of columns say nothing new
            low, high = variant.get("ngram_range", (1, 1))
            case = {
                "name": name,
                "train": train,
                "test": test,
                "ngram_min": low,
                "ngram_max": high,
                "min_df": variant.get("min_df", 1),
                "sublinear_tf": variant.get("sublinear_tf", False),
                "smooth_idf": variant.get("smooth_idf", True),
                "norm": variant.get("norm", "l2") is not None,
            }
            yield case | {"train_x": rows(x.toarray()), "test_x": rows(v.transform(test).toarray())}
            dim = 4 if name == "power-law items" else 2
            if min(x.shape) > dim:
                svd = TruncatedSVD(dim, algorithm="arpack", random_state=0).fit(x)
                s = svd.singular_values_
                exact = np.linalg.svd(x.toarray(), compute_uv=False)
                if np.min(exact[:dim] - exact[1 : dim + 1]) < 1e-3 or s[-1] < 1e-6:
                    continue  # equal singular values: any rotation is as good
                signs = sign_of(svd.components_)
                yield case | {
                    "svd_dim": dim,
                    "train_x": rows(svd.transform(x) * signs),
                    "test_x": rows(svd.transform(v.transform(test)) * signs),
                }


def text_cases():
    english = [
        "View shoes, view SHOES again; cart shoes.",
        "search hats  and\n\ncoats",
        "I paid 12 usd for hats, not coats!",
        "a view of it",
    ]
    chinese = ["手机很好,屏幕也好", "酒店的 房间很干净", "手机 屏幕碎了", "水果新鲜,  很甜"]
    for name, train, test in [
        ("English", english, ["shoes of nobody", "x y", "HATS hats cart"]),
        ("Chinese", chinese, ["手机壳很好", "abc", "房间\t新鲜"]),
    ]:
        for analyzer, low, high in [("words", 1, 1), ("words", 1, 2), ("characters", 1, 1), ("characters", 1, 2), ("characters", 3, 3)]:
            v = TfidfVectorizer(
                analyzer={"words": "word", "characters": "char"}[analyzer], ngram_range=(low, high), dtype=np.float64
            ).fit(train)
            yield {
                "name": f"{name}, {analyzer}",
                "analyzer": analyzer,
                "train_texts": train,
                "test_texts": test,
                "ngram_min": low,
                "ngram_max": high,
                "train_x": rows(v.transform(train).toarray()),
                "test_x": rows(v.transform(test).toarray()),
            }


def alphabet(train, most):
    df = {}
    for document in train:
        for token in set(document):
            df[token] = df.get(token, 0) + 1
    return sorted(sorted(df, key=lambda token: (-df[token], token))[:most])


def pair_corpora():
    for name, train, test in corpora():
        yield name, train, test, 4 if name == "power-law items" else 64


def transition_cases():
    def transform(document, known, smoothing):
        if not any(token in known for token in document):
            return [0.0] * len(known) ** 2
        counts = np.full((len(known), len(known)), smoothing)
        for a, b in zip(document, document[1:]):
            if a in known and b in known:
                counts[known.index(a), known.index(b)] += 1
        total = counts.sum(axis=1, keepdims=True)
        return (counts / np.where(total == 0, 1, total)).ravel()

    for name, train, test, most in pair_corpora():
        known = alphabet(train, most)
        for smoothing in (0.0, 1.0):
            yield {
                "name": name,
                "train": train,
                "test": test,
                "smoothing": smoothing,
                "max_tokens": most,
                "train_x": rows([transform(d, known, smoothing) for d in train]),
                "test_x": rows([transform(d, known, smoothing) for d in test]),
            }


def sgt_cases():
    for name, train, test, most in pair_corpora():
        known = alphabet(train, most)
        for kappa, sensitive in [(1.0, False), (1.0, True), (5.0, False), (0.3, True)]:
            # Unknown tokens keep their place: sgt knows them and their pairs are left out afterwards.
            every = sorted({token for document in train + test for token in document})

            def transform(document):
                if not document:
                    return [0.0] * len(known) ** 2
                full = SGT(alphabets=every, kappa=kappa, lengthsensitive=sensitive, flatten=False, mode="default").fit(list(document))
                return np.asarray(full.loc[known, known], dtype=float).ravel()

            yield {
                "name": name,
                "train": train,
                "test": test,
                "kappa": kappa,
                "length_sensitive": sensitive,
                "max_tokens": most,
                "train_x": rows([transform(d) for d in train]),
                "test_x": rows([transform(d) for d in test]),
            }


def behaviour_cases():
    def shares(tokens, names):
        return np.array([tokens.count(name) for name in names]) / max(len(tokens), 1)

    def transform(tokens):
        n = len(tokens)
        if n == 0:
            return [0.0] * 14
        names, counts = np.unique(tokens, return_counts=True)
        names, d = list(names), len(names)
        pairs = list(zip(tokens, tokens[1:]))
        h = entropy(counts)
        conditional = 0.0
        for name in sorted(set(tokens[:-1])):
            after = [b for a, b in pairs if a == name]
            conditional += len(after) / len(pairs) * entropy(np.unique(after, return_counts=True)[1])
        runs, run = [1], 1
        for a, b in pairs:
            run = run + 1 if a == b else 1
            runs.append(run)
        gaps = []
        for at, token in enumerate(tokens):
            before = [i for i in range(at) if tokens[i] == token]
            gaps += [np.log(at - before[-1])] if before else []
        drift = np.abs(shares(tokens[: n // 2], names) - shares(tokens[n // 2 :], names)).sum() / 2 if n > 1 else 0.0
        steps = max(n - 1, 1)
        return [
            np.log(1 + n),
            np.log(1 + d),
            d / n,
            h,
            h / np.log(d) if d > 1 else 0.0,
            counts.max() / n,
            np.mean(counts == 1),
            sum(a == b for a, b in pairs) / steps,
            len(set(pairs)) / steps,
            conditional,
            max(runs) / n,
            np.mean(gaps) if gaps else 0.0,
            drift,
            np.log(1 + len(" ".join(tokens)) / n),
        ]

    for name, train, test in corpora():
        # No events: features of tokens alone.
        yield {"name": name, "train": train, "test": test, "train_x": rows([transform(list(map(str, d))) for d in train]), "test_x": rows([transform(list(map(str, d))) for d in test])}


COLUMNS = ["time", "kind", "item", "category", "price", "value"]


def histories(rng, n, clock, kinds, columns, start):
    """Frames of events; absent numbers are -1 (item, category) or NaN (price, value)."""
    for _ in range(n):
        size = int(rng.choice([1, 2, 3, 8, 20]))
        gaps = rng.choice([0, 40, 900, 1800, 1801, 7000, 90_000], size).cumsum() * 1000 + rng.integers(0, 3, size).cumsum()
        time = start + int(rng.integers(0, 9 * 86_400)) * 1000 + gaps
        if clock == "days":
            time = time // 86_400_000 * 86_400_000
        frame = pd.DataFrame({"time": 0 if clock == "none" else time, "kind": rng.choice(kinds, size)})
        item = rng.integers(-1, 6, size) if "item" in columns else np.full(size, -1)
        frame["item"], frame["category"] = item, np.where(item < 0, -1, item // 2) if "category" in columns else -1
        price = np.where(item < 0, np.nan, np.float32(3.99) * (1 + item)) if "price" in columns else np.nan
        frame["price"] = np.asarray(price, np.float32) * np.ones(size, np.float32)
        frame["value"] = np.where(rng.random(size) < 0.7, rng.integers(1, 6, size), np.nan) if "value" in columns else np.nan
        yield frame


def event_features(frame, clock, kinds, present, last):
    """The documented list, by pandas."""
    out = []
    time = pd.to_datetime(frame.time, unit="ms", utc=True)
    gap = time.diff().dt.total_seconds().dropna()
    log_gap, n, half = np.log1p(gap), len(frame), len(gap) // 2
    if clock != "none":
        m, s = (gap.mean(), gap.std(ddof=0)) if n > 1 else (0.0, 0.0)
        steady = gap.iloc[:-1].nunique() < 2 or gap.iloc[1:].nunique() < 2
        days = time.dt.floor("D")
        out += [
            np.log1p((time.iloc[-1] - time.iloc[0]).total_seconds()),
            log_gap.mean() if n > 1 else 0.0,
            log_gap.std(ddof=0) if n > 1 else 0.0,
            s / m if m > 0 else 0.0,
            (s - m) / (s + m) if m > 0 else 0.0,
            0.0 if steady else np.corrcoef(gap.iloc[:-1], gap.iloc[1:])[0, 1],
            log_gap.iloc[half:].mean() - log_gap.iloc[:half].mean() if half else 0.0,
            days.nunique() / ((days.iloc[-1] - days.iloc[0]).days + 1),
            (time.dt.day_of_week >= 5).mean(),
            np.log1p(max((last - frame.time.iloc[-1]) / 86_400_000, 0.0)),
        ]
    if clock == "instants":
        angle = 2j * np.pi * (time - time.dt.floor("D")).dt.total_seconds() / 86_400
        mean = np.exp(angle.to_numpy()).mean()
        session = (time.diff().dt.total_seconds() > 1800).cumsum()
        spans = frame.time.groupby(session).agg(lambda t: (t.iloc[-1] - t.iloc[0]) / 1000)
        out += [mean.imag, mean.real, abs(mean), len(spans) / n, np.log1p(spans.mean())]
    out += [(frame.kind == kind).mean() for kind in kinds]
    if "category" in present:
        counts = frame.category[frame.category >= 0].value_counts()
        out += [entropy(counts), counts.max() / counts.sum()] if len(counts) else [0.0, 0.0]
    if "item" in present:
        items = frame.item[frame.item >= 0]
        shares = items.value_counts(normalize=True)
        stays = (items.to_numpy()[1:] == items.to_numpy()[:-1]).mean() if len(items) > 1 else 0.0
        out += [len(items) / n, *([items.nunique() / len(items), shares.max(), stays] if len(items) else [0.0] * 3)]
    if "price" in present:
        price = np.log1p(frame.price.astype(float).dropna())
        out += [price.mean(), price.std(ddof=0)] if len(price) else [0.0, 0.0]
    if "value" in present:
        value = frame["value"].astype(float).dropna()
        out += [value.mean(), value.std(ddof=0)] if len(value) else [0.0, 0.0]
    return [float(x) for x in out]


def event_cases():
    rng = np.random.default_rng(8)
    shop = ["view", "cart", "buy", "search"]
    every = COLUMNS[2:]
    inputs = [
        ("a shop with instants", "instants", shop, every, 1_700_000_000_000),
        ("before 1970", "instants", shop, [], -90_000_000_000),
        ("times are days, no price", "days", shop, ["item", "category"], 1_400_000_000_000),
        ("ratings without a clock, one kind", "none", ["rate"], ["item", "value"], 0),
        ("more kinds than columns", "instants", [f"k{i:02}" for i in range(26)], [], 1_600_000_000_000),
    ]
    for name, clock, kinds, present, start in inputs:
        train = list(histories(rng, 12, clock, kinds, present, start))
        # Later than training, with a kind it has not.
        test = list(histories(rng, 5, clock, [*kinds, "new"], present, start + 12 * 86_400_000))
        seen = pd.concat(train)
        counts = seen.kind.value_counts().rename_axis("kind").reset_index(name="n")
        top = sorted(counts.sort_values(["n", "kind"], ascending=[False, True]).kind[:20])
        top = top if len(top) > 1 else []
        assert ("more kinds" in name) == (len(counts) > 20) and all(seen[c].max() > 0 for c in present)
        case = {"name": name, "clock": clock}
        for part, frames in (("train", train), ("test", test)):
            case |= {f"{part}_{c}": [f[c].tolist() for f in frames] for c in COLUMNS}
            case[f"{part}_expected"] = rows([event_features(f, clock, top, present, seen.time.max()) for f in frames])
        yield case


def length_cases():
    for name, train, test in corpora():
        yield {"name": name, "train": train, "test": test, "train_x": [[np.log(1 + len(d))] for d in train], "test_x": [[np.log(1 + len(d))] for d in test]}


def step_cases():
    rng = np.random.default_rng(3)
    for name, dim, joined, inputs, negatives in [
        ("three distinct negatives", 5, False, [0], [2, 3, 4]),
        ("a negative drawn twice", 16, False, [0], [2, 2, 4]),
        ("a negative that is the target is left out", 20, False, [0], [1, 3, 1]),
        ("an input among the negatives", 33, False, [0], [0, 5, 2]),
        ("three neighbours share their negatives", 70, False, [0, 4, 3], [5, 2, 2]),
        ("a neighbour twice in the window", 130, False, [4, 4, 2, 0, 4], [3, 5, 3, 0, 2, 4, 5, 1, 0]),
        ("cbow: the mean of three tokens", 10, True, [0, 4, 3], [5, 2, 2]),
        ("cbow: a token twice in the window", 70, True, [4, 4, 2], [1, 5, 3]),
    ]:
        w = rng.normal(size=(6, dim)).astype(np.float32).astype(np.float64)
        c = rng.normal(size=(6, dim)).astype(np.float32).astype(np.float64)
        target, rate = 1, 0.03125
        after_w, after_c = w.copy(), c.copy()
        hidden = w[inputs].mean(axis=0, keepdims=True) if joined else w[inputs]
        gradient = np.zeros_like(hidden)
        for token, wanted in [(target, 1.0)] + [(t, 0.0) for t in negatives if t != target]:
            push = rate * (wanted - 1 / (1 + np.exp(-(hidden @ after_c[token]))))
            gradient += np.outer(push, after_c[token])
            after_c[token] += push @ hidden
        for i, token in enumerate(inputs):
            after_w[token] += gradient[0 if joined else i]
        yield {
            "name": name,
            "joined": joined,
            "inputs": inputs,
            "target": target,
            "negatives": negatives,
            "learning_rate": rate,
            "input": rows(w),
            "output": rows(c),
            "input_after": rows(after_w),
            "output_after": rows(after_c),
        }


def glove_cases():
    rng = np.random.default_rng(5)
    sequences = [[0, 1, 2, 1, 3, 0], [2, 2, 2], [4], [3, 1, 4, 0, 0, 2, 1]]
    for window, symmetric, weighted in [(2, True, True), (3, False, True), (10, True, False)]:
        counts = np.zeros((5, 5))
        for tokens in sequences:
            for i, a in enumerate(tokens):
                for j in range(max(0, i - window), i):
                    counts[a, tokens[j]] += 1 / (i - j) if weighted else 1
                    if symmetric:
                        counts[tokens[j], a] += 1 / (i - j) if weighted else 1
        yield {
            "name": f"window {window}",
            "sequences": sequences,
            "n_tokens": 5,
            "window": window,
            "symmetric": symmetric,
            "distance_weighting": weighted,
            "cells": [[int(i), int(j), counts[i, j]] for i, j in np.argwhere(counts > 0)],
        }
    for dim in (3, 16, 40):
        w, c = rng.normal(size=(2, 4, dim)).astype(np.float32).astype(np.float64)
        bw, bc = rng.normal(size=(2, 4)).astype(np.float32).astype(np.float64)
        steps = [[int(i), int(j), float(np.float32(np.log(x))), float(np.float32(min(x / 10, 1) ** 0.75))] for i, j, x in [(0, 1, 0.5), (1, 0, 7.0), (2, 2, 40.0), (0, 3, 1.0), (0, 1, 0.5)]]
        case = {"name": f"{dim} dimensions", "tokens": rows(w), "contexts": rows(c), "tokens_bias": bw.copy(), "contexts_bias": bc.copy(), "steps": steps, "learning_rate": 0.05}
        gw, gc, gbw, gbc = np.ones_like(w), np.ones_like(c), np.ones(4), np.ones(4)
        for i, j, log_x, weight in steps:
            push = weight * (w[i] @ c[j] + bw[i] + bc[j] - log_x) * 0.05
            to_w, to_c = push * c[j], push * w[i]
            w[i] -= to_w / np.sqrt(gw[i])
            c[j] -= to_c / np.sqrt(gc[j])
            gw[i] += to_w**2
            gc[j] += to_c**2
            bw[i] -= push / np.sqrt(gbw[i])
            bc[j] -= push / np.sqrt(gbc[j])
            gbw[i] += push**2
            gbc[j] += push**2
        yield case | {"tokens_after": rows(w), "contexts_after": rows(c), "tokens_bias_after": bw, "contexts_bias_after": bc}


def fusion_parts():
    draws = np.random.default_rng(11)
    return [np.round(draws.normal(size=(4, width)), 3).astype(np.float32).astype(float) for width in (3, 3, 1)]


def concatenation_cases():
    parts = fusion_parts()
    return [
        {"name": name, "parts": [part.tolist() for part in chosen], "expected": np.concatenate(chosen, axis=1).tolist()}
        for name, chosen in [("two parts", parts[:2]), ("three parts of two widths", parts)]
    ]


def weighted_sum_cases():
    z, x = fusion_parts()[:2]
    return [
        {
            "name": f"alpha {alpha}, beta {beta}",
            "alpha": alpha,
            "beta": beta,
            "parts": [z.tolist(), x.tolist()],
            "expected": ((alpha * z + (1 - alpha) * x) / beta).tolist(),
        }
        for alpha, beta in [(0.5, 1.0), (0.3, 2.0), (1.0, 1.0), (0.0, 0.25)]
    ]


def word_vector_cases():
    rng = np.random.default_rng(6)
    names = ["the", "of", "red", "shoes", "hats", "iPhone", "buy", "12", "手机", "手", "手机壳", "很", "好", "屏幕"]
    table = {name: rng.normal(size=5).round(4) for name in names}
    file = "".join(name + " " + " ".join(map(repr, map(float, v))) + "\n" for name, v in table.items())
    train = ["Buy the red SHOES!", "the hats of the 12", "手机壳很好", "I buy: hats,shoes;hats", "iPhone屏幕 好 IPHONE"]
    test = ["red red unknown", "nothing here", "手机坏好buy手", ""]

    def split(text):
        for part in re.findall(r"[\u4e00-\u9fff]+|[^\W_\u4e00-\u9fff]+", text):
            if "\u4e00" <= part[0] <= "\u9fff":
                while part:
                    size = next((k for k in range(3, 0, -1) if part[:k] in table and len(part) >= k), 0)
                    if size:
                        yield part[:size]
                    part = part[max(size, 1) :]
            elif part in table or part.lower() in table:
                yield part if part in table else part.lower()

    samples = [list(split(text)) for text in train + test]
    n = len(train)
    for pooling in ("mean", "idf", "sif"):
        a = 0.1
        counts = {name: sum(s.count(name) for s in samples[:n]) for name in names}
        total = sum(counts.values())
        weight = {
            "mean": lambda w: 1.0,
            "idf": lambda w: np.log((1 + n) / (1 + sum(w in s for s in samples[:n]))) + 1,
            "sif": lambda w: a / (a + counts[w] / total),
        }[pooling]
        x = np.zeros((len(samples), 5))
        for i, sample in enumerate(samples):
            if sample:
                w = np.array([weight(word) for word in sample])
                x[i] = w @ np.array([table[word] for word in sample]) / (w.sum() if pooling == "idf" else len(sample))
        if pooling == "sif":
            u = np.linalg.svd(x[:n])[2][0]
            x -= np.outer(x @ u, u)
        yield {"name": pooling, "file": file, "train_texts": train, "test_texts": test, "pooling": pooling, "sif_a": a, "x": rows(x)}


write("bag_of_events", "scikit-learn", sklearn.__version__, 0.0, 0.0, "counts are exact", bag_cases())
stored = "embeddings are stored in f32"
write("behaviour_features", "SciPy", scipy.__version__, 1e-6, 1e-6, stored, [*behaviour_cases(), *event_cases()])
write("glove", "NumPy", np.__version__, 1e-5, 1e-6, "training is in f32", glove_cases())
write("length_only", "NumPy", np.__version__, 1e-6, 1e-7, stored, length_cases())
write("sgt", "sgt", version("sgt"), 1e-6, 1e-7, stored, sgt_cases())
write("tfidf", "scikit-learn", sklearn.__version__, 1e-6, 1e-7, stored, [*tfidf_cases(), *text_cases()])
write("transition_matrix", "NumPy", np.__version__, 1e-6, 1e-7, stored, transition_cases())
write("word2vec", "NumPy", np.__version__, 1e-6, 1e-6, "training is in f32", step_cases())
write("word_vectors", "NumPy", np.__version__, 1e-5, 1e-6, stored, word_vector_cases())
write("concatenation", "NumPy", np.__version__, 0.0, 0.0, "values are copied", concatenation_cases())
write("weighted_sum", "NumPy", np.__version__, 1e-6, 1e-7, stored, weighted_sum_cases())
