"""Writes tests/oracle/stats/*.toml: what scipy and statsmodels say.

Needs python 3.11, numpy 2.4.6, scipy 1.17.1, statsmodels 0.15.0. Run it from anywhere; it writes beside itself.
"""

import math
from pathlib import Path

import numpy as np
import scipy
import statsmodels
from scipy import special, stats
from scipy.stats import _resampling
from statsmodels.stats.multitest import multipletests

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "tests" / "oracle" / "stats"


def value(v):
    if isinstance(v, str):
        return f'"{v}"'
    if isinstance(v, (list, tuple, np.ndarray)):
        return "[" + ", ".join(value(x) for x in v) + "]"
    if isinstance(v, (int, np.integer)):
        return str(int(v))
    return repr(float(v))


def write(name, tool, version, cases, rtol=1e-9, atol=1e-12, reason=None):
    OUT.mkdir(parents=True, exist_ok=True)
    lines = [f'tool = "{tool}"', f'version = "{version}"', 'script = "scripts/oracle_stats.py"', f"rtol = {rtol}", f"atol = {atol}"]
    if reason:
        lines.append(f'tolerance_reason = "{reason}"')
    for case in cases:
        lines += ["", "[[case]]"] + [f"{key} = {value(v)}" for key, v in case.items()]
    (OUT / f"{name}.toml").write_text("\n".join(lines) + "\n")


def splitmix(state):
    mask = (1 << 64) - 1
    while True:
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        yield z ^ (z >> 31)


def below(n, bits):
    threshold = (1 << 64) % n
    while True:
        wide = next(bits) * n
        if wide & ((1 << 64) - 1) >= threshold:
            return wide >> 64


def corrected_resampled_t():
    """t of Nadeau and Bengio; ratios of 0 are scipy's ttest_1samp."""
    rng = np.random.default_rng(1)
    pub10 = [0.021, 0.013, 0.034, -0.002, 0.017]
    inputs = [
        ("pub-10, plain", pub10, [0.0] * 5, 0.95),
        ("pub-10, corrected", pub10, [0.25] * 5, 0.95),
        ("pub-10, 99 %", pub10, [0.25] * 5, 0.99),
        ("unequal folds", pub10, [0.25, 0.3, 0.2, 0.24, 0.26], 0.95),
        ("two folds", [0.1, 0.3], [1.0, 1.0], 0.95),
        ("four folds, negative", [-0.1, -0.3, -0.2, 0.05], [1 / 3] * 4, 0.95),
        ("far tail", [1.0, 1.001, 0.999, 1.0005, 0.9995, 1.0002], [0.2] * 6, 0.95),
        ("10 x 10", rng.normal(0.01, 0.05, 100).round(6).tolist(), [1 / 9] * 100, 0.95),
    ]
    cases = []
    for name, d, ratios, level in inputs:
        x, n = np.array(d), len(d)
        se = x.std(ddof=1) * math.sqrt(1 / n + np.mean(ratios))
        t = x.mean() / se
        p = 2 * stats.t.sf(abs(t), n - 1)
        if not any(ratios):
            assert np.allclose([t, p], stats.ttest_1samp(x, 0), rtol=1e-12)
        half = stats.t.ppf(0.5 + level / 2, n - 1) * se
        cases.append(dict(name=name, differences=d, ratios=ratios, level=level, t=t, df=n - 1, p=p, low=x.mean() - half, high=x.mean() + half))
    assert abs(cases[0]["t"] - 2.844367883259) < 1e-9 and abs(cases[0]["p"] - 0.046660860226) < 1e-9
    assert abs(cases[1]["t"] - 1.896245255506) < 1e-9 and abs(cases[1]["p"] - 0.130804243028) < 1e-9
    write("corrected_resampled_t", "scipy", scipy.__version__, cases)


def bootstrap():
    """scipy's own BCa step, on resamples drawn by the stream that the Rust test uses."""
    rng = np.random.default_rng(2)
    inputs = [
        ("near normal", rng.normal(0.02, 0.1, 40).round(6), 11, 1000, 0.95),
        ("skewed", rng.exponential(1.0, 60).round(6), 12, 2000, 0.95),
        ("many zeros", np.where(rng.random(80) < 0.7, 0.0, rng.choice([-1.0, 1.0, 0.5], 80)), 13, 1000, 0.9),
        ("two values", np.array([0.0, 1.0]), 14, 1000, 0.95),
    ]
    cases = []
    for name, x, seed, resamples, level in inputs:
        bits, n = splitmix(seed), len(x)
        means = np.empty(resamples)
        for b in range(resamples):
            total = 0.0
            for _ in range(n):
                total += x[below(n, bits)]
            means[b] = total / n

        def mean(sample, axis=-1):
            # Summed in order, as the resamples were: a pairwise mean can miss a tie in the last bit.
            return np.cumsum(sample, axis=axis).take(-1, axis=axis) / sample.shape[axis]

        alpha = (1 - level) / 2
        low, high, a = _resampling._bca_interval((x,), mean, -1, alpha, means, None, np)
        z0 = special.ndtri(_resampling._percentile_of_score(means, mean(x)[None], -1, np))
        ends = np.percentile(means, [100 * float(low), 100 * float(high)])
        cases.append(dict(name=name, differences=x, seed=seed, resamples=resamples, level=level, z0=float(np.squeeze(z0)), acceleration=float(np.squeeze(a)), low=ends[0], high=ends[1]))
    write("bootstrap", "scipy", scipy.__version__, cases)


def sign_flip():
    rng = np.random.default_rng(3)
    inputs = [
        ("pub-07", [3, -1, 4, 2, 6, 5]),
        ("all one sign", [1.0, 2.0, 3.0, 4.0, 5.0]),
        ("ties", [1, 1, -1, 1, 1, -1, 1, 1]),
        ("mean of zero", [1, -1, 2, -2]),
        ("two", [0.5, 0.25]),
        ("sixteen", rng.normal(0.3, 1, 16).round(4).tolist()),
        ("twenty", rng.normal(0.5, 1, 20).round(4).tolist()),
    ]
    cases = []
    for name, d in inputs:
        x = np.array(d, float)
        result = stats.permutation_test((x,), lambda s, axis=-1: s.mean(axis=axis), permutation_type="samples", n_resamples=np.inf, vectorized=True)
        cases.append(dict(name=name, differences=d, p=result.pvalue))
    write("sign_flip", "scipy", scipy.__version__, cases)


def wilcoxon():
    rng = np.random.default_rng(4)
    inputs = [
        ("pub-07", [3, -1, 4, 2, 6, 5]),
        ("smallest p of five", [1, 2, 3, 4, 5]),
        ("ties", [1, 1, -1, 2, 2, -3, 4]),
        ("zeros and ties", [0, 0, 1, -1, 2, 2, 3, -0.5]),
        ("pub-17", [1, -1, 3, 1]),
        ("two", [1, 2]),
        ("untied thirty", rng.normal(0.2, 1, 30).round(6).tolist()),
        ("untied fifty", rng.normal(-0.1, 1, 50).round(6).tolist()),
        ("many tied", rng.integers(-3, 5, 14).tolist()),
        ("above the exact limit", rng.integers(-40, 45, 400).tolist()),
    ]
    cases = []
    for name, d in inputs:
        x = np.array(d, float)
        nonzero = x[x != 0]
        tied = len(np.unique(np.abs(nonzero))) < len(nonzero)
        if len(nonzero) > 300:
            method = "approx"
        elif tied:
            method = stats.PermutationMethod(n_resamples=np.inf)
        else:
            method = "exact"
        two = stats.wilcoxon(nonzero, method=method, correction=False)
        greater = stats.wilcoxon(nonzero, method=method, alternative="greater", correction=False)
        cases.append(dict(name=name, differences=d, statistic=two.statistic, w_plus=greater.statistic, p_two_sided=two.pvalue, p_greater=greater.pvalue))
    assert (cases[0]["statistic"], cases[0]["p_two_sided"], cases[0]["w_plus"], cases[0]["p_greater"]) == (1, 0.0625, 20, 0.03125)
    assert cases[1]["p_two_sided"] == 0.0625
    write("wilcoxon", "scipy", scipy.__version__, cases)


def holm():
    rng = np.random.default_rng(5)
    inputs = [[0.004, 0.03, 0.011, 0.2], [0.5], [0.04, 0.04, 0.04], [0.9, 0.8, 0.001], rng.random(40).round(6).tolist()]
    cases = [dict(p=p, adjusted=multipletests(p, method="holm")[1]) for p in inputs]
    assert np.allclose(cases[0]["adjusted"], [0.016, 0.06, 0.033, 0.2])
    write("holm", "statsmodels", statsmodels.__version__, cases)


def effects():
    rng = np.random.default_rng(6)
    inputs = [
        ("pub-17", [1, -1, 3, 1]),
        ("pub-07", [3, -1, 4, 2, 6, 5]),
        ("zeros and ties", [0, 0, 1, -1, 2, 2, 3, -0.5]),
        ("negative", [-0.2, -0.1, -0.4]),
        ("normal", rng.normal(0.1, 1, 61).round(6).tolist()),
    ]
    cases = []
    for name, d in inputs:
        x = np.array(d, float)
        n = len(x)
        dz = x.mean() / x.std(ddof=1)
        df = n - 1
        j = math.exp(special.gammaln(df / 2) - special.gammaln((df - 1) / 2)) / math.sqrt(df / 2)
        nonzero = x[x != 0]
        ranks = stats.rankdata(np.abs(nonzero))
        rb = (ranks[nonzero > 0].sum() - ranks[nonzero < 0].sum()) / ranks.sum()
        walsh = [(x[i] + x[k]) / 2 for i in range(n) for k in range(i, n)]
        cases.append(dict(name=name, differences=d, dz=dz, hedges_g=j * dz, rank_biserial=rb, probability_of_improvement=(x > 0).mean() + (x == 0).mean() / 2, hodges_lehmann=np.median(walsh)))
    assert abs(cases[0]["dz"] - 0.612372435696) < 1e-12 and abs(cases[0]["rank_biserial"] - 0.6) < 1e-12
    write("effects", "scipy", scipy.__version__, cases)


if __name__ == "__main__":
    for make in (corrected_resampled_t, bootstrap, sign_flip, wilcoxon, holm, effects):
        make()
