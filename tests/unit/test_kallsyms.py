"""kallsyms: what is kept, where a symbol ends, which of several names is taken, where the kernel was."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from flameparse import limits
from flameparse.errors import LimitError, MalformedError, UnsupportedError
from flameparse.symbolize.kallsyms import read_kallsyms
from flameparse.symbolize.symbol_table import SymbolTable

NONE = 0xFFFFFFFF
RULES = pytest.mark.parametrize("rules", ["perf-6.1", "precise"])
LIVE = Path("/proc/kallsyms")

TEXT = b"""\
ffffffff81000000 T _text
ffffffff81000010 t first
ffffffff81000234 T second
"""


def ranges(table: SymbolTable) -> list[tuple[int, int, bytes]]:
    return [(start, end, table.name(row)) for start, end, row in table.ranges()]


def kernel(text: bytes, **options) -> list[tuple[int, int, bytes]]:
    return ranges(read_kallsyms(text, **options)[b""])


def test_precise_is_the_default():
    assert kernel(b"1000 T a\n1000 t b\n") == kernel(b"1000 T a\n1000 t b\n", rules="precise")
    assert kernel(b"1000 T a\n1000 t b\n") != kernel(b"1000 T a\n1000 t b\n", rules="perf-6.1")


@RULES
def test_a_symbol_ends_where_the_next_begins(rules):
    assert kernel(TEXT, rules=rules) == [
        (0xFFFFFFFF81000000, 0xFFFFFFFF81000010, b"_text"),
        (0xFFFFFFFF81000010, 0xFFFFFFFF81000234, b"first"),
        (0xFFFFFFFF81000234, 0xFFFFFFFF81002000, b"second"),
    ]


@RULES
@pytest.mark.parametrize(("start", "end"), [(0x1000, 0x2000), (0x1001, 0x3000), (0x1FFF, 0x3000), (0x2000, 0x3000)])
def test_the_last_symbol_ends_a_page_after_its_own(start, end, rules):
    assert kernel(b"%x T last\n" % start, rules=rules) == [(start, end, b"last")]


@RULES
def test_the_last_symbol_of_memory(rules):
    assert kernel(b"fffffffffffffff0 T last\n", rules=rules) == [(2**64 - 16, 2**64 - 1, b"last")]


@RULES
def test_addresses_resolve(rules):
    table = read_kallsyms(TEXT, rules=rules)[b""]
    addresses = struct.pack("4Q", 0xFFFFFFFF80FFFFFF, 0xFFFFFFFF81000000, 0xFFFFFFFF81000233, 0xFFFFFFFF81002000)
    rows = [row if row == NONE else table.name(row) for row in table.resolve(addresses)]
    assert rows == [NONE, b"_text", b"first", NONE]


@RULES
def test_types_that_are_kept(rules):
    letters = b"ABCDGINRSTUVWabcdginrstuvw-?@\x14"
    text = b"".join(b"%x %c name_%02x\n" % (0x1000 + i, letter, letter) for i, letter in enumerate(letters))
    assert b"".join(bytes([int(name[5:], 16)]) for *_, name in kernel(text, rules=rules)) == b"BDTWbdtw"


@RULES
@pytest.mark.parametrize(
    "line",
    [
        b"", b"\n", b"# comment", b"10 T", b"10 T ", b"10  T name", b"10 TT name", b"10T name", b" 10 T name",
        b"x10 T name", b"0x10 T name", b"12345678123456781 T name", b"10 T $x.12", b"10 T \t[module]",
        b"10\tT name", b"T name",
    ],
)  # fmt: skip
def test_other_lines_are_stepped_over(line, rules):
    assert kernel(b"1 T a\n" + line + b"\n9 T b\n", rules=rules) == kernel(b"1 T a\n9 T b\n", rules=rules)


@RULES
def test_a_last_line_without_newline_was_cut(rules):
    assert kernel(TEXT + b"ffffffff81000300 T thi", rules=rules) == kernel(TEXT, rules=rules)


@RULES
def test_lines_may_come_in_any_order(rules):
    lines = TEXT.splitlines(keepends=True)
    assert kernel(b"".join(reversed(lines)), rules=rules) == kernel(TEXT, rules=rules)


@RULES
def test_names_may_hold_anything(rules):
    name = b"_RNvC\xc3\xa9 a b$.llvm.12345"
    assert kernel(b"1000 t " + name + b"\n", rules=rules)[0][2] == name


@pytest.mark.parametrize(
    ("lines", "precise"),
    [
        (b"T __do_sys_fork,T __ia32_sys_fork,T __x64_sys_fork", b"__x64_sys_fork"),
        (b"t __do_sys_fork,T __ia32_sys_fork,T __x64_sys_fork", b"__x64_sys_fork"),
        (b"t before,T returns_to_user,T __irqentry_text_end", b"returns_to_user"),
        (b"T shown,W shown_if_nothing_else", b"shown"),
        (b"W weak,t local", b"local"),
        (b"T global,t local", b"global"),
        (b"t local,T __global", b"__global"),
        (b"T memcpy,T __pi_memcpy,T ___pi_memcpy", b"memcpy"),
        (b"T __b,T _a", b"_a"),
        (b"T _,T __", b"_"),
        (b"T __,T _", b"_"),
        (b"T long_name,T name", b"name"),
    ],
)
def test_one_name_per_address(lines, precise):
    text = b"".join(b"1000 %s\n" % line for line in lines.split(b",")) + b"1010 T next\n"
    last = lines.rpartition(b" ")[2]
    assert kernel(text, rules="perf-6.1") == [(0x1000, 0x1010, last), (0x1010, 0x3000, b"next")]
    assert kernel(text, rules="precise") == [(0x1000, 0x1010, precise), (0x1010, 0x3000, b"next")]


MODULES = b"""\
ffffffff81000000 T _text
ffffffff81000ff0 t last_of_kernel
ffffffffc0002010 t nft_first\t[nf_tables]
ffffffffc0002020 t nft_last\t[nf_tables]
ffffffffc0009000 t kvm\t[kvm]
"""


def test_modules_by_precise_rules():
    tables = {name: ranges(table) for name, table in read_kallsyms(MODULES, rules="precise").items()}
    core = [
        (0xFFFFFFFF81000000, 0xFFFFFFFF81000FF0, b"_text"),
        (0xFFFFFFFF81000FF0, 0xFFFFFFFF81002000, b"last_of_kernel"),
    ]
    filter_module = [
        (0xFFFFFFFFC0002010, 0xFFFFFFFFC0002020, b"nft_first"),
        (0xFFFFFFFFC0002020, 0xFFFFFFFFC0004000, b"nft_last"),
    ]
    machine_module = [(0xFFFFFFFFC0009000, 0xFFFFFFFFC000A000, b"kvm")]
    assert tables == {b"": core + filter_module + machine_module, b"nf_tables": filter_module, b"kvm": machine_module}


def test_modules_by_the_rules_of_perf():
    tables = {name: ranges(table) for name, table in read_kallsyms(MODULES, rules="perf-6.1").items()}
    assert tables == {
        b"": [
            (0xFFFFFFFF81000000, 0xFFFFFFFF81000FF0, b"_text"),
            (0xFFFFFFFF81000FF0, 0xFFFFFFFF81002000, b"last_of_kernel"),
        ],
        b"nf_tables": [
            (0xFFFFFFFFC0002010, 0xFFFFFFFFC0002020, b"nft_first"),
            (0xFFFFFFFFC0002020, 0xFFFFFFFFC0009000, b"nft_last"),
        ],
        b"kvm": [(0xFFFFFFFFC0009000, 0xFFFFFFFFC000A000, b"kvm")],
    }


@RULES
def test_a_module_in_several_places(rules):
    text = b"1000 t a\t[m]\n2000 t b\t[n]\n3000 t c\t[m]\n4000 T d\n5000 t e\t[m]\n"
    tables = read_kallsyms(text, rules=rules)
    assert [name for *_, name in ranges(tables[b"m"])] == [b"a", b"c", b"e"]
    assert [name for *_, name in ranges(tables[b"n"])] == [b"b"]


@RULES
def test_a_kernel_without_symbols_of_its_own(rules):
    tables = read_kallsyms(b"1000 t a\t[m]\n", rules=rules)
    assert ranges(tables[b"m"]) == [(0x1000, 0x2000, b"a")]
    assert ranges(tables[b""]) == ([] if rules == "perf-6.1" else [(0x1000, 0x2000, b"a")])


@RULES
@pytest.mark.parametrize("tail", [b"\tm]", b"\t[m", b"\t", b"\t[]", b"\tm"])
def test_what_is_no_name_of_a_module(tail, rules):
    tables = read_kallsyms(b"1000 t a" + tail + b"\n2000 t b\n", rules=rules)
    assert {name: ranges(table) for name, table in tables.items()} == {b"": [(0x2000, 0x3000, b"b")]}


@RULES
@pytest.mark.parametrize("moved", [0, 0x200000, -0x3000000])
def test_the_kernel_is_where_it_was_recorded(moved, rules):
    today = b"".join(b"%x%s" % (int(line[:16], 16) + moved, line[16:]) for line in TEXT.splitlines(keepends=True))
    options = {"reference_name": b"_text", "reference_address": 0xFFFFFFFF81000000}
    assert kernel(today, rules=rules, **options) == kernel(TEXT, rules=rules)
    assert kernel(today, rules=rules)[0][0] == 0xFFFFFFFF81000000 + moved


def test_modules_do_not_move_with_the_kernel():
    options = {"reference_name": b"_text", "reference_address": 0xFFFFFFFF81400000}
    perf = read_kallsyms(MODULES, rules="perf-6.1", **options)
    assert [start for start, *_ in ranges(perf[b""])] == [0xFFFFFFFF81400000, 0xFFFFFFFF81400FF0]
    assert ranges(perf[b"kvm"]) == [(0xFFFFFFFFC0009000, 0xFFFFFFFFC000A000, b"kvm")]
    precise = read_kallsyms(MODULES, rules="precise", **options)
    assert list(precise) == [b""]
    assert [start for start, *_ in ranges(precise[b""])] == [0xFFFFFFFF81400000, 0xFFFFFFFF81400FF0]


@RULES
def test_the_reference_is_the_first_of_the_kernel_and_may_be_an_alias_to_it(rules):
    text = b"500 t _text\t[m]\n700 d _text\n1000 A _text\n2000 T _text\n3000 T f\n"
    starts = [start for start, *_ in kernel(text, rules=rules, reference_name=b"_text", reference_address=0x9000)]
    assert starts == [0x8700, 0xA000, 0xB000]


@RULES
def test_without_the_reference_the_kernel_has_no_place(rules):
    with pytest.raises(MalformedError, match="no symbol b'_stext'"):
        read_kallsyms(TEXT, reference_name=b"_stext", reference_address=1, rules=rules)


@RULES
def test_addresses_that_were_hidden(rules):
    with pytest.raises(UnsupportedError, match="all addresses are zero"):
        read_kallsyms(b"0000000000000000 T _text\n0000000000000000 T a\n", rules=rules)
    assert kernel(b"0000000000000000 D first_of_cpu\n1000 T a\n", rules=rules)[0] == (0, 0x1000, b"first_of_cpu")


@RULES
@pytest.mark.parametrize("text", [b"", b"\n", b"1000 R rodata\n", b"1000 T cut"])
def test_a_text_without_symbols(text, rules):
    with pytest.raises(MalformedError, match="no symbol"):
        read_kallsyms(text, rules=rules)


def test_other_rules():
    with pytest.raises(ValueError, match=r"perf-6\.1 or precise, not 'perf-6\.12'"):
        read_kallsyms(TEXT, rules="perf-6.12")


@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_max_kernel_modules(excess, monkeypatch):
    monkeypatch.setattr(limits, "MAX_KERNEL_MODULES", 5)
    text = b"".join(b"%x t f\t[m%d]\n" % (0x1000 * i, i) for i in range(1, 6 + excess))
    if excess > 0:
        with pytest.raises(LimitError, match="MAX_KERNEL_MODULES"):
            read_kallsyms(text)
    else:
        assert len(read_kallsyms(text)) == 6 + excess


def perf_ranges(text: bytes) -> list[tuple[int, int, bytes]]:
    """Do what perf 6.1 does with a kernel that has no modules, slowly."""
    names: dict[int, bytes] = {}
    for line in text.splitlines():
        address, type, name = line.split(b" ", 2)
        if type.upper() in b"TWDB" and b"\t" not in name:
            names[int(address, 16)] = name
    starts = sorted(names)
    ends = [*starts[1:], (starts[-1] + 4095) // 4096 * 4096 + 4096]
    return [(start, end, names[start]) for start, end in zip(starts, ends, strict=True)]


def test_many_lines_as_perf_would_have_them():
    random_numbers = random.Random(7)
    for _ in range(50):
        lines = [
            b"%016x %c f%d\n" % (random_numbers.randrange(1, 4000), random_numbers.choice(b"TtWwDdBbRrA"), i)
            for i in range(random_numbers.randrange(1, 400))
        ]
        text = b"1 T a\n" + b"".join(lines)
        assert kernel(text, rules="perf-6.1") == perf_ranges(text)


def test_the_running_kernel():
    lines = LIVE.read_bytes().splitlines(keepends=True) if LIVE.exists() else []
    if not any(line[:16].strip(b"0") for line in lines):
        pytest.skip("no /proc/kallsyms, or one that hides its addresses")
    text = b"".join(line for line in lines if b"\t" not in line)
    assert kernel(text, rules="perf-6.1") == perf_ranges(text)
