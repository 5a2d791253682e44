"""Jitdumps: every record, both byte orders, damage at every place."""

from __future__ import annotations

import sys

import pytest

from flameparse import limits
from flameparse.errors import MalformedError, TruncatedError, UnsupportedError
from flameparse.model.string_table import StringTable
from flameparse.symbolize.jitdump import CodeLoads, read_jitdump
from jitdump_builder import DumpBuilder, DumpFile

NONE = 0xFFFFFFFF
ORDERS = pytest.mark.parametrize("order", ["<", ">"])


def rows(loads: CodeLoads, strings: StringTable) -> list[tuple[int, int, int, bytes]]:
    assert len(loads) == loads.count == len(loads.times) == len(loads.files) == len(loads.lines)
    names = [strings.get(id) for id in loads.names]
    return list(zip(loads.times, loads.starts, loads.sizes, names, strict=True))


def read(dump: DumpBuilder | bytes, **options) -> list[tuple[int, int, int, bytes]]:
    strings = StringTable()
    file = DumpFile(dump) if isinstance(dump, bytes) else dump.file()
    return rows(read_jitdump(file, strings, **options), strings)


@ORDERS
def test_loads(order):
    dump = DumpBuilder(order).load(5, 0x1000, 0x20, b"JS:*fib /a b.js:4:14").load(6, 0x2000, 3, b"")
    assert read(dump) == [(5, 0x1000, 0x20, b"JS:*fib /a b.js:4:14"), (6, 0x2000, 3, b"")]


@ORDERS
def test_what_is_known_of_the_file(order):
    dump = DumpBuilder(order, pid=4242).load(5, 0x1000, 0x20, b"f").close(6)
    loads = read_jitdump(dump.file(), StringTable())
    assert (loads.pid, loads.size, loads.stopped_at, loads.malformed) == (4242, 40 + 90 + 16, 146, 0)


@ORDERS
def test_other_records_are_stepped_over(order):
    dump = DumpBuilder(order, header=b"12345678").unwinding_info(1).load(2, 0x1000, 4, b"f").close(3)
    dump.record(9, 4, b"of a later version").load(5, 0x2000, 4, b"g")
    assert read(dump) == [(2, 0x1000, 4, b"f"), (5, 0x2000, 4, b"g")]


@ORDERS
def test_padding_after_the_code_belongs_to_the_record(order):
    dump = DumpBuilder(order).load(2, 0x1000, 4, b"f", code=bytes(11)).load(3, 0x2000, 4, b"g", code=b"")
    assert read(dump) == [(2, 0x1000, 4, b"f"), (3, 0x2000, 4, b"g")]


@ORDERS
def test_a_move_takes_the_name_of_its_load_along(order):
    dump = DumpBuilder(order).load(1, 0x1000, 8, b"f", index=900).load(2, 0x2000, 8, b"g", index=901)
    dump.move(3, 0x1000, 0x5000, 8, index=900).move(4, 0x5000, 0x6000, 6, index=900)
    dump.load(5, 0x7000, 8, b"h", index=900).move(6, 0x7000, 0x8000, 8, index=900)
    assert read(dump)[2:] == [
        (3, 0x5000, 8, b"f"), (4, 0x6000, 6, b"f"), (5, 0x7000, 8, b"h"), (6, 0x8000, 8, b"h"),
    ]  # fmt: skip


def test_a_move_of_nothing_is_counted():
    dump = DumpBuilder().move(3, 0x1000, 0x5000, 8, index=900).load(4, 0x2000, 8, b"g", index=901)
    loads = read_jitdump(dump.file(), StringTable())
    assert (loads.count, loads.malformed) == (1, 1)


def test_loads_come_in_order_of_time_and_equal_times_as_they_stand():
    dump = DumpBuilder().load(9, 1, 1, b"a").load(3, 2, 1, b"b").load(9, 3, 1, b"c").load(3, 4, 1, b"d")
    assert [name for *_, name in read(dump)] == [b"b", b"d", b"a", b"c"]


@ORDERS
def test_debug_info_tells_where_the_next_load_comes_from(order):
    dump = DumpBuilder(order)
    dump.debug_info(1, 0x1000, [(0x1040, 12, 3, b"/app/fib.js"), (0x1050, 13, 1, b"\xff")]).load(1, 0x1000, 32, b"f")
    dump.load(2, 0x2000, 32, b"has none")
    dump.debug_info(3, 0x3000, [(0x3040, 7, 1, b"/app/lost.js")]).load(3, 0x4000, 32, b"is another's")
    dump.load(4, 0x3000, 32, b"came too late")
    dump.debug_info(5, 0x5000, []).load(5, 0x5000, 32, b"has an empty one")
    dump.debug_info(6, 0x6000, [(0x6040, 2, 1, b"\xff")]).load(6, 0x6000, 32, b"as the one before, which is not there")
    strings = StringTable()
    loads = read_jitdump(dump.file(), strings)
    assert list(loads.lines) == [12, 0, 0, 0, 0, 0]
    assert strings.get(loads.files[0]) == b"/app/fib.js"
    assert list(loads.files[1:]) == [NONE] * 5
    assert loads.malformed == 0


def test_a_move_keeps_file_and_line():
    dump = DumpBuilder().debug_info(1, 0x1000, [(0x1040, 12, 3, b"/app/fib.js")]).load(1, 0x1000, 32, b"f", index=4)
    loads = read_jitdump(dump.move(2, 0x1000, 0x9000, 32, index=4).file(), StringTable())
    assert list(loads.lines) == [12, 12]
    assert loads.files[0] == loads.files[1] != NONE


@ORDERS
@pytest.mark.parametrize(
    ("id", "body"),
    [
        (0, b""),
        (0, bytes(40)),  # without a name
        (0, bytes(40) + b"name without end"),
        (0, bytes(16) + b"\xff" * 16 + bytes(8) + b"past the end of memory\0"),
        (1, bytes(47)),
        (2, bytes(15)),
        (2, bytes(8) + b"\1" * 8),
        (2, bytes(8) + b"\1" * 8 + bytes(16)),
        (2, bytes(8) + b"\1" * 8 + bytes(16) + b"no end"),
    ],
)
def test_a_record_that_contradicts_itself_is_counted(order, id, body):
    dump = DumpBuilder(order).load(1, 0x1000, 4, b"f").record(id, 2, body).load(3, 0x2000, 4, b"g")
    loads = read_jitdump(dump.file(), StringTable())
    assert (list(loads.times), loads.malformed, loads.stopped_at) == ([1, 3], 1, loads.size)


@ORDERS
def test_a_dump_cut_anywhere_keeps_its_whole_records(order):
    dump = DumpBuilder(order)
    ends = [40]
    for i in range(4):
        dump.debug_info(i, 0x1000 * i, [(0x40, 1, 1, b"file")])
        ends.append(len(dump.content))
        dump.load(i, 0x1000 * i, 8 * i, b"name%d" % i)
        ends.append(len(dump.content))
    whole = read(dump)
    assert len(whole) == 4
    for cut in range(40, len(dump.content)):
        strings = StringTable()
        loads = read_jitdump(DumpFile(dump.content[:cut]), strings)
        last = max(end for end in ends if end <= cut)
        assert rows(loads, strings) == whole[: ends.index(last) // 2]
        assert (loads.stopped_at, loads.size, loads.malformed) == (last, cut, 0)


def test_a_dump_cut_within_its_header():
    content = DumpBuilder().content
    for cut in range(40):
        with pytest.raises(TruncatedError, match=f"{cut} bytes are no header of 40"):
            read(content[:cut])


@pytest.mark.parametrize("total_size", [0, 15, 0xFFFFFFFF])
def test_a_size_that_cannot_be_ends_the_reading(total_size):
    dump = DumpBuilder().load(1, 0x1000, 4, b"f")
    end = len(dump.content)
    loads = read_jitdump(dump.record(4, 2, bytes(64), total_size=total_size).file(), StringTable())
    assert (list(loads.times), loads.stopped_at) == ([1], end)


def test_a_tail_of_zeros_ends_the_reading():
    dump = DumpBuilder().load(1, 0x1000, 4, b"f")
    loads = read_jitdump(DumpFile(dump.content + bytes(4096)), StringTable())
    assert (loads.count, loads.stopped_at, loads.malformed) == (1, len(dump.content), 0)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"PERFILE2" + bytes(40), MalformedError),
        (DumpBuilder(version=2).content, UnsupportedError),
        (DumpBuilder(flags=2).content, UnsupportedError),
        (DumpBuilder().content[:8] + b"\x27\0\0\0" + bytes(80), MalformedError),
        (DumpBuilder().content[:8] + b"\x29\0\0\0" + DumpBuilder().content[12:], MalformedError),
    ],
)
def test_what_is_no_dump_of_this_version(content, error):
    with pytest.raises(error):
        read(content)


def test_times_of_the_counter_need_a_conversion():
    dump = DumpBuilder(flags=1).load(1000, 0x1000, 4, b"f").load(0xFFFF_0000_1234_5678, 0x2000, 4, b"g")
    with pytest.raises(UnsupportedError, match="counter"):
        read(dump)
    with pytest.raises(UnsupportedError, match="counter"):
        read(dump, time_conversion=(64, 1, 1))
    shift, multiplier, zero = 31, 715_827_883, 10**15

    def trace_time(count: int) -> int:
        rest = ((count & ((1 << shift) - 1)) * multiplier) >> shift
        return (zero + (count >> shift) * multiplier + rest) % 2**64

    expected = sorted([trace_time(1000), trace_time(0xFFFF_0000_1234_5678)])
    assert [time for time, *_ in read(dump, time_conversion=(shift, multiplier, zero))] == expected


def test_times_of_the_clock_are_not_converted():
    assert read(DumpBuilder().load(1000, 0x1000, 4, b"f"), time_conversion=(31, 5, 7))[0][0] == 1000


@pytest.mark.parametrize("size", range(64, 200))  # what says something of a record here is 62 bytes at most
def test_blocks_may_end_anywhere(size, monkeypatch):
    dump = DumpBuilder()
    for i in range(6):
        dump.unwinding_info(i).debug_info(i, 0x1000 * i, [(0x40, i, 1, b"f")])
        dump.load(i, 0x1000 * i, 11 * i, b"name%d" % i, index=i)
    whole = read(dump)
    assert len(whole) == 6
    monkeypatch.setattr(limits, "READ_BLOCK_BYTES", size)
    assert read(dump) == whole


def test_code_is_not_read(monkeypatch):
    dump = DumpBuilder().load(1, 0x1000, 3 << 20, b"f").load(2, 0x2000, 4, b"g")
    file = dump.file()
    reads = []
    monkeypatch.setattr(
        file, "read_at", lambda at, count: reads.append((at, count)) or DumpFile.read_at(file, at, count)
    )
    loads = read_jitdump(file, StringTable())
    assert list(loads.times) == [1, 2]
    block = limits.READ_BLOCK_BYTES
    assert reads == [(0, 40), (40, block), (40 + 56 + 2 + (3 << 20), block)]


@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_max_jitdump_record_bytes(excess, monkeypatch):
    monkeypatch.setattr(limits, "MAX_JITDUMP_RECORD_BYTES", 200)
    dump = DumpBuilder().load(1, 0x1000, 10, b"f").load(2, 0x2000, 142 + excess, b"g").load(3, 0x3000, 10, b"h")
    assert [time for time, *_ in read(dump)] == ([1] if excess > 0 else [1, 2, 3])


@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_code_without_its_bytes_is_no_longer_than_a_record(excess, monkeypatch):
    monkeypatch.setattr(limits, "MAX_JITDUMP_RECORD_BYTES", 200)
    dump = DumpBuilder().load(1, 0x1000, 200 + excess, b"f", code=b"")
    loads = read_jitdump(dump.file(), StringTable())
    assert (loads.count, loads.malformed) == ((0, 1) if excess > 0 else (1, 0))


@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_code_ends_before_the_end_of_memory(excess):
    dump = DumpBuilder().load(1, 2**64 - 9 + excess, 8, b"f", code=b"")
    loads = read_jitdump(dump.file(), StringTable())
    assert (loads.count, loads.malformed) == ((0, 1) if excess > 0 else (1, 0))


def test_columns_are_plain_numbers():
    loads = read_jitdump(DumpBuilder().load(1, 0x1000, 4, b"f").file(), StringTable())
    wide = (loads.times, loads.starts, loads.sizes)
    assert [column.format for column in wide] == ["Q"] * 3
    assert [column.format for column in (loads.names, loads.files, loads.lines)] == ["I"] * 3
    assert bytes(loads.times) == (1).to_bytes(8, sys.byteorder)


def test_a_dump_without_loads():
    assert read(DumpBuilder().close(1)) == []
