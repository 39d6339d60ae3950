"""Side by side: the `bert` encoder and sentence-transformers on the same texts and threads, in turn.

    cargo build --release -p trailmark-neural --example encode_lines
    python scripts/peers/minilm.py MODEL_FOLDER [THREADS]      # from the repository's root

Prints real tokens per second (special tokens counted, padding not), the best of five turns each. Loading is left out,
tokenising is in.
"""

import os
import random
import subprocess
import sys
import tempfile
import time

folder = sys.argv[1]
threads = sys.argv[2] if len(sys.argv) > 2 else "2"
os.environ["OMP_NUM_THREADS"] = threads
os.environ["RAYON_NUM_THREADS"] = threads

import torch  # noqa: E402
from sentence_transformers import SentenceTransformer  # noqa: E402

BINARY = "target/release/examples/encode_lines"
EVENTS = ["search", "view", "cart", "buy", "rate", "browse"]
THINGS = ["running shoes", "summer dress", "phone case", "desk lamp", "novel", "garden chair", "film", "wool coat"]
BANDS = ["low price", "mid price", "high price"]


def make_texts(n):
    draw = random.Random(5)
    event = lambda: f"{draw.choice(EVENTS)} {draw.choice(THINGS)} {draw.choice(BANDS)} {draw.randrange(1000)}"  # noqa: E731
    return ["; ".join(event() for _ in range(draw.randint(8, 22))) for _ in range(n)]


def main():
    torch.set_num_threads(int(threads))
    model = SentenceTransformer(folder, device="cpu")
    texts = make_texts(200)
    tokenizer = model.tokenizer
    lengths = [len(ids) for ids in tokenizer(texts, truncation=True, max_length=model.max_seq_length)["input_ids"]]
    tokens = sum(lengths)
    ours, theirs = [], []
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(texts) + "\n")
        file.flush()
        model.encode(texts[:32])
        for _ in range(5):
            out = subprocess.run([BINARY, folder, file.name, threads, "1"], check=True, capture_output=True, text=True)
            ours.append(float(out.stdout))
            start = time.perf_counter()
            model.encode(texts, batch_size=32)
            theirs.append(time.perf_counter() - start)
    print(f"{len(texts)} texts, {tokens / len(texts):.0f} tokens each on average, {threads} threads")
    print(f"trailmark             {tokens / min(ours):8.0f} tokens/s  {[round(t, 2) for t in ours]}")
    print(f"sentence-transformers {tokens / min(theirs):8.0f} tokens/s  {[round(t, 2) for t in theirs]}")
    print(f"ratio {min(theirs) / min(ours):.2f}")


if __name__ == "__main__":
    main()
