"""Side by side: the `bert` encoder, sentence-transformers and, where installed, onnxruntime, on the same texts and
threads, in turn.

    pip install torch==2.15.0 transformers==5.23.0 sentence-transformers==6.2.0
    pip install onnxruntime==1.31.1 onnx onnxscript           # optional
    cargo build --release -p trailmark-transformer --example encode_lines
    python scripts/peers/minilm.py MODEL_FOLDER [THREADS [SET,..]]     # from the repository's root

Three sets of made-up texts: short, 2,000 of about 24 tokens; mixed, 200 of 9 to 256; long, 40 of 256. Prints real tokens
per second (special tokens counted, padding not): the median of five turns each, taken in turn, with the load of the
machine before and after, without which the numbers mean little. Loading is left out, tokenising is in. All batches of
the peers hold 32 texts, sorted by length, as sentence-transformers does by itself. In the same turns torch multiplies
matrices of the model's four shapes, and the floating-point operations of our run are set against its rate.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

folder = sys.argv[1]
threads = sys.argv[2] if len(sys.argv) > 2 else "2"
chosen = sys.argv[3].split(",") if len(sys.argv) > 3 else ["short", "mixed", "long"]
os.environ["OMP_NUM_THREADS"] = threads
os.environ["RAYON_NUM_THREADS"] = threads

import numpy  # noqa: E402
import torch  # noqa: E402
from sentence_transformers import SentenceTransformer  # noqa: E402
from transformers import AutoConfig  # noqa: E402

from sgemm import Peak  # noqa: E402
from texts import make_sets  # noqa: E402

BINARY = "target/release/examples/encode_lines"
TURNS = 5
BATCH = 32


class Onnx:
    """The network exported from torch, f32, pooled and normalised in numpy."""

    def __init__(self, model, into):
        import onnxruntime

        class States(torch.nn.Module):
            def __init__(self, network):
                super().__init__()
                self.network = network

            def forward(self, ids, mask):
                return self.network(input_ids=ids, attention_mask=mask).last_hidden_state

        network = States(model[0].auto_model if hasattr(model[0], "auto_model") else model[0].model).eval()
        path = str(Path(into) / "model.onnx")
        ids = torch.ones((2, 8), dtype=torch.long)
        axes = {0: "batch", 1: "length"}
        torch.onnx.export(
            network, (ids, ids), path, input_names=["input_ids", "attention_mask"], output_names=["states"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "states": axes}, dynamo=False,
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(threads)
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.tokenizer = model.tokenizer
        self.longest = model.max_seq_length

    def encode(self, texts):
        order = sorted(range(len(texts)), key=lambda at: -len(texts[at]))
        vectors = [None] * len(texts)
        for first in range(0, len(texts), BATCH):
            rows = order[first : first + BATCH]
            batch = self.tokenizer(
                [texts[at] for at in rows], padding=True, truncation=True, max_length=self.longest, return_tensors="np"
            )
            mask = batch["attention_mask"]
            inputs = {"input_ids": batch["input_ids"], "attention_mask": mask}
            states = self.session.run(["states"], inputs)[0]
            pooled = (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
            for at, vector in zip(rows, pooled / numpy.linalg.norm(pooled, axis=1, keepdims=True)):
                vectors[at] = vector
        return numpy.stack(vectors)


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main():
    torch.set_num_threads(int(threads))
    model = SentenceTransformer(folder, device="cpu")
    network = AutoConfig.from_pretrained(folder)
    with tempfile.TemporaryDirectory() as into:
        peers = {"sentence-transformers": lambda texts: model.encode(texts, batch_size=BATCH)}
        try:
            onnx = Onnx(model, into)
            peers["onnxruntime f32"] = onnx.encode
        except Exception as error:
            print(f"onnxruntime is left out: {error!r:.200}")
        for name, texts in make_sets().items():
            if name not in chosen:
                continue
            file = Path(into) / "texts.txt"
            file.write_text("\n".join(texts) + "\n")
            encoded = model.tokenizer(texts, truncation=True, max_length=model.max_seq_length, padding=False)
            lengths = list(map(len, encoded["input_ids"]))
            tokens = sum(lengths)
            peak = Peak(network.hidden_size, network.intermediate_size, network.num_hidden_layers)
            for encode in peers.values():
                encode(texts[:BATCH])
            if "onnxruntime f32" in peers:
                apart = numpy.abs(onnx.encode(texts[:50]) - model.encode(texts[:50])).max()
                assert apart < 1e-5, f"onnxruntime computes something else: {apart}"
            before = os.getloadavg()[0]
            times = {"trailmark": []} | {peer: [] for peer in peers}
            for _ in range(TURNS):
                peak.turn()
                command = [BINARY, "bert", folder, file, threads, "1"]
                out = subprocess.run(command, check=True, capture_output=True, text=True)
                times["trailmark"].append(float(out.stdout))
                for peer, encode in peers.items():
                    times[peer].append(timed(lambda: encode(texts)))
            print(f"\n{name}: {len(texts)} texts, {tokens / len(texts):.1f} tokens each, {threads} threads, "
                  f"load {before:.1f} before and {os.getloadavg()[0]:.1f} after")
            ours = statistics.median(times["trailmark"])
            for peer, taken in times.items():
                median = statistics.median(taken)
                ratio = f"trailmark / it = {median / ours:.2f}" if peer != "trailmark" else ""
                print(f"  {peer:22}{tokens / median:8.0f} tokens/s  {[round(t, 2) for t in taken]}  {ratio}")
            peak.show(lengths, times["trailmark"], statistics.median)


if __name__ == "__main__":
    main()
