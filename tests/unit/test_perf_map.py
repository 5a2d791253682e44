"""Perf maps: what a line is, which of several lines about an address holds, and perf's own reading of both."""

from __future__ import annotations

import struct

import pytest

from flameparse import limits
from flameparse.errors import LimitError
from flameparse.symbolize.perf_map import read_perf_map

NONE = 0xFFFFFFFF
RULES = pytest.mark.parametrize("rules", ["perf-6.1", "precise"])


def ranges(text: bytes, **options) -> list[tuple[int, int, bytes]]:
    table, _ = read_perf_map(text, **options)
    return [(start, end, table.name(row)) for start, end, row in table.ranges()]


def counts(text: bytes, **options) -> dict[str, int]:
    return read_perf_map(text, **options)[1]


def name_at(text: bytes, address: int, **options) -> bytes | None:
    table, _ = read_perf_map(text, **options)
    row = table.resolve(struct.pack("Q", address))[0]
    return None if row == NONE else table.name(row)


def contested(text: bytes, **options) -> list[bytes]:
    table, _ = read_perf_map(text, **options)
    return [table.name(row) for _, _, row in table.ranges() if table.is_contested(row)]


def test_precise_is_the_default():
    text = b"1000 10 first\n1000 10 again\n"
    assert name_at(text, 0x1000) == name_at(text, 0x1000, rules="precise") == b"again"
    assert name_at(text, 0x1000, rules="perf-6.1") == b"first"


@RULES
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"7f525c006940 1a4 JS:*fib /app/cpu.js:4:14", (0x7F525C006940, 0x1A4, b"JS:*fib /app/cpu.js:4:14")),
        (b"7f525c008c00 f4 JS:* /app/cpu.js:9:64", (0x7F525C008C00, 0xF4, b"JS:* /app/cpu.js:9:64")),
        (b"7f525c007640 858 RegExp:^(\\w+) (a) ", (0x7F525C007640, 0x858, b"RegExp:^(\\w+) (a) ")),
        (b"0x7f08a8006300 0x2e8 JS:+'fib /app/c d.js:4:14", (0x7F08A8006300, 0x2E8, b"JS:+'fib /app/c d.js:4:14")),
        (b"0X1A40 0X2E8 upper", (0x1A40, 0x2E8, b"upper")),
        (b"00000000000012AB 0020 padded", (0x12AB, 0x20, b"padded")),
        (b"1000 20 py::main:/app/\xc3\xa9t\xff.py", (0x1000, 0x20, b"py::main:/app/\xc3\xa9t\xff.py")),
    ],
)
def test_a_line(line, expected, rules):
    start, size, name = expected
    assert ranges(line + b"\n", rules=rules) == [(start, start + size, name)]
    assert counts(line + b"\n", rules=rules) == {"unparsable": 0, "torn": 0, "replaced": 0}


def test_carriage_returns():
    assert ranges(b"1000 20 windows\r\n") == [(0x1000, 0x1020, b"windows")]
    assert ranges(b"1000 20 a\rb\n") == [(0x1000, 0x1020, b"a\rb")]
    assert ranges(b"1000 20 windows\r\n", rules="perf-6.1") == [(0x1000, 0x1020, b"windows\r")]


def test_more_blanks_and_tabs():
    assert ranges(b"1000  20\t two\n") == [(0x1000, 0x1020, b"two")]
    assert ranges(b"1000  20 two\n", rules="perf-6.1") == [(0x1000, 0x1020, b"two")]


@pytest.mark.parametrize("name", [b"a", b"ab", b"\xff", b"0x", b"12"])
def test_short_names(name):
    assert ranges(b"1000 20 %s\n" % name) == [(0x1000, 0x1020, name)]
    assert ranges(b"1000 20 %s\n" % name, rules="perf-6.1") == []
    assert counts(b"1000 20 %s\n" % name, rules="perf-6.1")["unparsable"] == 1
    assert ranges(b"1000 20 %s!!\n" % name, rules="perf-6.1") == [(0x1000, 0x1020, name + b"!!")]


@pytest.mark.parametrize(
    "line",
    [
        b"", b" ", b"1000", b"1000 ", b"1000 20", b"1000 20 ", b"1000 20    ", b"1000  name", b" 1000 20 name",
        b"-1000 20 name", b"1000 -20 name", b"0x 20 name", b"0xx1 20 name", b"1000 0x name", b"1000,20 name",
        b"10g0 20 name", b"1000 2g name", b"11112222333344445 20 name", b"1000 11112222333344445 name",
        b"ffffffffffffffff 1 name", b"1000 fffffffffffff000 name",
        b"at Object.<anonymous> (/app/a b.js)", b"\r", b"\0", b"1000\x0020 name",
    ],
)  # fmt: skip
def test_unparsable_lines_are_counted(line):
    text = b"1000 20 before\n" + line + b"\n2000 20 after\n"
    assert ranges(text) == [(0x1000, 0x1020, b"before"), (0x2000, 0x2020, b"after")]
    assert counts(text) == {"unparsable": 1, "torn": 0, "replaced": 0}


def test_the_last_addresses_of_memory():
    assert ranges(b"fffffffffffffff0 f name\n") == [(2**64 - 16, 2**64 - 1, b"name")]


@pytest.mark.parametrize("torn", [b"2", b"2000 20 na", b"2000 20 name"])
def test_a_last_line_without_newline_is_torn(torn):
    text = b"1000 20 before\n" + torn
    assert ranges(text) == [(0x1000, 0x1020, b"before")]
    assert counts(text) == {"unparsable": 0, "torn": 1, "replaced": 0}


def test_perf_takes_a_torn_line_less_its_last_byte():
    text = b"1000 20 before\n2000 20 name"
    assert ranges(text, rules="perf-6.1") == [(0x1000, 0x1020, b"before"), (0x2000, 0x2020, b"nam")]
    assert counts(text, rules="perf-6.1") == {"unparsable": 0, "torn": 1, "replaced": 0}


@RULES
def test_a_line_without_size_names_one_address(rules):
    text = b"1000 0 label\n"
    names = [name_at(text, address, rules=rules) for address in (0xFFF, 0x1000, 0x1001)]
    assert names == [None, b"label", None]


def test_half_open_ranges():
    text = b"1000 10 first\n1010 10 second\n"
    names = [name_at(text, address) for address in (0xFFF, 0x1000, 0x100F, 0x1010, 0x101F, 0x1020)]
    assert names == [None, b"first", b"first", b"second", b"second", None]
    assert counts(text)["replaced"] == 0


@pytest.mark.parametrize(
    ("lines", "expected", "replaced"),
    [
        # The later one of two.
        ("1000 10 a,1000 10 b", [(0x1000, 0x1010, b"b")], 1),
        ("1000 10 a,1000 10 a", [(0x1000, 0x1010, b"a")], 1),
        ("1000 40 a,1010 10 b", [(0x1010, 0x1020, b"b")], 1),
        ("1010 10 a,1000 40 b", [(0x1000, 0x1040, b"b")], 1),
        ("1000 20 a,1010 20 b", [(0x1010, 0x1030, b"b")], 1),
        ("1010 20 a,1000 20 b", [(0x1000, 0x1020, b"b")], 1),
        ("1000 10 a,100f 1 b", [(0x100F, 0x1010, b"b")], 1),
        ("1000 10 a,1010 10 b,ff0 10 c", [(0xFF0, 0x1000, b"c"), (0x1000, 0x1010, b"a"), (0x1010, 0x1020, b"b")], 0),
        # One that is gone does not come back, and what it replaced is gone too.
        ("1000 20 a,1010 20 b,1020 20 c", [(0x1020, 0x1040, b"c")], 2),
        ("1000 10 a,1010 10 b,1008 10 c,1010 10 d", [(0x1010, 0x1020, b"d")], 3),
        # Many at once.
        ("1000 10 a,1010 10 b,1020 10 c,1030 10 d,100f 22 e", [(0x100F, 0x1031, b"e")], 4),
    ],
)
def test_later_lines_replace_those_they_overlap(lines, expected, replaced):
    text = lines.replace(",", "\n").encode() + b"\n"
    assert ranges(text) == expected
    assert counts(text) == {"unparsable": 0, "torn": 0, "replaced": replaced}


@pytest.mark.parametrize("trampoline", ["JS:~", "JS:~f /a.js:1:1", "Eval:~ /a.js:1:1", "LazyCompile:~f /a.js:1"])
def test_an_interpreted_function_counts_like_any_code(trampoline):
    code = b"1000 20 JS:*g /a.js:2:2\n"
    line = f"1010 10 {trampoline}\n".encode()
    assert ranges(code + line) == [(0x1010, 0x1020, trampoline.encode())]
    assert ranges(line + code) == [(0x1000, 0x1020, b"JS:*g /a.js:2:2")]


@pytest.mark.parametrize(
    "name", ["JS:^f /a~b.js:1:1", "a b:~c", "std::~string", "9:~x", ":", "9:", "RegExp:^~", "JS", "JS: :1"]
)
def test_other_names_are_of_code(name):
    text = f"1000 40 code\n1010 10 {name}\n"
    assert ranges(text.encode()) == [(0x1010, 0x1020, name.encode())]


def test_a_size_beats_none():
    for lines in (b"1000 40 sized\n1010 0 label\n", b"1010 0 label\n1000 40 sized\n"):
        assert ranges(lines) == [(0x1000, 0x1040, b"sized")]
    assert ranges(b"1010 0 label\n1000 40 JS:~f\n") == [(0x1000, 0x1040, b"JS:~f")]
    assert ranges(b"1010 0 label\n1010 0 again\n1000 10 before\n1011 10 after\n") == [
        (0x1000, 0x1010, b"before"), (0x1010, 0x1011, b"again"), (0x1011, 0x1021, b"after"),
    ]  # fmt: skip


NAMELESS = ["LazyCompile:", "JS:", "JS: ", "Function:\t ", "Handler:UnknownBytecodeHadler"]


@pytest.mark.parametrize("nameless", NAMELESS)
def test_a_line_that_says_nothing_only_fills_what_nobody_else_names(nameless):
    nothing = nameless.encode()
    for lines in (b"1000 f Builtin:x\n1000 f %s\n", b"1000 f %s\n1000 f Builtin:x\n", b"1008 1 %s\n1000 f Builtin:x\n"):
        assert ranges(lines % nothing) == [(0x1000, 0x100F, b"Builtin:x")]
        assert counts(lines % nothing)["replaced"] == 1
    assert ranges(b"1000 10 Builtin:x\n100f 10 %s\n2000 10 %s\n" % (nothing, nothing)) == [
        (0x1000, 0x1010, b"Builtin:x"), (0x2000, 0x2010, nothing),
    ]  # fmt: skip
    assert ranges(b"1008 0 label\n1000 10 %s\n" % nothing) == [(0x1000, 0x1010, nothing)]


def test_perf_knows_no_line_that_says_nothing():
    assert ranges(b"1000 f LazyCompile:\n1000 f Builtin:x\n", rules="perf-6.1") == [(0x1000, 0x100F, b"LazyCompile:")]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("1000 10 a", []),
        ("1000 10 a,1010 10 b", []),
        ("1000 10 a,1000 10 a", []),
        ("1000 10 a,1000 10 b", ["b"]),
        ("1000 10 ab,1000 10 aa", ["aa"]),
        ("1000 10 a,100f 1 b,1010 10 c", ["b"]),
        ("1000 10 a,1000 10 b,1000 10 b", ["b"]),
        # What another one removed before has been there too, and of it no more than its own addresses.
        ("1000 20 a,1010 8 b,1000 10 c,1018 8 a,1020 10 d", ["c", "b"]),
        ("1010 10 a,1010 10 b,1008 10 b,1000 8 c", ["b"]),
        ("1000 10 a,1008 10 b,1010 10 b", []),
        ("1000 40 a,1010 40 a,1030 8 b,1000 8 c,1008 8 a,1040 8 a", ["c", "b"]),
        # One address of a function is no other function, and what says nothing is none.
        ("1008 0 label,1000 10 a", []),
        ("1000 10 LazyCompile:,1000 10 a,1000 10 JS:", []),
        ("1000 10 LazyCompile:,1000 10 JS:", []),
    ],
)
def test_a_function_is_contested_where_others_stood(lines, expected):
    text = lines.replace(",", "\n").encode() + b"\n"
    assert contested(text) == [name.encode() for name in expected]
    assert contested(text, rules="perf-6.1") == []


# What perf 6.1.192 printed for samples at these addresses, with these maps.
LIVE = [
    (b"10000000 100 outer\n10000010 20 inner\n", {0x10000008: b"outer", 0x10000010: b"outer", 0x10000040: b"outer"}),
    (
        b"10000010 20 inner\n10000000 100 outer\n10000200 10 last\n",
        {0x10000008: b"outer", 0x10000010: b"inner", 0x10000040: None, 0x10000205: b"last"},
    ),
    (b"10000010 0 label\n10000000 100 outer\n", {0x10000010: b"label", 0x10000018: None, 0x10000008: b"outer"}),
    (b"  10000000 10 blanks\n+10000020 +10 plus\n", {0x10000008: b"blanks", 0x10000028: b"plus"}),
    (b"10000000 10 nul\0hidden\n10000020\x0010 20 foo\n", {0x10000008: b"nul", 0x10000028: b"20 foo"}),
    (b"10000000 10 ab\n10000020 10 abc\n10000040 10 torn", {0x10000008: None, 0x10000028: b"abc", 0x10000048: b"tor"}),
]


@pytest.mark.parametrize(("text", "expected"), LIVE)
def test_perf_reads_it_so(text, expected):
    assert {address: name_at(text, address, rules="perf-6.1") for address in expected} == expected


@pytest.mark.parametrize(
    ("line", "start", "name"),
    [
        (b"\t\v\f\r 10 0 name", 0x10, b"name"),
        (b"0x10 0 name", 0x10, b"name"),
        (b"+0X10 0 name", 0x10, b"name"),
        (b"-fffffffffffff000 0 name", 0x1000, b"name"),
        (b"00000000000000000000012 0 name", 0x12, b"name"),
        (b"fffffffffffffffff 0 name", 2**64 - 1, b"name"),
        (b"-fffffffffffffffff 0 name", 2**64 - 1, b"name"),
        (b"0xg 0 name", 0, b" 0 name"),  # 0, then none: each number is followed by one byte that is not looked at
        (b" 12 name", 0x12, b"ame"),
        (b"some words", 0, b"me words"),
        (b"- 12 name", 0, b"name"),
    ],
)
def test_perf_reads_numbers_as_strtoull_does(line, start, name):
    table, _ = read_perf_map(line + b"\n", rules="perf-6.1")
    assert (table.start(0), table.name(0)) == (start, name)


@RULES
def test_an_empty_map(rules):
    assert ranges(b"", rules=rules) == []
    assert counts(b"", rules=rules) == {"unparsable": 0, "torn": 0, "replaced": 0}


def test_other_rules():
    with pytest.raises(ValueError, match=r"perf-6\.1 or precise, not 'latest'"):
        read_perf_map(b"", rules="latest")


@RULES
@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_max_perf_map_entries(excess, rules, monkeypatch):
    monkeypatch.setattr(limits, "MAX_PERF_MAP_ENTRIES", 9)
    text = b"".join(b"%x 10 name\n" % (16 * i) for i in range(1, 10 + excess))
    if excess > 0:
        with pytest.raises(LimitError, match="MAX_PERF_MAP_ENTRIES"):
            read_perf_map(text, rules=rules)
    else:
        assert len(read_perf_map(text, rules=rules)[0]) == 9 + excess


@RULES
@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_max_perf_map_bytes(excess, rules, monkeypatch):
    text = b"1000 10 name\n"
    monkeypatch.setattr(limits, "MAX_PERF_MAP_BYTES", len(text) - excess)
    if excess > 0:
        with pytest.raises(LimitError, match="MAX_PERF_MAP_BYTES"):
            read_perf_map(text, rules=rules)
    else:
        assert len(ranges(text, rules=rules)) == 1


@pytest.mark.parametrize(
    ("file", "lines", "replaced"),
    [("node8", 2256, 500), ("node12", 2095, 7), ("node22", 2576, 0), ("node22-churn", 6154, 1130), ("node26", 2992, 0)],
)
def test_maps_of_v8(file, lines, replaced, corpus):
    text = (corpus / "v8-maps" / f"{file}.perf.map").read_bytes()
    assert text.count(b"\n") == lines
    assert counts(text) == {"unparsable": 0, "torn": 0, "replaced": replaced}


@pytest.mark.parametrize(("file", "expected"), [("node22-churn", 555), ("node12", 7), ("node8", 10), ("node22", 0)])
def test_contested_functions_of_v8(file, expected, corpus):
    """The figures are of a reading of their own, which compares every line with all others."""
    text = (corpus / "v8-maps" / f"{file}.perf.map").read_bytes()
    assert len(contested(text)) == expected


def test_builtins_of_node_8_keep_their_names(corpus):
    text = (corpus / "v8-maps" / "node8.perf.map").read_bytes()
    assert text.count(b" LazyCompile:\n") == 489
    names = [name for *_, name in ranges(text)]
    assert b"LazyCompile:" not in names
    assert names.count(b"Builtin:PromiseHandle") == 1
