"""Makes tests/fixtures/models/tiny-bert and its reference activations, tests/oracle/transformer/bert.toml.

A BERT with random weights, 2 layers and width 32, in the layout of the Hugging Face hub, small enough to live in the
repository. transformers runs it in double precision; every layer's output is kept.

    pip install torch==2.15.0 transformers==5.23.0 tokenizers==0.23.3 safetensors==0.8.0
    python scripts/tiny_bert.py            # from the repository's root
"""

import json
import shutil
from pathlib import Path

import torch
import transformers
from tokenizers import BertWordPieceTokenizer
from transformers import BertConfig, BertModel

FOLDER = Path("tests/fixtures/models/tiny-bert")
TABLE = Path("tests/oracle/transformer/bert.toml")

WORDS = """the a an of and to in for with on from by search view cart buy watch rate browse click order return price low
mid high red blue green black white shirt dress shoes boots bag coat hat phone case lamp desk chair book film music toy
game then after before again never new old sale gift women men kids home office garden kitchen sport summer winter day
night hour minute one two three four five item user shop list page""".split()
PIECES = "##s ##ing ##ed ##er ##est ##ly ##ness ##able ##un ##re".split()
CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
OTHER = list(".,:;!?-'/()") + ["买", "鞋", "看"]

TEXTS = [
    "",
    "view shoes",
    "Search: red dress, then view dress and buy DRESS.",
    "browsing again; viewed 12 boots / café 买鞋子 \U0001f600",
    "cart " * 40,
]


def vocabulary():
    characters = [c for c in CHARACTERS] + ["##" + c for c in CHARACTERS]
    seen = dict.fromkeys(SPECIAL + WORDS + PIECES + characters + OTHER)
    return list(seen)


def make_model():
    FOLDER.mkdir(parents=True, exist_ok=True)
    vocab = vocabulary()
    (FOLDER / "vocab.txt").write_text("".join(token + "\n" for token in vocab), encoding="utf-8")
    tokenizer = BertWordPieceTokenizer(str(FOLDER / "vocab.txt"), lowercase=True)
    # The trap of all-MiniLM-L6-v2: a reader that leaves these on pads every text and cuts too early.
    tokenizer.enable_truncation(max_length=16)
    tokenizer.enable_padding(length=16)
    tokenizer.save(str(FOLDER / "tokenizer.json"), pretty=False)

    torch.manual_seed(20)
    config = BertConfig(
        vocab_size=len(vocab),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=24,
        initializer_range=0.2,
    )
    model = BertModel(config, add_pooling_layer=False).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # Left at 0 and 1, a swapped or forgotten bias or norm would go unseen.
            if parameter.dim() == 1:
                parameter += 0.2 * torch.randn_like(parameter)
    temporary = FOLDER / "saved"
    model.save_pretrained(temporary, safe_serialization=True)
    shutil.move(temporary / "model.safetensors", FOLDER / "model.safetensors")
    written = json.loads((temporary / "config.json").read_text())
    shutil.rmtree(temporary)
    keys = [
        "architectures", "hidden_act", "hidden_size", "initializer_range", "intermediate_size", "layer_norm_eps",
        "max_position_embeddings", "model_type", "num_attention_heads", "num_hidden_layers", "pad_token_id",
        "type_vocab_size", "vocab_size",
    ]
    config = {key: written[key] for key in keys} | {"position_embedding_type": "absolute"}
    (FOLDER / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length=24)
    return model.double(), tokenizer


def row(values):
    return "[" + ", ".join(f"{value:.9g}" if value != int(value) else f"{value:.1f}" for value in values) + "]"


def main():
    model, tokenizer = make_model()
    out = [
        'tool = "transformers"',
        f'version = "{transformers.__version__}"',
        'script = "scripts/tiny_bert.py"',
        "rtol = 0.0",
        "atol = 1e-5",
        'tolerance_reason = "the harness runs in f32, the reference in f64"',
    ]
    for text in TEXTS:
        ids = tokenizer.encode(text).ids
        with torch.no_grad():
            result = model(torch.tensor([ids]), output_hidden_states=True)
        last = result.hidden_states[-1][0]
        out += ["", "[[case]]", f"text = {json.dumps(text, ensure_ascii=False)}", f"ids = {ids}"]
        for name, state in zip(["embeddings", "layer_0", "layer_1"], result.hidden_states):
            out.append(f"{name} = [  # (n_tokens, 32)")
            out += [f"  {row(token)}," for token in state[0].tolist()]
            out.append("]")
        out.append(f"mean = {row(last.mean(0).tolist())}")
        out.append(f"max = {row(last.max(0).values.tolist())}")
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text("\n".join(out) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
