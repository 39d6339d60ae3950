"""How fast torch (MKL) multiplies the matrices of a transformer layer here and now: what our share of the peak is a share
of. Used by `minilm.py` and `gpt2.py`, in turn with what they time."""

import time

import torch

ROWS = 3072  # tokens at once, where its rate no longer grows


class Peak:
    """The four products of a layer: queries, keys and values together; what they attend; up; down."""

    def __init__(self, hidden, inner, n_layers):
        self.hidden, self.n_layers = hidden, n_layers
        shapes = [(hidden, 3 * hidden), (hidden, hidden), (hidden, inner), (inner, hidden)]
        self.rates = {shape: [] for shape in shapes}
        self.work = [(shape, torch.randn(ROWS, shape[0]), torch.randn(shape[1], shape[0])) for shape in shapes]

    def turn(self):
        """One rate of each product, the best of three."""
        for shape, x, weight in self.work:
            times = []
            for _ in range(3):
                start = time.perf_counter()
                torch.nn.functional.linear(x, weight)
                times.append(time.perf_counter() - start)
            self.rates[shape].append(2e-9 * ROWS * shape[0] * shape[1] / min(times))

    def per_layer(self):
        return sum(2e-9 * inputs * outputs for inputs, outputs in self.rates)

    def gflop(self, lengths):
        """Of texts of these lengths, products and attention; GELU, softmax, norms and tokenising are left out."""
        return self.n_layers * sum(n * (self.per_layer() + 4e-9 * n * self.hidden) for n in lengths)

    def gflops(self, of):
        """The rate over all four in the proportions of a layer, `of` (median or max) the turns."""
        return self.per_layer() / sum(2e-9 * i * o / of(rates) for (i, o), rates in self.rates.items())

    def show(self, lengths, seconds, median):
        """`seconds`: ours for texts of these lengths, one per turn."""
        gflop = self.gflop(lengths)
        rates = ", ".join(f"{i}x{o} {median(rates):.0f}" for (i, o), rates in self.rates.items())
        print(f"  torch sgemm, GFLOP/s: {rates}; in the proportions of a layer {self.gflops(median):.0f}, "
              f"best {self.gflops(max):.0f}")
        print(f"  trailmark: {gflop / median(seconds):.0f} GFLOP/s, {gflop / median(seconds) / self.gflops(median):.0%} "
              f"of it; best turn {gflop / min(seconds):.0f}, {gflop / min(seconds) / self.gflops(max):.0%} of the best")
