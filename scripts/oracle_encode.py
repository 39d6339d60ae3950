"""Writes tests/oracle/encode/*.toml: what scikit-learn answers for small corpora, and one step of skip-gram with
negative sampling by NumPy in double precision.

Run with numpy 2.4.6, scikit-learn 1.9.1:

    python scripts/oracle_encode.py
"""

import json
import pathlib

import numpy as np
import sklearn
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


def step_cases():
    rng = np.random.default_rng(3)
    for name, dim, inputs, negatives in [
        ("three distinct negatives", 5, [0], [2, 3, 4]),
        ("a negative drawn twice", 16, [0], [2, 2, 4]),
        ("a negative that is the neighbour is left out", 20, [0], [1, 3, 1]),
        ("the centre among the negatives", 33, [0], [0, 5, 2]),
        ("cbow: the mean of three tokens", 10, [0, 4, 3], [5, 2, 2]),
        ("cbow: a token twice in the window", 70, [4, 4, 2], [1, 5, 3]),
    ]:
        w = rng.normal(size=(6, dim)).astype(np.float32).astype(np.float64)
        c = rng.normal(size=(6, dim)).astype(np.float32).astype(np.float64)
        target, rate = 1, 0.03125
        after_w, after_c = w.copy(), c.copy()
        gradient = np.zeros(dim)
        hidden = w[inputs].mean(axis=0)
        for token, wanted in [(target, 1.0)] + [(t, 0.0) for t in negatives if t != target]:
            push = rate * (wanted - 1 / (1 + np.exp(-(hidden @ after_c[token]))))
            gradient += push * after_c[token]
            after_c[token] += push * hidden
        for token in inputs:
            after_w[token] += gradient
        yield {
            "name": name,
            "inputs": inputs,
            "target": target,
            "negatives": negatives,
            "learning_rate": rate,
            "input": rows(w),
            "output": rows(c),
            "input_after": rows(after_w),
            "output_after": rows(after_c),
        }


write("bag_of_events", "scikit-learn", sklearn.__version__, 0.0, 0.0, "counts are exact", bag_cases())
write("tfidf", "scikit-learn", sklearn.__version__, 1e-6, 1e-7, "embeddings are stored in f32", tfidf_cases())
write("word2vec", "NumPy", np.__version__, 1e-6, 1e-6, "training is in f32", step_cases())
