"""The made-up texts that `minilm.py` and `gpt2.py` encode."""

import random

EVENTS = ["search", "view", "cart", "buy", "rate", "browse"]
THINGS = ["running shoes", "summer dress", "phone case", "desk lamp", "novel", "garden chair", "film", "wool coat"]
BANDS = ["low price", "mid price", "high price"]


def make_sets():
    """short: 2,000 texts of 3 events; mixed: 200 of 1 to 36; long: 40 of 45."""
    draw = random.Random(5)

    def event():
        return f"{draw.choice(EVENTS)} {draw.choice(THINGS)} {draw.choice(BANDS)} {draw.randrange(1000)}"

    def text(events):
        return "; ".join(event() for _ in range(events))

    return {
        "short": [text(3) for _ in range(2000)],
        "mixed": [text(draw.randint(1, 36)) for _ in range(200)],
        "long": [text(45) for _ in range(40)],
    }
