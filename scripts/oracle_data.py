"""Writes tests/oracle/data/time.toml: how logs write times, and what pandas reads.

Needs pandas 2 or 3. Run from anywhere: python scripts/oracle_data.py
"""

from pathlib import Path

import pandas as pd

ISO = [
    "1970-01-01T00:00:00Z",
    "1969-12-31 23:59:59.5 UTC",
    "2019-10-01 00:00:00 UTC",
    "2014-04-07T10:51:09.277Z",
    "2017-01-01T12:30:27",
    "2017-12-01",
    "2000-02-29 23:59:59",
    "2024-02-29T12:00:00+05:30",
    "2024-03-10T02:30:00-08:00",
    "2100-03-01T00:00:00.001",
]
PARTS = [(2008, 4, 1), (2008, 8, 13), (2000, 2, 29), (1969, 12, 31), (2024, 12, 31)]


def ms(text: str) -> int:
    instant = pd.Timestamp(text.removesuffix(" UTC"))
    if instant.tzinfo is None:
        instant = instant.tz_localize("UTC")
    return (instant - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(milliseconds=1)


def main() -> None:
    lines = [
        'tool = "pandas"',
        f'version = "{pd.__version__}"',
        'script = "scripts/oracle_data.py"',
        "rtol = 0.0",
        "atol = 0.0",
    ]
    for text in ISO:
        lines += ["", "[[case]]", f'iso = "{text}"', f"ms = {ms(text)}"]
    for year, month, day in PARTS:
        value = ms(f"{year:04}-{month:02}-{day:02}")
        lines += ["", "[[case]]", f"parts = [{year}, {month}, {day}]", f"ms = {value}"]
    target = Path(__file__).resolve().parent.parent / "tests/oracle/data/time.toml"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
