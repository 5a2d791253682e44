"""The container of perf.data: headers, events and their names, features, and what a pipe has instead."""

from __future__ import annotations

import os
import struct
import sys
import time

import pytest

from flameparse import limits
from flameparse.decode.perf_comments import read_comments
from flameparse.decode.perf_data import recording_file
from flameparse.decode.perf_data.attr import EventAttr
from flameparse.decode.perf_data.event_name import spell_event
from flameparse.decode.perf_data.header import Header, read_header, start_stream
from flameparse.decode.perf_data.zstd_records import COMPRESSED, COMPRESSED2, ZstdRecords
from flameparse.errors import LimitError, MalformedError, SourceError, TruncatedError, UnsupportedError
from flameparse.source import open_source
from recording_builder import FINISHED_ROUND, BytesSource, Writer

ORDERS = ["<", ">"]
EXCLUDES_GUEST = 1 << 20


@pytest.fixture(params=ORDERS)
def writer(request):
    return Writer(request.param)


def read(data, is_seekable=True):
    return read_header(BytesSource(data, is_seekable))


def facts(header):
    """All that a header says, its events by their fields."""
    found = {name: getattr(header, name) for name in Header.__slots__}
    found["attrs"] = [{name: getattr(attr, name) for name in EventAttr.__slots__} for attr in header.attrs]
    return found


FULL_META = {
    "host": "vm",
    "kernel": "6.1.0",
    "perf_version": "6.1.192",
    "arch": "x86_64",
    "cpu": "Some CPU",
    "command": "/usr/bin/perf record it\\'s",
}


def check_full(header):
    assert [attr.name for attr in header.attrs] == [b"cpu-clock:u", b"sched:sched_switch"]
    assert [attr.ids for attr in header.attrs] == [[11], [12, 13]]
    assert header.place_of_id == {11: 0, 12: 1, 13: 1}
    assert header.build_ids == [(-1, 2, b"\1" * 20, b"/bin/app"), (-1, 1, b"\2" * 16, b"[kernel.kallsyms]")]
    assert header.tracepoints == {1: b"ftrace:function", 372: b"sched:sched_switch", 373: b"sched:sched_wakeup"}
    assert header.command == [b"/usr/bin/perf", b"record", b"it's"]
    assert (header.cpus_available, header.cpus_online) == (8, 4)
    assert header.groups == [(b"{anon_group}", 0, 2)]
    assert (header.first_time, header.last_time, header.clock_resolution) == (1_000, 2_000, 1)
    assert header.clock_data == (1, 10**18, 5_000)
    assert header.features[20] == b"anything"
    assert header.meta() == FULL_META
    assert header.damage == []


def test_a_file_with_every_feature(writer, tmp_path):
    (tmp_path / "perf.data").write_bytes(writer.full_file())
    with open_source(tmp_path / "perf.data") as source:
        header = read_header(source)
    check_full(header)
    assert header.order == writer.order
    assert header.swaps == ((writer.order == "<") != (sys.byteorder == "little"))
    assert (header.is_pipe, header.is_killed, header.is_compressed, header.is_directory) == (False, False, True, True)
    assert (header.data_offset, header.data_size) == (104 + 24 + 2 * 144, 8)


def test_what_perf_would_print_as_text_gives_the_same_meta():
    text = b"""\
# ========
# captured on    : Thu Jan  1 00:00:00 1970
# hostname : vm
# os release : 6.1.0
# perf version : 6.1.192
# arch : x86_64
# cpudesc : Some CPU
# cmdline : /usr/bin/perf record it\\'s\x20
# ========
"""
    header = read(Writer().full_file())
    header.captured_at = -float(time.localtime(0).tm_gmtoff)
    assert header.meta() == read_comments(text)


def test_meta_is_bounded(monkeypatch):
    monkeypatch.setattr(limits, "MAX_NAME_BYTES", 5)
    header = read(Writer().file(features={3: Writer().string(b" a\xffb long"), 11: Writer().strings(b"x" * 99)}))
    assert header.meta() == {"host": "a\\xffb", "command": "xxxxx"}


@pytest.mark.parametrize("is_seekable", [True, False])
@pytest.mark.parametrize("size", [64, 72, 80, 96, 104, 112, 120, 128, 136, 200, limits.MAX_ATTR_BYTES])
def test_attrs_of_every_size(writer, size, is_seekable):
    fields = {
        "sample_period": 4000,
        "sample_type": 0x1_0107,
        "read_format": 4,
        "bp_type": 3,
        "config1": 0x1234,
        "config2": 5,
        "branch_sample_type": 1 << 17,
        "sample_regs_user": 0xFF,
        "sample_stack_user": 8192,
        "clockid": -1,
        "sample_regs_intr": 0xF0,
        "sample_max_stack": 127,
    }
    ends = {"config2": 72, "branch_sample_type": 80, "sample_regs_user": 88, "sample_stack_user": 92, "clockid": 96}
    ends |= {"sample_regs_intr": 104, "sample_max_stack": 110}
    attr = writer.attr(1, 1, 1 << 10 | 1 << 18 | 1, size, **fields)
    header = read(writer.file([(attr, [7])]), is_seekable)
    (found,) = header.attrs
    assert {name: getattr(found, name) for name in fields} == {
        name: value if ends.get(name, 0) <= size else 0 for name, value in fields.items()
    }
    assert (found.type, found.config, found.flags, found.is_freq) == (1, 1, 1 << 10 | 1 << 18 | 1, True)
    assert (found.size, found.ids, header.damage) == (size, [7], [])


def test_an_attr_of_size_0_has_64_bytes(writer):
    attr = EventAttr(writer.attr(1, 2, size=0) + b"\xff" * 64, writer.order)
    assert (attr.size, attr.config, attr.config2, attr.sample_max_stack) == (64, 2, 0, 0)


@pytest.mark.parametrize("is_seekable", [True, False])
@pytest.mark.parametrize("header_bytes", [72, 80, 104, 112, 4096])
def test_headers_of_every_size(writer, header_bytes, is_seekable):
    features = {3: writer.string(b"vm")}
    header = read(writer.file(features=features, header_bytes=header_bytes), is_seekable)
    assert [attr.name for attr in header.attrs] == [b"cpu-clock"]
    assert header.data_size == 8
    assert header.feature_numbers == ([3] if header_bytes >= 104 else [])
    assert header.hostname == (b"vm" if header_bytes >= 104 and is_seekable else b"")


@pytest.mark.parametrize("numbers", [{3, 4, 12, 27}, {3}, {4}, {3, 31, 32, 63, 64, 128, 255}])
@pytest.mark.parametrize("long_bits", [32, 64])
def test_the_bitmap_of_features_in_both_widths(writer, numbers, long_bits):
    features = {number: writer.string(b"x") if number in (3, 4) else b"" for number in numbers}
    features |= {12: writer.event_desc([(writer.attr(), b"named", [])])} if 12 in numbers else {}
    header = read(writer.file(features=features, long_bits=long_bits))
    if writer.order == ">" and long_bits == 32 and 3 not in numbers:  # nothing tells how wide the words are
        assert header.feature_numbers == [36]
    else:
        assert header.feature_numbers == sorted(numbers)
        assert header.damage == []
        assert header.attrs[0].name == (b"named" if 12 in numbers else b"cpu-clock")


def test_a_file_that_is_not_seekable_gives_its_features_at_the_end(writer):
    data = writer.full_file()
    header = read(data, is_seekable=False)
    assert (header.data_offset, header.data_size, header.damage) == (416, 8, [])
    assert [attr.name for attr in header.attrs] == [b"cpu-clock", b"tracepoint:372"]
    header.read_tail(data[header.data_offset + header.data_size :])
    check_full(header)
    assert facts(header) == facts(read(data))


def test_a_cut_tail_gives_what_a_cut_file_gives(writer):
    data = writer.full_file()
    for end in range(424, len(data), 13):
        header = read(data[:end], is_seekable=False)
        header.read_tail(data[424:end])
        assert facts(header) == facts(read(data[:end]))


def test_a_killed_recorder_leaves_no_features(writer):
    records = writer.record(FINISHED_ROUND) * 5
    data = writer.file([(writer.attr(2, 99), [1])], records, writer.full_features(), is_killed=True)
    for is_seekable in (True, False):
        header = read(data, is_seekable)
        assert header.is_killed
        assert header.is_compressed
        assert header.features == {}
        assert header.data_size == (40 if is_seekable else None)
        assert [attr.name for attr in header.attrs] == [b"tracepoint:99"]
        assert header.damage == ["the recorder was killed"]


def test_no_records_at_all_are_no_killed_recorder(writer):
    data = writer.file(records=b"", features={3: writer.string(b"vm")})
    for is_seekable in (True, False):
        header = read(data, is_seekable)
        if not is_seekable:
            header.read_tail(data[header.data_offset :])
        assert (header.is_killed, header.data_size, header.hostname, header.damage) == (False, 0, b"vm", [])


def test_a_file_cut_anywhere(writer):
    data = writer.file(
        [(writer.attr(), [11])],
        writer.record(FINISHED_ROUND) * 3,
        {3: writer.string(b"vm"), 12: writer.event_desc([(writer.attr(), b"named", [11])])},
    )
    events_end, records_end = 104 + 8 + 144, 104 + 8 + 144 + 24
    table_end, host_end = records_end + 32, records_end + 32 + 68
    assert len(data) == host_end + 8 + 128 + 4 + 68 + 8
    for end in range(len(data) + 1):
        cut = data[:end]
        if end < events_end:
            with pytest.raises(TruncatedError) as caught:
                read(cut)
            assert caught.value.offset == end
            continue
        header = read(cut)
        assert header.data_size == min(end, records_end) - events_end
        assert header.hostname == (b"vm" if end >= host_end else b"")
        assert header.attrs[0].name == (b"named" if end >= len(data) - 8 else b"cpu-clock")
        if end < records_end:
            assert header.damage == [f"stopped at offset {end} of {records_end}"]
        elif end < table_end:
            assert header.damage[0] == f"its features stopped at offset {end} of {table_end}"
        elif end < len(data):
            host = [f"feature 3: stopped at offset {end} of {host_end}"] * (end < host_end)
            assert header.damage == [*host, f"feature 12: stopped at offset {end} of {len(data)}"]
        else:
            assert header.damage == []


@pytest.mark.parametrize(
    ("place", "form", "value", "error", "said"),
    [
        (0, "8s", b"PERFILE3", MalformedError, "it begins with b'PERFILE3'"),
        (0, "8s", b"PERFFILE", UnsupportedError, "version 1"),
        (8, "Q", 71, MalformedError, "a header of 71 bytes"),
        (16, "Q", 0, MalformedError, "events of 0 bytes"),
        (16, "Q", 79, MalformedError, "events of 79 bytes"),
        (16, "Q", 2**64 - 1, MalformedError, "events of 18446744073709551615 bytes"),
        (24, "Q", 2**63, TruncatedError, "the events end at offset 9223372036854775952"),
        (24, "Q", 2**64 - 1, TruncatedError, "the events end at offset"),
        (32, "Q", 2**64 - 1, TruncatedError, "the events end at offset"),
        (32, "Q", 0, MalformedError, "no events"),
        (32, "Q", 143, MalformedError, "no events"),
    ],
)
def test_headers_that_contradict_themselves(writer, place, form, value, error, said):
    data = bytearray(writer.file())
    struct.pack_into(writer.order + form, data, place, value)
    with pytest.raises(error, match=said):
        read(bytes(data))


@pytest.mark.parametrize("value", [2**63, 2**64 - 1])
@pytest.mark.parametrize("place", [40, 48])
def test_records_that_would_lie_outside_the_file(writer, place, value):
    data = bytearray(writer.file())
    struct.pack_into(writer.order + "Q", data, place, value)
    header = read(bytes(data))
    assert header.data_size == (0 if place == 40 else 8)
    (damage,) = header.damage
    assert damage.startswith(f"stopped at offset {len(data)} of ")


@pytest.mark.parametrize("is_seekable", [True, False])
@pytest.mark.parametrize("place", [104 + 8 + 128, 104 + 8 + 136])
def test_ids_that_would_lie_outside_the_file(writer, place, is_seekable):
    data = bytearray(writer.file())
    struct.pack_into(writer.order + "Q", data, place, 2**64 - 8)
    header = read(bytes(data), is_seekable)
    assert header.attrs[0].ids == []
    assert header.damage[0].startswith("event 0: its ids would end at offset 18446744073709551")


@pytest.mark.parametrize(("offset", "length"), [(0, 8), (2**64 - 1, 8), (0, 2**64 - 1), (2**63, 2**63)])
def test_a_feature_that_would_lie_elsewhere(writer, offset, length):
    data = bytearray(writer.file(features={3: writer.string(b"vm"), 4: writer.string(b"6.1")}))
    struct.pack_into(writer.order + "QQ", data, 104 + 8 + 144 + 8, offset, length)
    header = read(bytes(data))
    assert (header.hostname, header.release) == (b"", b"6.1")
    assert [line.startswith("feature 3: ") for line in header.damage] == [True]


def test_events_behind_the_records(writer):
    data = bytearray(writer.file(records=writer.record(FINISHED_ROUND)))
    end = len(data)
    struct.pack_into(writer.order + "Q", data, 24, end)
    data += data[112 : 112 + 144]
    header = read(bytes(data))
    assert [(attr.name, attr.ids) for attr in header.attrs] == [(b"cpu-clock", [11])]
    with pytest.raises(UnsupportedError, match="decompress it into a file"):
        read(bytes(data), is_seekable=False)


BROKEN_FEATURES = [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 17, 21, 23, 29]


@pytest.mark.parametrize("number", BROKEN_FEATURES)
def test_a_broken_feature_costs_only_itself(writer, number):
    whole = writer.full_features()
    for payload in (b"\xff" * 40, whole[number][: len(whole[number]) // 2]):
        features = {**whole, number: payload}
        header = read(writer.file([(writer.attr(), [11]), (writer.attr(2, 372), [12, 13])], features=features))
        assert [line.partition(":")[0] for line in header.damage] in ([f"feature {number}"], [])
        assert (header.damage == []) == (number in (7, 21, 23, 29) and payload[0] == 255)
        for other in BROKEN_FEATURES:
            if other != number:
                assert header.features[other] == whole[other]
        meta = header.meta()
        key = {3: "host", 4: "kernel", 5: "perf_version", 6: "arch", 8: "cpu"}.get(number)
        assert {name: meta[name] for name in meta if name != "command"} == {
            name: value for name, value in FULL_META.items() if name not in ("command", key)
        }


def test_build_ids_in_all_their_forms(writer):
    payload = (
        writer.build_id(b"/a", b"\1" * 20)
        + writer.build_id(b"/md5", b"\2" * 16, pid=7)
        + writer.build_id(b"/short", b"\3" * 8, size=8)
        + writer.build_id(b"/zeros", b"\4" * 12 + b"\0" * 4, size=16)
        + writer.build_id(b"/none", b"")
        + writer.build_id(b"/long", b"\5" * 20, size=255)
    )
    header = read(writer.file(features={2: payload}))
    assert header.build_ids == [
        (-1, 2, b"\1" * 20, b"/a"),
        (7, 2, b"\2" * 16, b"/md5"),
        (-1, 2, b"\3" * 8, b"/short"),
        (-1, 2, b"\4" * 12 + b"\0" * 4, b"/zeros"),
        (-1, 2, b"", b"/none"),
        (-1, 2, b"\5" * 20, b"/long"),
    ]
    assert header.damage == []


def test_build_ids_before_there_was_a_pid(writer):
    def spell(path, id, misc):
        return writer.record(0, id + b"\0" * 4 + path + b"\0" * 4, misc)

    payload = spell(b"[kernel.kallsyms]", b"\1" * 20, 1) + spell(b"/bin/app", b"\2" * 20, 2)
    header = read(writer.file(features={2: payload}))
    assert header.build_ids == [(-1, 1, b"\1" * 20, b"[kernel.kallsyms]"), (-1, 2, b"\2" * 20, b"/bin/app")]


def test_a_build_id_record_without_room(writer):
    payload = writer.build_id(b"/a", b"\1" * 20) + writer.record(0, b"\0" * 27) + writer.build_id(b"/b", b"\1" * 20)
    header = read(writer.file(features={2: payload}))
    assert [path for _, _, _, path in header.build_ids] == [b"/a"]
    assert header.damage == ["feature 2: a build id record of 35 bytes"]


# As perf 6.1 lists them, for recordings that have no descriptions of events.
NAMES = [
    (0, 0, EXCLUDES_GUEST, 0, 0, b"cycles"),
    (0, 9, EXCLUDES_GUEST, 0, 0, b"ref-cycles"),
    (0, 10, EXCLUDES_GUEST, 0, 0, b"unknown-hardware"),
    (0, 10 << 32 | 1, EXCLUDES_GUEST, 0, 0, b"cpu/instructions/"),
    (1, 0, EXCLUDES_GUEST, 0, 0, b"cpu-clock"),
    (1, 9, EXCLUDES_GUEST, 0, 0, b"dummy"),
    (1, 10, EXCLUDES_GUEST, 0, 0, b"unknown-software"),
    (1, 1 << 32, EXCLUDES_GUEST, 0, 0, b"unknown-software"),
    (2, 372, EXCLUDES_GUEST, 0, 0, b"tracepoint:372"),
    (3, 0, EXCLUDES_GUEST, 0, 0, b"L1-dcache-loads"),
    (3, 0x10102, EXCLUDES_GUEST, 0, 0, b"LLC-store-misses"),
    (3, 0x10201, EXCLUDES_GUEST, 0, 0, b"L1-icache-prefetch-misses"),
    (3, 0x101, EXCLUDES_GUEST, 0, 0, b"invalid-cache"),
    (3, 0x7, EXCLUDES_GUEST, 0, 0, b"unknown-ext-hardware-cache-type"),
    (3, 0x300, EXCLUDES_GUEST, 0, 0, b"unknown-ext-hardware-cache-op"),
    (3, 0x20000, EXCLUDES_GUEST, 0, 0, b"unknown-ext-hardware-cache-result"),
    (4, 0x1C2, EXCLUDES_GUEST, 0, 0, b"raw 0x1c2"),
    (5, 0, EXCLUDES_GUEST, 0x401000, 3, b"mem:0x401000:rw"),
    (5, 0, 0, 0, 4, b"mem:0x0:x:HG"),
    (8, 5, 0, 0, 0, b"unknown attr type: 8"),
    (0xFFFF_FFFF, 5, 0, 0, 0, b"unknown attr type: -1"),
    (1, 0, 0, 0, 0, b"cpu-clock:HG"),
    (1, 0, 1 << 19, 0, 0, b"cpu-clock:G"),
    (1, 0, 1 << 5 | 1 << 6, 0, 0, b"cpu-clock:u"),
    (1, 0, 1 << 5 | 1 << 6 | EXCLUDES_GUEST, 0, 0, b"cpu-clock:uH"),
    (0, 0, 1 << 4 | 1 << 6, 0, 0, b"cycles:k"),
    (0, 0, 1 << 4, 0, 0, b"cycles:kh"),
    (0, 0, 3 << 15, 0, 0, b"cycles:ppp"),
    (0, 0, 3 << 15 | EXCLUDES_GUEST, 0, 0, b"cycles:pppH"),
    (0, 0, 1 << 5 | 1 << 6 | 2 << 15 | 1 << 19, 0, 0, b"cycles:uppG"),
    (0, 0, 7 << 4, 0, 0, b"cycles"),
]


@pytest.mark.parametrize(("type", "config", "flags", "address", "access", "name"), NAMES)
def test_names_made_of_type_config_and_modes(writer, type, config, flags, address, access, name):
    assert spell_event(type, config, flags, address, access) == name
    attr = EventAttr(writer.attr(type, config, flags, config1=address, bp_type=access), writer.order)
    assert (attr.name, attr.is_named) == (name, False)


def test_names_that_the_recording_gives(writer):
    attrs = [(writer.attr(2, 5), [1]), (writer.attr(2, 5), [2]), (writer.attr(2, 6), [3])]
    names = writer.event_desc([(writer.attr(2, 5), b"", [1]), (writer.attr(2, 5), b"mine", [2])])
    header = read(writer.file(attrs, features={1: writer.tracing_data({b"sys": {b"open": 5}}), 12: names}))
    assert [attr.name for attr in header.attrs] == [b"sys:open", b"mine", b"tracepoint:6"]
    assert [attr.is_named for attr in header.attrs] == [False, True, False]


def stream(writer, *records):
    """Feed records given as (type, payload[, misc[, trailing]])."""
    header = start_stream(writer.pipe()[:16])
    for type, payload, *rest in records:
        misc, trailing = (*rest, 0, b"")[:2] if len(rest) < 2 else rest
        header.user_record(type, misc, payload, trailing)
    return header


def test_a_pipe_says_the_same_record_by_record(writer):
    tracing = writer.full_features()[1]
    features = [(80, writer.pack("Q", number) + text) for number, text in writer.full_features().items() if number > 1]
    header = stream(
        writer,
        (64, writer.attr() + writer.pack("Q", 11)),
        (64, writer.attr(2, 372) + writer.pack("QQ", 12, 13)),
        *features,
        (80, writer.pack("Q", 32)),
        (66, writer.pack("I", len(tracing)), 0, tracing + b"\0" * 7),
    )
    check_full(header)
    assert header.is_pipe
    assert header.data_size is None
    assert header.data_offset == 16


def test_a_stored_pipe_is_told_by_its_header(writer):
    for is_seekable in (True, False):
        header = read(writer.pipe(writer.record(FINISHED_ROUND)), is_seekable)
        assert (header.is_pipe, header.data_offset, header.data_size, header.attrs) == (True, 16, None, [])


@pytest.mark.parametrize("end", range(16))
def test_a_cut_pipe_header(writer, end):
    with pytest.raises(TruncatedError, match=f"offset {end}: the header has 16 bytes or more"):
        start_stream(writer.pipe()[:end])


def test_a_pipe_header_of_another_size(writer):
    with pytest.raises(MalformedError, match="a pipe's header of 104 bytes"):
        start_stream(writer.file())


def test_updates_of_events(writer):
    attrs = [(64, writer.attr(2, 5) + writer.pack("Q", 1)), (64, writer.attr(1, 0, 0, 64) + writer.pack("Q", 2))]

    def update(kind, id, payload):
        return (78, writer.pack("QQ", kind, id) + payload)

    header = stream(
        writer, *attrs, update(2, 1, b"sys:open\0\0\0"), update(0, 2, b"unit\0"), update(2, 3, b"nobody\0"), (78, b"")
    )
    assert [attr.name for attr in header.attrs] == [b"sys:open", b"cpu-clock:HG"]
    assert header.damage == ["record of type 78: 8 bytes announced, 0 are there"]


def test_tracing_data_may_come_before_and_after_its_events(writer):
    attr = (64, writer.attr(2, 5) + writer.pack("Q", 1))
    tracing = (66, b"", 0, writer.tracing_data({b"sys": {b"open": 5}}))
    other = (66, b"", 0, writer.tracing_data({b"sys": {b"close": 5}}))
    assert [e.name for e in stream(writer, attr, tracing, attr, other, attr).attrs] == [b"sys:open"] * 3


@pytest.mark.parametrize("broken", [b"", b"\x17\x08\x44tracing", b"\x17\x08\x44tracing0.6\0\0\x08\0\0\1\0head\0\xff"])
def test_broken_tracing_data(writer, broken):
    header = stream(writer, (64, writer.attr(2, 5) + writer.pack("Q", 1)), (66, b"", 0, broken))
    assert [e.name for e in header.attrs] == [b"tracepoint:5"]
    assert [line.partition(":")[0] for line in header.damage] == ["feature 1"]


def test_tracing_data_of_the_other_byte_order(writer):
    """It says its own order; perf writes it as the kernel's files are."""
    other = Writer(">" if writer.order == "<" else "<")
    header = stream(writer, (66, b"", 0, other.tracing_data({b"sys": {b"open": 5}})))
    assert (header.tracepoints, header.damage) == ({5: b"sys:open"}, [])


def test_formats_of_tracepoints_that_say_nothing(writer):
    text = writer.tracing_data({b"sys": {b"open": 5, b"close": 6}}).replace(b"ID: 5", b"ID: x")
    assert stream(writer, (66, b"", 0, text)).tracepoints == {6: b"sys:close"}


def test_other_user_records(writer):
    header = stream(
        writer,
        (79, writer.pack("6Q", 10, 20, 30, 0, 0, 0)),
        (67, writer.build_id(b"/a", b"\1" * 20)[8:], 2),
        (69, b""),
        (69, b""),
        (99, b""),
        (40_000, b""),
        (67, b"short"),
        (64, b"short"),
        (80, b"short"),
    )
    assert header.time_conv == (10, 20, 30)
    assert header.build_ids == [(-1, 2, b"\1" * 20, b"/a")]
    assert [line.partition(":")[0] for line in header.damage] == [f"record of type {type}" for type in (67, 64, 80)]


@pytest.mark.parametrize(
    ("type", "form", "values", "count"),
    [
        (71, "3Q", (1000, 0, 0), 1000),
        (71, "Q", (2**64 - 1,), 2**64 - 1),
        (71, "I", (5,), 0),
        (66, "I", (16,), 16),
        (66, "I", (17,), 24),
        (66, "I", (2**32 - 1,), 2**32),
        (66, "H", (1,), 0),
        (68, "Q", (8,), 0),
        (9, "Q", (8,), 0),
    ],
)
def test_bytes_that_follow_a_record(writer, type, form, values, count):
    assert Header(writer.order).trailing_bytes(type, writer.pack(form, *values)) == count


def test_what_perf_prints_beside_the_event(writer):
    sample_bits = {"ip": 1, "addr": 1 << 3, "time": 1 << 2, "cpu": 1 << 7, "raw": 1 << 10}
    kinds = [(1, "cpu"), (1, "ip"), (2, "raw"), (2, "ip"), (4, "addr"), (0, "addr"), (7, "ip"), (9, "cpu"), (3, "time")]
    attrs = [(writer.attr(type, n, sample_type=sample_bits[bit]), [n]) for n, (type, bit) in enumerate(kinds)]
    names = writer.event_desc([(attr, b"e%d" % n, ids) for n, (attr, ids) in enumerate(attrs)])
    header = read(writer.file(attrs, features={12: names}))
    assert header.cpu_events == {b"e0", b"e1"}
    assert header.timed_events == {b"e8"}
    assert header.followed_events == {b"e2", b"e3", b"e4"}


# Caps.


@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_max_events(writer, excess, monkeypatch):
    monkeypatch.setattr(limits, "MAX_EVENTS", 5)
    attrs = [(writer.attr(), [n]) for n in range(5 + excess)]
    records = [(64, attr) for attr, _ in attrs]
    for count_events in (lambda: read(writer.file(attrs)), lambda: stream(writer, *records)):
        if excess > 0:
            with pytest.raises(LimitError, match=r"more than 5( events)?$"):
                count_events()
        else:
            assert len(count_events().attrs) == 5 + excess


@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_max_event_ids(writer, excess, monkeypatch):
    monkeypatch.setattr(limits, "MAX_EVENT_IDS", 5)
    attrs = [(writer.attr(), [1, 2]), (writer.attr(), [1] * (3 + excess))]  # ids that are told twice count twice
    records = [(64, attr + writer.pack(f"{len(ids)}Q", *ids)) for attr, ids in attrs]
    for count_ids in (lambda: read(writer.file(attrs)), lambda: stream(writer, *records)):
        if excess > 0:
            with pytest.raises(LimitError, match="more than 5 ids"):
                count_ids()
        else:
            assert sum(len(attr.ids) for attr in count_ids().attrs) == 5 + excess


def test_max_attr_bytes(writer):
    with pytest.raises(MalformedError, match=f"events of {limits.MAX_ATTR_BYTES + 17} bytes"):
        read(writer.file([(writer.attr(size=limits.MAX_ATTR_BYTES + 1), [])]))


@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_max_feature_bytes(writer, excess, monkeypatch):
    features = {3: writer.string(b"vm"), 4: writer.string(b"6.1"), 20: b"x" * (10 + excess), 30: b""}
    data = writer.file(features=features)
    monkeypatch.setattr(limits, "MAX_FEATURE_BYTES", 68 + 68 + 10)
    header = read(data)
    assert sorted(header.features) == ([3, 4] if excess > 0 else [3, 4, 20, 30])
    assert header.damage == ["features of more than 146 bytes"] * (excess > 0)


@pytest.mark.parametrize("excess", [0, 1])
def test_max_feature_bytes_bounds_what_is_kept_of_a_stream(writer, excess, monkeypatch):
    data = writer.file()
    monkeypatch.setattr(limits, "MAX_FEATURE_BYTES", 104 + 8 + 144 - excess)
    if excess:
        with pytest.raises(UnsupportedError):
            read(data, is_seekable=False)
    else:
        assert len(read(data, is_seekable=False).attrs) == 1


@pytest.mark.parametrize("count", [63, 64, 65])
def test_max_damage_notes(writer, count):
    assert len(stream(writer, *[(78, b"")] * count).damage) == min(count, limits.MAX_DAMAGE_NOTES) == min(count, 64)


def test_where_it_stopped_is_said_once_however_much_is_damaged(writer):
    header = stream(writer, *[(78, b"")] * 70)
    header.stopped(50, 100)
    header.stopped(40, 100)
    assert header.damage[64:] == ["stopped at offset 40 of 100"]


def test_a_feature_of_a_stream_is_read_once(writer):
    feature = writer.pack("Q", 3)
    header = stream(writer, (80, feature + writer.string(b"vm")), *[(80, feature + b"broken")] * 3)
    assert (header.hostname, header.damage) == (b"vm", [])


# Folders.


def test_the_file_of_a_recording(tmp_path):
    plain = tmp_path / "perf.data"
    plain.write_bytes(b"")
    assert recording_file(str(plain)) == str(plain)
    assert recording_file("-") == "-"
    assert recording_file(str(tmp_path / "missing")) == str(tmp_path / "missing")
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(SourceError, match=r"folder: is a folder without a recording"):
        recording_file(str(folder))
    (folder / "data").mkdir()
    with pytest.raises(SourceError, match=r"folder: is a folder without a recording"):
        recording_file(str(folder))
    (folder / "data").rmdir()
    (folder / "data").write_bytes(b"")
    assert recording_file(str(folder)) == os.path.join(str(folder), "data")
    (folder / "data.0").write_bytes(b"")
    with pytest.raises(UnsupportedError, match="recording of several threads"):
        recording_file(str(folder))


# Compressed records.

zstandard = pytest.importorskip("zstandard")


def compress(pieces, **options):
    """Compress as perf does: one stream, flushed after each piece."""
    compressor = zstandard.ZstdCompressor(**options).compressobj()
    return [compressor.compress(piece) + compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK) for piece in pieces]


PIECES = [bytes(i * k % 251 for i in range(size)) for k, size in enumerate((10, 0, 300_000, 1, 70_000, 131_072), 3)]


@pytest.mark.parametrize("level", [1, 19])
def test_payloads_are_one_stream(writer, level):
    records = ZstdRecords(Header(writer.order))
    payloads = compress(PIECES, level=level)
    found = []
    for number, payload in enumerate(payloads):
        if number % 2:
            payload = writer.pack("Q", len(payload)) + payload + b"\xff" * (-len(payload) % 8)
        found.append(records.decompress(COMPRESSED2 if number % 2 else COMPRESSED, payload))
    assert found == PIECES


def test_payloads_that_are_no_zstd_data(writer):
    for payload in (b"what is this", b"\x28\xb5\x2f\xfd\0\x58\x07\0\0"):
        with pytest.raises(MalformedError, match="zstd record: "):
            ZstdRecords(Header(writer.order)).decompress(COMPRESSED, payload)
    with pytest.raises(TruncatedError, match="9 bytes announced, 8 are there"):
        ZstdRecords(Header(writer.order)).decompress(COMPRESSED2, writer.pack("Q", 9) + b"\0" * 8)


@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_max_zstd_record_bytes(excess, monkeypatch):
    (payload,) = compress([b"x" * (100_000 + excess)])
    monkeypatch.setattr(limits, "MAX_ZSTD_RECORD_BYTES", 100_000)
    records = ZstdRecords(Header("<"))
    if excess > 0:
        with pytest.raises(LimitError, match="more than 100000 bytes"):
            records.decompress(COMPRESSED, payload)
    else:
        assert len(records.decompress(COMPRESSED, payload)) == 100_000 + excess


def test_a_bomb_stops_early(monkeypatch):
    """Blocks of 4 bytes that repeat a byte 128 KiB times: 64 KiB of them are 2 GiB."""
    bomb = b"\x28\xb5\x2f\xfd\0\x58" + b"\x02\0\x10A" * 16_000
    monkeypatch.setattr(limits, "MAX_ZSTD_RECORD_BYTES", 1 << 20)
    with pytest.raises(LimitError, match="more than 1048576 bytes"):
        ZstdRecords(Header("<")).decompress(COMPRESSED, bomb)


def test_max_zstd_window_bytes():
    def frame(window_log):
        return b"\x28\xb5\x2f\xfd\0" + bytes([window_log - 10 << 3]) + b"\x01\0\0"

    most = limits.MAX_ZSTD_WINDOW_BYTES.bit_length() - 1
    assert ZstdRecords(Header("<")).decompress(COMPRESSED, frame(most)) == b""
    with pytest.raises(MalformedError):
        ZstdRecords(Header("<")).decompress(COMPRESSED, frame(most + 1))


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="Python itself has a decoder")
def test_without_a_decoder(monkeypatch):
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(SourceError, match=r"pip install flameparse\[zstd\]"):
        ZstdRecords(Header("<"))
