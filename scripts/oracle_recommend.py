"""Writes tests/oracle/recommend/ranking.toml with pytrec-eval (trec_eval's own arithmetic).

Run from the repository's root: python scripts/oracle_recommend.py
Needs: pytrec-eval-terrier (the version is written into the table).
"""

import importlib.metadata
import pathlib
import random

import pytrec_eval

OUT = pathlib.Path("tests/oracle/recommend/ranking.toml")
rng = random.Random(20)

cases = [
    ([0, 1, 2, 3, 4], [1, 4, 9], 5),  # two hits, one truth out of reach
    ([0, 1, 2], [7, 8], 5),  # no hit, short list
    ([3], [3], 10),  # one truth, found first, short list
    ([5, 6, 7, 8], [5, 6, 7, 8, 9, 10, 11, 12], 4),  # more truths than places
    ([9, 8, 7], [7], 3),  # found last
]
for _ in range(12):
    catalogue = list(range(30))
    rng.shuffle(catalogue)
    k = rng.choice([1, 3, 5, 10])
    cases.append((catalogue[: rng.randint(1, 15)], sorted(rng.sample(range(30), rng.randint(1, 12))), k))

lines = [
    "# Written by scripts/oracle_recommend.py; do not edit.",
    'tool = "pytrec-eval-terrier"',
    f'version = "{importlib.metadata.version("pytrec-eval-terrier")}"',
    'script = "scripts/oracle_recommend.py"',
    "rtol = 1e-9",
    "atol = 1e-12",
]
for ranked, truth, k in cases:
    qrel = {"u": {str(item): 1 for item in truth}}
    run = {"u": {str(item): float(len(ranked) - at) for at, item in enumerate(ranked)}}
    measures = {f"P.{k}", f"recall.{k}", f"success.{k}", f"ndcg_cut.{k}"}
    got = pytrec_eval.RelevanceEvaluator(qrel, measures).evaluate(run)["u"]
    precision, recall = got[f"P_{k}"], got[f"recall_{k}"]
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    lines += [
        "",
        "[[case]]",
        f"list = {ranked}",
        f"truth = {truth}",
        f"k = {k}",
        f"precision = {precision!r}",
        f"recall = {recall!r}",
        f"hit_rate = {got[f'success_{k}']!r}",
        f"ndcg = {got[f'ndcg_cut_{k}']!r}",
        f"f1 = {f1!r}",
    ]
OUT.parent.mkdir(parents=True, exist_ok=True)
OUT.write_text("\n".join(lines) + "\n")
