"""Side by side: the `gpt2` encoder and transformers' GPT-2 with torch, at the size of GPT-2 small, on the same texts and
threads, in turn.

    pip install torch==2.15.0 transformers==5.23.0 tokenizers==0.23.3 safetensors==0.8.0
    cargo build --release -p trailmark-transformer --example encode_lines
    TRAILMARK_ASSETS=FOLDER python scripts/peers/gpt2.py [THREADS [SET,..]]     # from the repository's root

The weights are random with a fixed seed, since time does not depend on them; the vocabulary is that of
TRAILMARK_ASSETS/gpt2-bpe. Prints tokens per second as `minilm.py` does: the median of five turns each, taken in turn,
loading left out, tokenising in. The peer gets its texts sorted by length in padded batches of 32, reads hidden states
without the language-model head, and takes the mean over the tokens of a text, as we do. Both must give the same vectors
to 1e-4 before anything is timed.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

threads = sys.argv[1] if len(sys.argv) > 1 else "2"
chosen = sys.argv[2].split(",") if len(sys.argv) > 2 else ["short", "mixed"]
os.environ["OMP_NUM_THREADS"] = threads
os.environ["RAYON_NUM_THREADS"] = threads

import numpy  # noqa: E402
import torch  # noqa: E402
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers  # noqa: E402
from transformers import GPT2Config, GPT2Model  # noqa: E402

from sgemm import Peak  # noqa: E402
from texts import make_sets  # noqa: E402

BINARY = "target/release/examples/encode_lines"
TURNS = 5
BATCH = 32
LONGEST = 1024
TEXTS = {"short": 500, "mixed": 100, "long": 20}  # the first of each set: the network is twelve times MiniLM's


def save(model, folder):
    model.save_pretrained(folder, safe_serialization=True)
    source = Path(os.environ["TRAILMARK_ASSETS"]) / "gpt2-bpe"
    shutil.copy(source / "encoder.json", folder / "vocab.json")
    shutil.copy(source / "vocab.bpe", folder / "merges.txt")


def read_tokenizer(folder):
    """What GPT2TokenizerFast builds of the two files."""
    tokenizer = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens([AddedToken("<|endoftext|>", normalized=False)])
    tokenizer.enable_truncation(LONGEST)
    return tokenizer


def encode(model, tokenizer, texts):
    ids = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    order = sorted(range(len(ids)), key=lambda at: -len(ids[at]))
    vectors = torch.empty(len(ids), model.config.n_embd)
    with torch.inference_mode():
        for first in range(0, len(ids), BATCH):
            rows = order[first : first + BATCH]
            longest = len(ids[rows[0]])
            batch = torch.full((len(rows), longest), 50256)
            mask = torch.zeros((len(rows), longest), dtype=torch.long)
            for at, row in enumerate(rows):
                batch[at, : len(ids[row])] = torch.tensor(ids[row])
                mask[at, : len(ids[row])] = 1
            # Padding is on the right, where a causal network does not look; so no mask is needed, which is faster.
            states = model(input_ids=batch, use_cache=False).last_hidden_state
            pooled = (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
            vectors[rows] = pooled
    return vectors.numpy()


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main():
    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    config = GPT2Config()
    model = GPT2Model(config).eval()
    with tempfile.TemporaryDirectory() as into:
        folder = Path(into)
        save(model, folder)
        tokenizer = read_tokenizer(folder)
        file = folder / "texts.txt"
        for name, texts in make_sets().items():
            if name not in chosen:
                continue
            texts = texts[: TEXTS[name]]
            file.write_text("\n".join(texts) + "\n")
            check = [BINARY, "gpt2", folder, file, threads, "1", folder / "vectors.f32"]
            subprocess.run(check, check=True, capture_output=True)
            ours = numpy.fromfile(folder / "vectors.f32", dtype="<f4").reshape(len(texts), -1)
            apart = numpy.abs(ours - encode(model, tokenizer, texts)).max()
            assert apart < 1e-4, f"the two compute different things: {apart}"
            lengths = [len(encoding.ids) for encoding in tokenizer.encode_batch(texts)]
            tokens = sum(lengths)
            peak = Peak(config.n_embd, 4 * config.n_embd, config.n_layer)
            before = os.getloadavg()[0]
            times = {"trailmark": [], "transformers": []}
            for _ in range(TURNS):
                peak.turn()
                out = subprocess.run(check[:-1], check=True, capture_output=True, text=True)
                times["trailmark"].append(float(out.stdout))
                times["transformers"].append(timed(lambda: encode(model, tokenizer, texts)))
            print(f"\n{name}: {len(texts)} texts, {tokens / len(texts):.1f} tokens each, {threads} threads, "
                  f"load {before:.1f} before and {os.getloadavg()[0]:.1f} after, vectors apart by {apart:.0e}")
            median = statistics.median(times["trailmark"])
            for who, taken in times.items():
                ratio = f"trailmark / it = {statistics.median(taken) / median:.2f}" if who != "trailmark" else ""
                print(f"  {who:22}{tokens / statistics.median(taken):8.0f} tokens/s  {[round(t, 2) for t in taken]}  {ratio}")
            peak.show(lengths, times["trailmark"], statistics.median)


if __name__ == "__main__":
    main()
