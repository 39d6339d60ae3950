"""Compares every hidden state with transformers at the sizes of real models: GPT-2 small, BERT base and T5 base
(encoder), their weights drawn by a hash, since the trained ones need a download. Too big for CI.

A weight is a function of its tensor's name and its place in it, so that anybody can make it again without a library's
generator: `2 * top 24 bits of splitmix64(fnv1a64(name) + place) / 2^24 - 1`, uniform in [-1, 1), times a scale of
sqrt(3) * 0.03 for matrices (0.1 for vectors), plus 1 for the weights of norms. Token ids are drawn alike from the kind.

    pip install torch==2.15.0 transformers==5.23.0 safetensors==0.8.0 numpy==2.4.6
    cargo build --release -p trailmark-transformer --example hidden_states
    python scripts/check_shapes.py            # from the repository's root; some minutes, 3 GB of memory

Fails when a state differs by more than 1e-4 (T5, whose states are not normalised between layers: 1e-4 of the largest).
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import torch
from transformers import BertConfig, BertModel, GPT2Config, GPT2Model, T5Config, T5EncoderModel

BINARY = "target/release/examples/hidden_states"
N_TOKENS = 120
MODELS = {
    "bert": (BertModel, BertConfig()),
    "gpt2": (GPT2Model, GPT2Config()),
    "t5": (T5EncoderModel, T5Config(d_model=768, d_ff=3072, num_layers=12, num_heads=12)),
}


def hashed(name, count):
    """(count,) numbers in [-1, 1), each a function of the name and its place."""
    start = 0xCBF29CE484222325
    for byte in name.encode():
        start = (start ^ byte) * 0x100000001B3 % 2**64
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(start) + numpy.arange(count, dtype=numpy.uint64)
        z += numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z ^= z >> numpy.uint64(31)
    return (z >> numpy.uint64(40)).astype(numpy.float32) / numpy.float32(2**23) - numpy.float32(1)


def draw(model):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # Unit variance, as a normal draw would have.
            noise = torch.from_numpy(3**0.5 * hashed(name, parameter.numel())).to(torch.float32).reshape(parameter.shape)
            if parameter.dim() == 1:
                norm = "norm" in name.lower() or ".ln_" in name
                parameter.copy_(0.1 * noise + (1.0 if norm and name.endswith("weight") else 0.0))
            else:
                parameter.copy_(0.03 * noise)


def main():
    worst_ratio = 0.0
    for kind, (make, config) in MODELS.items():
        model = make(config).eval()
        draw(model)
        ids = ((hashed(f"ids of {kind}", N_TOKENS) + 1) / 2 * config.vocab_size).astype(int).tolist()
        with tempfile.TemporaryDirectory() as folder, torch.no_grad():
            model.save_pretrained(folder, safe_serialization=True)
            out = Path(folder) / "states.f32"
            subprocess.run([BINARY, kind, folder, out, ",".join(map(str, ids))], check=True)
            expected = torch.stack(model(torch.tensor([ids]), output_hidden_states=True).hidden_states)[:, 0].numpy()
            actual = numpy.fromfile(out, dtype="<f4").reshape(expected.shape)
        apart = numpy.abs(actual - expected).reshape(len(expected), -1).max(axis=1)
        scale = max(1.0, numpy.abs(expected).max()) if kind == "t5" else 1.0
        worst_ratio = max(worst_ratio, apart.max() / scale / 1e-4)
        print(f"{kind}: {len(expected)} states, values up to {numpy.abs(expected).max():.1f}, "
              f"largest difference {apart.max():.1e}; per state", " ".join(f"{value:.0e}" for value in apart))
    sys.exit(int(worst_ratio > 1.0))


if __name__ == "__main__":
    main()
