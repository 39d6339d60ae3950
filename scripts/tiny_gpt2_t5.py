"""Makes tests/fixtures/models/tiny-{gpt2,t5-relu,t5-gated} and their reference activations,
tests/oracle/transformer/{gpt2,t5_relu,t5_gated}.toml.

Networks with random weights, 2 layers and width 32, in the layout of the Hugging Face hub, small enough to live in the
repository. transformers runs them in double precision; every layer's output is kept.

    pip install torch==2.15.0 transformers==5.23.0 tokenizers==0.23.3 safetensors==0.8.0
    python scripts/tiny_gpt2_t5.py            # from the repository's root
"""

import json
import shutil
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import GPT2Config, GPT2Model, T5Config, T5EncoderModel

MODELS = Path("tests/fixtures/models")
TABLES = Path("tests/oracle/transformer")

WORDS = """view shoes search red dress then and buy cart browse again boots low high mid price men women sale film music
book lamp phone case coat hat bag new old""".split()

TEXTS = [
    "",
    "view shoes",
    "Search: red dress, then view dress and buy DRESS.",
    "browsing again; viewed 12 boots / café 买鞋子 \U0001f600",
    "cart " * 40,
]


def gpt2_tokenizer(folder):
    """Byte-level BPE whose merges spell each word, with and without a space before it."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {token: at for at, token in enumerate(alphabet)}
    merges = []
    for word in WORDS:
        for pieces in (list(word), ["Ġ"] + list(word)):
            while len(pieces) > 1:
                pair = (pieces[0], pieces[1])
                if pair not in merges:
                    merges.append(pair)
                    vocab.setdefault("".join(pair), len(vocab))
                pieces = ["".join(pair)] + pieces[2:]
    vocab["<|endoftext|>"] = len(vocab)
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False) + "\n", encoding="utf-8")
    lines = ["#version: 0.2"] + [" ".join(pair) for pair in merges]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>"])
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    return tokenizer, len(vocab)


def t5_tokenizer(folder):
    """Sentence pieces: whole words and single characters, and </s> at the end of every text."""
    characters = sorted(set("abcdefghijklmnopqrstuvwxyz0123456789.,:;/") | {"▁"})
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces += [("▁" + word, -2.0 - 0.01 * at) for at, word in enumerate(WORDS)]
    pieces += [(character, -6.0 - 0.01 * at) for at, character in enumerate(characters)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer.add_special_tokens(["<pad>", "</s>", "<unk>"])
    # The trap of many folders: a reader that leaves these on pads every text and cuts too early.
    tokenizer.enable_truncation(max_length=16)
    tokenizer.enable_padding(length=16, pad_id=0, pad_token="<pad>")
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    tokenizer.no_padding()
    return tokenizer, len(pieces)


def save(model, folder, keys):
    with torch.no_grad():
        for parameter in model.parameters():
            # Left at 0 and 1, a swapped or forgotten bias or norm would go unseen.
            if parameter.dim() == 1:
                parameter += 0.2 * torch.randn_like(parameter)
    model.float().save_pretrained(folder / "saved", safe_serialization=True)
    shutil.move(folder / "saved" / "model.safetensors", folder / "model.safetensors")
    written = json.loads((folder / "saved" / "config.json").read_text())
    shutil.rmtree(folder / "saved")
    config = {key: written[key] for key in keys if key in written}
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    return model.double().eval()


def row(values):
    return "[" + ", ".join(f"{value:.9g}" if value != int(value) else f"{value:.1f}" for value in values) + "]"


def write_table(name, model, tokenizer, longest, stand_in):
    tokenizer.enable_truncation(max_length=longest)
    out = [
        'tool = "transformers"',
        f'version = "{transformers.__version__}"',
        'script = "scripts/tiny_gpt2_t5.py"',
        "rtol = 0.0",
        "atol = 1e-5",
        'tolerance_reason = "the harness runs in f32, the reference in f64"',
    ]
    for text in TEXTS:
        ids = tokenizer.encode(text).ids or [stand_in]
        with torch.no_grad():
            states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states
        out += ["", "[[case]]", f"text = {json.dumps(text, ensure_ascii=False)}", f"ids = {ids}"]
        for name_of, state in zip(["embeddings", "layer_0", "layer_1"], states):
            out.append(f"{name_of} = [  # (n_tokens, 32)")
            out += [f"  {row(token)}," for token in state[0].tolist()]
            out.append("]")
        last = states[-1][0]
        out.append(f"mean = {row(last.mean(0).tolist())}")
        out.append(f"max = {row(last.max(0).values.tolist())}")
    TABLES.mkdir(parents=True, exist_ok=True)
    (TABLES / f"{name}.toml").write_text("\n".join(out) + "\n", encoding="utf-8")


def gpt2():
    folder = MODELS / "tiny-gpt2"
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer, vocab_size = gpt2_tokenizer(folder)
    torch.manual_seed(21)
    end = vocab_size - 1
    config = GPT2Config(
        vocab_size=vocab_size, n_positions=24, n_embd=32, n_layer=2, n_head=4, initializer_range=0.2,
        bos_token_id=end, eos_token_id=end,
    )
    keys = [
        "activation_function", "architectures", "bos_token_id", "eos_token_id", "initializer_range",
        "layer_norm_epsilon", "model_type", "n_embd", "n_head", "n_inner", "n_layer", "n_positions",
        "scale_attn_by_inverse_layer_idx", "scale_attn_weights", "vocab_size",
    ]
    model = save(GPT2Model(config), folder, keys)
    write_table("gpt2", model, tokenizer, 24, end)


def t5(name, projection, seed):
    folder = MODELS / f"tiny-t5-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer, vocab_size = t5_tokenizer(folder)
    torch.manual_seed(seed)
    config = T5Config(
        vocab_size=vocab_size, d_model=32, d_kv=12, d_ff=64, num_layers=2, num_heads=4, feed_forward_proj=projection,
        relative_attention_num_buckets=8, relative_attention_max_distance=20, pad_token_id=0, eos_token_id=1,
    )
    model = T5EncoderModel(config)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if parameter.dim() > 1:
                parameter.copy_(torch.randn_like(parameter) * (1.0 if "shared" in key or "bias" in key else 0.2))
    keys = [
        "architectures", "d_ff", "d_kv", "d_model", "eos_token_id", "feed_forward_proj", "layer_norm_epsilon",
        "model_type", "num_heads", "num_layers", "pad_token_id", "relative_attention_max_distance",
        "relative_attention_num_buckets", "vocab_size",
    ]
    model = save(model, folder, keys)
    write_table(f"t5_{name}", model, tokenizer, 24, 1)


if __name__ == "__main__":
    gpt2()
    t5("relu", "relu", 22)
    t5("gated", "gated-gelu", 23)
