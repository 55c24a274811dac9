"""Feed the readers of TensorFlow's checkpoints with damaged files: `python -m tests.fuzz.checkpoints [--seconds 60] [NAME...]`.

Each reader may return, or raise ValueError (FileNotFoundError for a file that is not there). Any other error, a call of more
than a second of processor time, and memory that grows by more than 50 MB are findings: they are printed with the input, and
the exit status is 1. Inputs are files that TensorFlow made, changed at random from a seed; checksums of blocks are made
right again, so that the changes are read.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

from hornbeam.core.crc32c import masked_crc32c
from hornbeam.core.protobuf import Reader, varint
from hornbeam.train.bundle import Bundle, index_file
from hornbeam.train.graph import GRAPH_KEY, Paths, read_graph
from hornbeam.train.snappy import uncompressed
from hornbeam.train.state_file import get_checkpoint_state
from hornbeam.train.table import read_table, write_table
from hornbeam.train.texts import decode_texts

MADE = Path(__file__).parents[1] / "files/tensorflow"
SECONDS, MEGABYTES = 1.0, 50
NUMBERS = [0, 1, 2, 63, 127, 128, 255, 1 << 14, 1 << 31, (1 << 32) - 1, 1 << 40, (1 << 63) - 1, (1 << 64) - 1]  # fmt: skip

Case = Callable[[random.Random], bytes]


def changed(data: bytes, draw: random.Random) -> bytes:
    """Return the data with a few changes."""
    out = bytearray(data)
    for _ in range(draw.choice([1, 1, 1, 2, 3, 8])):
        at, end = sorted(draw.randrange(len(out) + 1) for _ in range(2))
        match draw.randrange(7):
            case 0 if out:
                out[at % len(out)] ^= 1 << draw.randrange(8)
            case 1 if out:
                out[at % len(out)] = draw.choice([0, 1, 0x7F, 0x80, 0xFF])
            case 2:
                out[at:at] = varint(draw.choice(NUMBERS))
            case 3:
                del out[at : min(end, at + draw.choice([1, 4, 64, 1 << 20]))]
            case 4:
                out[at:at] = out[at : min(end, at + 4096)]
            case 5:
                out[at : at + 1] = varint(draw.choice(NUMBERS))
            case _:
                out[at:at] = draw.randbytes(draw.choice([1, 2, 8]))
    return bytes(out[: 1 << 20])


def indexes() -> list[bytes]:
    return [path.read_bytes() for path in sorted(MADE.glob("*.index"))]


def stored(block: bytes, kind: int) -> bytes:
    """Return a block with its trailer."""
    trailed = block + bytes([kind])
    return trailed + masked_crc32c(trailed).to_bytes(4, "little")


def table_of(block: bytes, kind: int) -> bytes:
    """Return a table of one block, whatever is in it."""
    index = b"\0\x01" + bytes([len(place := varint(0) + varint(len(block)))]) + b"z" + place
    index += b"\0\0\0\0\x01\0\0\0"
    places = (varint(len(block) + 5) + varint(len(index))) * 2
    magic = 0xDB4775248B80FB57
    return stored(block, kind) + stored(index, 0) + places.ljust(40, b"\0") + magic.to_bytes(8, "little")  # fmt: skip


def walk(message: Reader) -> None:
    """Read every field as each type."""
    for number in message.numbers:
        for read in (
            message.integer,
            message.signed,
            message.integers,
            message.text,
            message.texts,
        ):
            with contextlib.suppress(ValueError):
                read(number)
        with contextlib.suppress(ValueError):
            message.entries(number, "inner")


class Targets:
    """The readers, each with seeds and a function of the changed bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        bundles = [Bundle(path.with_suffix("")) for path in sorted(MADE.glob("*.index"))]
        self.graphs = [b.read(GRAPH_KEY) for b in bundles if GRAPH_KEY in b.entries]
        self.entries = [list(read_table(data, "seed")) for data in indexes()]
        self.blocks = [data[: data.rindex(b"\0\0\0\0\x01\0\0\0", 0, len(data) - 60) + 8] for data in indexes()]  # fmt: skip
        text = b"abcabcabcabc" * 20
        self.packed = [varint(len(text)) + b"\x08abc" + bytes([63 << 2 | 2, 3, 0]) * 3 + bytes([(44) << 2 | 2, 3, 0])]  # fmt: skip
        self.state = b'model_checkpoint_path: "ckpt-2"\nall_model_checkpoint_paths: "a\\303\\251"\nlast_preserved_timestamp: 1.5\n'  # fmt: skip

    def protobuf(self, draw: random.Random) -> Callable[[], object]:
        data = changed(draw.choice([*self.graphs, *(v for e in self.entries for _, v in e)]), draw)
        return lambda: walk(Reader(data, "message"))

    def graph(self, draw: random.Random) -> Callable[[], object]:
        data = changed(draw.choice(self.graphs), draw)
        return lambda: Paths(read_graph(data, "file"))

    def snappy(self, draw: random.Random) -> Callable[[], object]:
        data = changed(draw.choice(self.packed), draw)
        return lambda: uncompressed(memoryview(data), 8 << 20, "block")

    def table(self, draw: random.Random) -> Callable[[], object]:
        kind = draw.choice([0, 0, 0, 1])
        seeds = self.packed if kind else self.blocks
        data = draw.choice([table_of(changed(draw.choice(seeds), draw), kind), changed(draw.choice(indexes()), draw)])  # fmt: skip
        return lambda: sum(len(k) + len(v) for k, v in read_table(data, "table"))

    def texts(self, draw: random.Random) -> Callable[[], object]:
        data = changed(b"\x05\x00\x02\x12\x34\x56\x78helloab", draw)
        count = draw.choice([0, 1, 3, 1 << 40])
        return lambda: decode_texts(data, count, 0, "texts")

    def state_file(self, draw: random.Random) -> Callable[[], object]:
        (self.folder / "checkpoint").write_bytes(changed(self.state, draw))
        return lambda: get_checkpoint_state(self.folder)

    def bundle(self, draw: random.Random) -> Callable[[], object]:
        """Change entries of the index, and the data."""
        name = draw.choice(["types", "parts", "saver", "keras2_old"])
        entries = dict(read_table(index_file(MADE / name).read_bytes(), "seed"))
        for key in draw.sample(sorted(entries), draw.randrange(1, 3)):
            value = entries.pop(key)
            entries[draw.choice([key, key, key, changed(key, draw)])] = changed(value, draw)
        index_file(self.folder / "x").write_bytes(write_table(sorted(entries.items())))
        for old in self.folder.glob("x.data*"):
            old.unlink()
        for path in MADE.glob(f"{name}.data*"):
            data = path.read_bytes()
            data = changed(data, draw) if draw.random() < 0.3 else data
            (self.folder / path.name.replace(name, "x")).write_bytes(data)

        def read() -> None:
            bundle = Bundle(self.folder / "x")
            for each in bundle:
                try:
                    bundle.read(each)
                except (ValueError, FileNotFoundError) as error:
                    assert "x." in str(error), f"{error!r} does not name the file"

        return read


NAMES = ["protobuf", "graph", "snappy", "table", "texts", "state_file", "bundle"]


def peak() -> float:
    """Return the largest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fuzz(name: str, seconds: float, first_seed: int) -> tuple[int, int]:
    """Run one target for so long; return the numbers of runs and of findings."""
    with tempfile.TemporaryDirectory() as folder:
        make = getattr(Targets(Path(folder)), name)
        runs, findings, end = 0, 0, time.monotonic() + seconds
        before = peak()
        while time.monotonic() < end and findings < 10:
            seed = first_seed + runs
            call = make(random.Random(seed))
            start, problem = time.process_time(), ""
            try:
                call()
            except (ValueError, FileNotFoundError):
                pass
            except Exception:
                problem = traceback.format_exc(limit=-4)
            if (took := time.process_time() - start) > SECONDS:
                problem += f"took {took:.1f} s"
            if (now := peak()) > before + MEGABYTES:
                problem += f"took {now - before:.0f} MB"
                before = now
            if problem:
                findings += 1
                print(f"{name} --seed {seed}: {problem}")
            runs += 1
    return runs, findings


def main(argv: Iterable[str] | None = None) -> int:
    """Run the targets that are named, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--seconds", type=float, default=60.0, help="for each target")
    parser.add_argument("--seed", type=int, default=0, help="the first; each run takes the next")
    options = parser.parse_args(list(argv) if argv is not None else None)
    warnings.simplefilter("ignore")
    total = 0
    for name in options.names:
        runs, findings = fuzz(name, options.seconds, options.seed)
        print(f"{name}: {runs} runs, {findings} findings", flush=True)
        total += findings
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
