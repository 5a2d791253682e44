"""Seeded mutators over kallsyms, perf maps and jitdumps.

Texts are never refused for a bad line, dumps are compared with a slow reading after every change; what may leave the
readers is DecodeError alone. FLAMEPARSE_FUZZ_INPUTS asks for another number of inputs.
"""

from __future__ import annotations

import os
import random
import struct
import time

import pytest

from flameparse.errors import DecodeError
from flameparse.model.string_table import StringTable
from flameparse.symbolize.jitdump import read_jitdump
from flameparse.symbolize.kallsyms import read_kallsyms
from flameparse.symbolize.perf_map import read_perf_map
from flameparse.symbolize.symbol_table import SymbolTable
from jitdump_builder import DumpBuilder, DumpFile

INPUTS = int(os.environ.get("FLAMEPARSE_FUZZ_INPUTS", "12000"))
MAX_SECONDS = 1.0  # of CPU, per input

KALLSYMS = b"""\
0000000000000000 A fixed_percpu_data
ffffffff81000000 T _stext
ffffffff81000000 T _text
ffffffff81000010 t __do_one
ffffffff81000010 W weak
ffffffff81000ff0 D data
ffffffff81001010 b bss
ffffffffc0002010 t nft_first\t[nf_tables]
ffffffffc0002020 t nft_last\t[nf_tables]
ffffffffc0009000 t kvm\t[kvm]
ffffffffc000a000 t bpf_prog_6deef7357e7b4530\t[bpf]
"""
PERF_MAP = b"""\
7f525c006940 1a4 JS:*fib /app/cpu.js:4:14
7f525c006a00 f4 JS:* /app/cpu.js:9:64
16fda860b3c6 2d JS:~prepareMainThreadExecution node:internal/process/pre_execution:52:36
7f525c006980 20 JS:~fib /app/cpu.js:4:14
0x7f08a8006300 0x2e8 JS:+'fib /app/cpu.js:4:14
1000 0 label
7f525c007640 858 RegExp:^(\\w+)-(\\d+)@((?:[a-z]+\\.)+[a-z]{2,})$
1a076c0 18 BytecodeHandler:Wide
1a076d0 f8 a
"""
PIECES = [
    b" ", b"\t", b"\n", b"\r\n", b"\0", b"0x", b"-", b"+", b"[", b"]", b"\t[m]", b"$", b"T", b"ffffffffffffffff", b"0",
    b"7fffffffffffffff", b"\xff", b" 0 ", b"\n\n", b"JS:~", b" ffffffffffffffff name\n", b"0 T ",
    b"fffffffffffff000 t ",
]  # fmt: skip
NUMBERS = [0, 1, 15, 16, 17, 39, 40, 41, 56, 57, 64, 255, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1]


def dump_seeds() -> list[bytes]:
    seeds = []
    for order in "<>":
        dump = DumpBuilder(order).unwinding_info(10)
        dump.debug_info(11, 0x1000, [(0x1040, 12, 3, b"/app/fib.js"), (0x1050, 13, 1, b"\xff")])
        dump.load(11, 0x1000, 32, b"JS:*fib /app/fib.js:12:3", index=1).load(12, 0x2000, 5, b"g", index=2)
        dump.move(13, 0x1000, 0x5000, 32, index=1).load(12, 0x1008, 8, b"h", index=3).close(14)
        counted = DumpBuilder(order, flags=1, header=bytes(8)).load(1 << 40, 0x1000, 4, b"f").move(1 << 41, 1, 2, 4)
        seeds += [dump.content, counted.content]
    return seeds


def mutate_text(choice: random.Random, text: bytearray) -> None:
    at = choice.randrange(len(text) + 1)
    to = choice.randrange(len(text) + 1)
    match choice.randrange(6):
        case 0:
            text[at : at + 1] = bytes([choice.randrange(256)])
        case 1:
            text[at:at] = choice.choice(PIECES)
        case 2:
            del text[at : at + choice.randrange(1, 30)]
        case 3:
            text[to:to] = text[at : at + choice.randrange(1, 120)]
        case 4:
            del text[at:]
        case 5:
            text[at : at + choice.randrange(20)] = choice.choice(PIECES)


def mutate_dump(choice: random.Random, dump: bytearray, order: str) -> None:
    at = choice.randrange(len(dump) + 1)
    match choice.randrange(6):
        case 0:
            dump[at : at + 1] = bytes([choice.randrange(256)])
        case 1 | 2:
            width = choice.choice("HIQ")
            size = struct.calcsize(width)
            at = min(at, len(dump)) // 4 * 4
            dump[at : at + size] = struct.pack(order + width, choice.choice(NUMBERS) % 2 ** (8 * size))
        case 3:
            del dump[at : at + choice.choice((1, 4, 8, 16, 40))]
        case 4:
            dump[at:at] = dump[40 : 40 + choice.randrange(1, 300)]
        case 5:
            del dump[at:]


def check_table(table: SymbolTable) -> None:
    at = 0
    for start, end, row in table.ranges():
        assert at <= start < end
        assert b"\n" not in table.name(row)
        at = end


@pytest.mark.parametrize("rules", ["perf-6.1", "precise"])
def test_kallsyms(rules):
    choice = random.Random(f"kallsyms {rules}")
    read = 0
    for _ in range(INPUTS // 4):
        text = bytearray(KALLSYMS)
        for _ in range(choice.choice((1, 1, 2, 3, 8))):
            mutate_text(choice, text)
        before = time.process_time()
        try:
            options = {
                "reference_name": b"_text",
                "reference_address": choice.choice((0, 1, 2**64 - 1, 0xFFFFFFFF80000000)),
            }
            tables = read_kallsyms(bytes(text), rules=rules, **(options if choice.random() < 0.5 else {}))
        except DecodeError:
            continue
        finally:
            assert time.process_time() - before < MAX_SECONDS
        read += 1
        for table in tables.values():
            check_table(table)
    assert read > INPUTS // 6


@pytest.mark.parametrize("rules", ["perf-6.1", "precise"])
def test_perf_maps(rules):
    choice = random.Random(f"perf map {rules}")
    for _ in range(INPUTS // 4):
        text = bytearray(PERF_MAP)
        for _ in range(choice.choice((1, 1, 2, 3, 8))):
            mutate_text(choice, text)
        before = time.process_time()
        table, counts = read_perf_map(bytes(text), rules=rules)
        assert time.process_time() - before < MAX_SECONDS
        check_table(table)
        whole, torn = text.count(b"\n"), not text.endswith(b"\n") and len(text) > 0
        assert counts["torn"] == torn
        # perf takes a torn line for one.
        assert len(table) + counts["unparsable"] == whole + (torn and rules == "perf-6.1")
        assert len(table) - counts["replaced"] >= len(table.ranges()) or rules == "perf-6.1"


Row = tuple[int, int, int, bytes, bytes | None, int]


def reference(dump: bytes, conversion: tuple[int, int, int]) -> tuple[list[Row], int, int] | None:
    """Read a dump record by record: rows, where it stopped, records that make no sense; None: it is no dump."""
    order = {b"DTiJ": "<", b"JiTD": ">"}.get(dump[:4])
    if order is None or len(dump) < 40:
        return None
    _, version, at, *_, flags = struct.unpack(order + "6I2Q", dump[:40])
    if version != 1 or flags > 1 or not 40 <= at <= len(dump):
        return None
    rows: list[tuple[int, int, Row]] = []
    by_index: dict[int, Row] = {}
    debug: tuple[int, bytes, int] | None = None
    malformed = 0
    while len(dump) - at >= 16:
        id, size, time = struct.unpack_from(order + "2IQ", dump, at)
        if not 16 <= size <= min(64 << 20, len(dump) - at):
            break
        if flags:
            shift, multiplier, zero = conversion
            time = (zero + (time >> shift) * multiplier + (time % 2**shift * multiplier % 2**64 >> shift)) % 2**64
        body = dump[at + 16 : at + size]
        row: Row | None = None
        if id == 0:
            if len(body) < 40 or b"\0" not in body[40:]:
                malformed += 1
            else:
                start, length, index = struct.unpack_from(order + "3Q", body, 16)
                file, line = debug[1:] if debug and debug[0] == start else (None, 0)
                debug = None
                row = (time, start, length, body[40:].partition(b"\0")[0], file, line)
        elif id == 1:
            if len(body) < 48:
                malformed += 1
            else:
                start, length, index = struct.unpack_from(order + "3Q", body, 24)
                if index in by_index:
                    row = (time, start, length, *by_index[index][3:])
                else:
                    malformed += 1
        elif id == 2:
            debug = None
            if len(body) < 16 or (body[8:16].strip(b"\0") and (len(body) < 32 or b"\0" not in body[32:])):
                malformed += 1
            elif body[8:16].strip(b"\0"):
                name = body[32:].partition(b"\0")[0]
                if name and name[0] != 255:
                    start, _, _, line = struct.unpack_from(order + "3QI", body)
                    debug = start, name, line
        if row and (row[2] > 64 << 20 or row[1] + row[2] >= 2**64):
            malformed += 1
        elif row:
            rows.append((row[0], at, row))
            by_index[index] = row
        at += size
    return [row for *_, row in sorted(rows)], at, malformed


def test_jitdumps():
    choice = random.Random("jitdump")
    seeds = dump_seeds()
    conversion = 20, 1_000_003, 10**15
    read = 0
    for _ in range(INPUTS // 2):
        dump = bytearray(choice.choice(seeds))
        order = "<" if dump[:1] == b"D" else ">"
        for _ in range(choice.choice((0, 1, 1, 2, 3, 8))):
            mutate_dump(choice, dump, order)
        strings = StringTable()
        before = time.process_time()
        try:
            loads = read_jitdump(DumpFile(bytes(dump)), strings, time_conversion=conversion)
        except DecodeError:
            assert reference(bytes(dump), conversion) is None
            continue
        finally:
            assert time.process_time() - before < MAX_SECONDS
        read += 1
        files = [None if id == 0xFFFFFFFF else strings.get(id) for id in loads.files]
        names = map(strings.get, loads.names)
        rows = list(zip(loads.times, loads.starts, loads.sizes, names, files, loads.lines, strict=True))
        assert (rows, loads.stopped_at, loads.malformed) == reference(bytes(dump), conversion)
    assert read > INPUTS // 4
