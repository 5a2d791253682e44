"""msgpack -> Document: every rule of schema.md broken one at a time."""

from __future__ import annotations

import re
import time

import msgpack
import pytest

from document_builder import build_document, column, small_document
from flameparse.document.document import COLUMNS, NONE, TIMELINE_COLUMNS
from flameparse.document.reader import MAGIC, looks_like_document, unpack
from flameparse.document.writer import pack
from flameparse.errors import LimitError, MalformedError, TruncatedError, UnsupportedError
from flameparse.limits import MAX_DOCUMENT_KEYS, MAX_DOCUMENT_META_BYTES, MAX_TOTAL_WEIGHT


def fields() -> dict[str, object]:
    """The small document as the reference library reads it, ready to be broken and packed again."""
    return msgpack.unpackb(pack(small_document()))


def broken(**changes: object) -> bytes:
    """Pack the small document with some keys replaced; a None takes the key out, an iterable becomes the column."""
    result = fields()
    typecodes = {**COLUMNS, **{f"timeline_{name}": code for name, code in TIMELINE_COLUMNS.items()}}
    for key, value in changes.items():
        if value is None:
            del result[key]
        elif key in typecodes and isinstance(value, list):
            result[key] = column(typecodes[key], value).tobytes()
        else:
            result[key] = value
    return msgpack.packb(result)


def test_the_small_document_comes_back():
    assert unpack(pack(small_document())) == small_document()
    assert unpack(pack(small_document(timeline=False))) == small_document(timeline=False)
    assert unpack(pack(build_document())) == build_document()


def test_an_empty_timeline_is_not_a_missing_one():
    empty = build_document(timeline={name: [] for name in TIMELINE_COLUMNS})
    assert unpack(pack(empty)).timeline == {name: column(code, []) for name, code in TIMELINE_COLUMNS.items()}


@pytest.mark.parametrize(
    "kind", [bytearray, memoryview, lambda data: memoryview(b"\0".join(data[i : i + 1] for i in range(len(data))))[::2]]
)
def test_any_buffer_is_read(kind):
    assert unpack(kind(pack(small_document()))) == small_document()


def test_the_document_does_not_change_with_the_buffer_it_was_read_from():
    buffer = bytearray(pack(small_document()))
    document = unpack(buffer)
    buffer[:] = bytes(len(buffer))
    assert document == small_document()


def test_columns_are_aligned_and_typed():
    document = unpack(pack(small_document()))
    for name, typecode in COLUMNS.items():
        assert (getattr(document, name).format, getattr(document, name).contiguous) == (typecode, True), name


def test_looks_like_document():
    for head in (b"\x82", b"\xde\x00\x15", b"\xdf\x00\x00\x00\x15"):
        assert looks_like_document(head + MAGIC)
        assert not looks_like_document(head + MAGIC[:-1])
        assert not looks_like_document(head[:-1] + MAGIC)
    assert not looks_like_document(b"")
    assert not looks_like_document(MAGIC)
    assert not looks_like_document(b"\x95" + MAGIC)
    assert looks_like_document(pack(build_document())[:23])


@pytest.mark.parametrize("head", [b"\xde\x00\x1e", b"\xdf\x00\x00\x00\x1e"])
def test_every_map_head_is_read(head):
    assert unpack(head + pack(small_document())[3:]) == small_document()


def test_every_cut_is_truncation_at_an_offset_within_the_file():
    packed = pack(small_document())
    for size in range(len(packed)):
        with pytest.raises(TruncatedError) as caught:
            unpack(packed[:size])
        assert caught.value.format_name == "msgpack document"
        assert 0 <= caught.value.offset <= size


@pytest.mark.parametrize(
    "data", [b"\xc1", b"node 1 [0]", b"PERFILE2" + bytes(100), b"\x80", b"\x81\xa6formaT", b"\x92\x01\x02"]
)
def test_what_is_no_document(data):
    with pytest.raises((MalformedError, TruncatedError)) as caught:
        unpack(data)
    assert type(caught.value) is (TruncatedError if data == b"\x80" else MalformedError)


def test_the_name_of_the_input_is_in_the_message():
    with pytest.raises(MalformedError, match=r'^a\.bin: msgpack document: offset 0: no map that starts with "format"'):
        unpack(b"nothing", name="a.bin")


def test_bytes_after_the_end():
    packed = pack(small_document())
    with pytest.raises(MalformedError, match=f"^msgpack document: offset {len(packed)}: 2 bytes after the end$"):
        unpack(packed + b"\0\0")


@pytest.mark.parametrize(
    ("version", "error", "message"),
    [
        ([2, 0], UnsupportedError, "version 2.0; this program reads 1.x"),
        ([0, 9], UnsupportedError, "version 0.9; this program reads 1.x"),
        ([(1 << 64) - 1, 5], UnsupportedError, f"version {(1 << 64) - 1}.5; this program reads 1.x"),
        ([1], MalformedError, "version is not [major, minor]"),
        ([1, 0, 0], MalformedError, "version is not [major, minor]"),
        ([True, 0], MalformedError, "version is not [major, minor]"),
        (["1", "0"], MalformedError, "version is not [major, minor]"),
        (1, MalformedError, "version is not [major, minor]"),
        ([[1]] * 30, MalformedError, "version is not [major, minor]"),
        ([1.0, 0], MalformedError, "byte 0xcb starts no value allowed here"),
    ],
)
def test_versions(version, error, message):
    with pytest.raises(error, match=f": {re.escape(message)}$") as caught:
        unpack(broken(version=version))
    assert caught.value.offset in (29, 30)


def test_a_newer_minor_version_is_read():
    assert unpack(broken(version=[1, 99])) == small_document()


def test_a_newer_major_version_is_refused_before_anything_else_is_looked_at():
    with pytest.raises(UnsupportedError):
        unpack(b"\x83" + MAGIC + b"\xa7version\x92\x02\x00" + b"\xc1garbage")


@pytest.mark.parametrize(
    "value",
    [
        None,
        1.5,
        "text",
        b"bin",
        msgpack.ExtType(3, b"x"),
        msgpack.Timestamp(1),
        [1, [2, [3]]],
        {"a": {"b": {}}},
        {1: 2},
    ],
)
def test_unknown_keys_are_ignored(value):
    result = fields()
    result["future"] = value
    assert unpack(msgpack.packb(result)) == small_document()


def test_unknown_keys_may_not_nest_deeper_than_the_cap():
    result = fields()
    result["future"] = [[[[]]]]
    with pytest.raises(LimitError, match="nested deeper than 3 levels"):
        unpack(msgpack.packb(result))


def test_a_key_that_is_not_utf8_is_an_unknown_key():
    assert unpack(b"\xde\x00\x1f" + pack(small_document())[3:] + b"\xa2\xff\xfe\xc0") == small_document()


def test_keys_come_in_any_order_after_the_version():
    result = fields()
    first = {key: result.pop(key) for key in ("format", "version")}
    assert unpack(msgpack.packb({**first, **dict(reversed(result.items()))})) == small_document()


def test_the_version_must_be_the_second_key():
    result = fields()
    swapped = {"format": result.pop("format"), "meta": result.pop("meta"), **result}
    with pytest.raises(MalformedError, match=r'^msgpack document: offset 21: the second key is not "version"$'):
        unpack(msgpack.packb(swapped))


@pytest.mark.parametrize("key", [b"\xa4meta", b"\xa6format", b"\xd9\x04meta", b"\xa7version"])
def test_a_repeated_key_is_refused(key):
    packed = pack(small_document())
    with pytest.raises(
        MalformedError, match=f"^msgpack document: offset {len(packed)}: the key is no text, or a repea"
    ):
        unpack(b"\xde\x00\x1f" + packed[3:] + key + b"\x80")


@pytest.mark.parametrize("key", [b"\x05", b"\xc4\x01x", b"\x90", b"\xc0"])
def test_a_key_that_is_no_text_is_refused(key):
    with pytest.raises(MalformedError, match="the key is no text"):
        unpack(b"\xde\x00\x1f" + pack(small_document())[3:] + key + b"\x80")


def test_the_number_of_keys_at_its_cap():
    result = fields()
    result.update((f"k{i}", None) for i in range(MAX_DOCUMENT_KEYS - len(result)))
    assert len(result) == MAX_DOCUMENT_KEYS
    assert unpack(msgpack.packb(result)) == small_document()
    result["one more"] = None
    with pytest.raises(LimitError, match=f"offset 0: {MAX_DOCUMENT_KEYS + 1} keys, at most {MAX_DOCUMENT_KEYS} are"):
        unpack(msgpack.packb(result))


SINCE_1_1 = ("frame_class", "frame_tier", "frame_presets")


@pytest.mark.parametrize(
    "key", ["meta", "diagnostics", "string_bytes", *(key for key in COLUMNS if key not in SINCE_1_1)]
)
def test_a_missing_key_is_named(key):
    packed = broken(**{key: None})
    with pytest.raises(MalformedError, match=f"^msgpack document: offset {len(packed)}: no {key}$"):
        unpack(packed)


@pytest.mark.parametrize("key", SINCE_1_1)
def test_a_column_that_version_1_0_had_not_is_empty_of_knowledge(key):
    document = unpack(broken(**{key: None, "version": [1, 0]}))
    assert getattr(document, key).tolist() == [0, 0, 0]


def test_no_version_at_all():
    with pytest.raises(MalformedError, match="no version"):
        unpack(b"\x81" + MAGIC)
    with pytest.raises(MalformedError, match="no version"):
        unpack(b"\x80" + MAGIC)


@pytest.mark.parametrize("name", TIMELINE_COLUMNS)
def test_a_part_of_a_timeline(name):
    with pytest.raises(MalformedError, match="only a part of the timeline's columns"):
        unpack(broken(**{f"timeline_{name}": None}))


@pytest.mark.parametrize("key", ["string_bytes", *COLUMNS, *(f"timeline_{name}" for name in TIMELINE_COLUMNS)])
@pytest.mark.parametrize("value", ["text", 5, {"a": 1}, msgpack.ExtType(1, b"abcd")], ids=["str", "int", "map", "ext"])
def test_a_column_that_is_no_bin(key, value):
    with pytest.raises(MalformedError, match=f": {key} is no bin$"):
        unpack(broken(**{key: value}))


@pytest.mark.parametrize("key", [key for key, typecode in COLUMNS.items() if typecode != "B"])
def test_a_column_with_a_part_of_an_item(key):
    with pytest.raises(MalformedError, match=f": {key}: \\d+ bytes are no multiple of [48]$"):
        unpack(broken(**{key: fields()[key] + b"x"}))


@pytest.mark.parametrize("key", [key for key in COLUMNS if key != "string_offsets"])
def test_columns_of_a_table_that_differ_in_length(key):
    size = {"B": 1, "I": 4, "i": 4, "Q": 8}[COLUMNS[key]]
    with pytest.raises(MalformedError, match="differs in length from another column of its table"):
        unpack(broken(**{key: fields()[key] + bytes(size)}))


@pytest.mark.parametrize("name", TIMELINE_COLUMNS)
def test_columns_of_the_timeline_that_differ_in_length(name):
    with pytest.raises(MalformedError, match="differs in length from another column of its table"):
        unpack(broken(**{f"timeline_{name}": fields()[f"timeline_{name}"][8:]}))


STRINGS = len(small_document().string_offsets) - 1

BAD_ROWS = {
    "frame_name": ([2, 3, STRINGS], 2, STRINGS),
    "frame_dso": ([4, STRINGS, NONE], 1, STRINGS),
    "stack_parent": ([NONE, 0, 2, NONE, 0], 2, 2),
    "stack_frame": ([0, 1, 2, 1, 3], 4, 3),
    "event_name": ([NONE, 1], 0, NONE),
    "thread_comm": ([5, NONE - 1, 5], 1, NONE - 1),
    "total_event": ([0, 0, 0, 0, 2], 4, 2),
    "total_thread": ([0, 0, 1, NONE, 3], 4, 3),
    "total_stack": ([1, NONE, 5, 3, 2], 2, 5),
    "timeline_event": ([0, NONE, 1], 1, NONE),
    "timeline_thread": ([0, NONE, 3], 2, 3),
    "timeline_stack": ([5, NONE, 2], 0, 5),
}


@pytest.mark.parametrize("key", BAD_ROWS)
def test_ids_past_their_table_are_told_by_row_and_offset(key):
    values, index, value = BAD_ROWS[key]
    packed = broken(**{key: values})
    with pytest.raises(MalformedError, match=re.escape(f"{key}[{index}] is {value}: ")) as caught:
        unpack(packed)
    assert packed[caught.value.offset :].startswith(value.to_bytes(4, "little"))
    assert packed[: caught.value.offset - 4 * index].endswith(bytes([0xC4, 4 * len(values)]))


@pytest.mark.parametrize("key", ["frame_name", "stack_frame", "event_name", "total_event", "timeline_event"])
def test_none_is_no_id_where_something_must_be(key):
    values = [NONE] * (len(fields()[key]) // 4)
    with pytest.raises(MalformedError, match=re.escape(f"{key}[0] is {NONE}: past the ")):
        unpack(broken(**{key: values}))


@pytest.mark.parametrize("rows", [[(0, 0), (0, 0)], [(0, NONE), (0, 2)], [(1, 0), (0, 1)]])
def test_totals_that_are_repeated_or_unsorted(rows):
    changes = {
        "total_event": [0, 0],
        "total_thread": [row[0] for row in rows],
        "total_stack": [row[1] for row in rows],
        "total_samples": [1, 1],
        "total_period": [1, 1],
    }
    with pytest.raises(MalformedError, match="not greater than in the row before"):
        unpack(broken(**changes))


@pytest.mark.parametrize(
    ("offsets", "message"),
    [
        ([], "string_offsets is empty"),
        ([0, 6, 5, 15, 20, 27, 31, 37], "string_offsets[2] is 5: smaller than the one before"),
        ([1, 6, 15, 19, 25, 31, 35, 35], "string_offsets span 1 to 35, not 0 to 36"),
        ([0, 6, 15, 19, 25, 31, 35, 37], "string_offsets span 0 to 37, not 0 to 36"),
        ([0, 6, 15, 19, 25, 31, 35, (1 << 64) - 1], f"string_offsets span 0 to {(1 << 64) - 1}, not 0 to 36"),
    ],
)
def test_string_offsets(offsets, message):
    size = len(small_document().string_bytes)
    with pytest.raises(MalformedError, match=f": {re.escape(message.replace('36', str(size)))}$"):
        unpack(broken(string_offsets=offsets))


@pytest.mark.parametrize("key", ["total_samples", "total_period", "timeline_period"])
def test_the_sum_of_weights_at_its_cap(key):
    rows = len(fields()[key]) // 8
    assert unpack(broken(**{key: [MAX_TOTAL_WEIGHT - 1, 1, *[0] * (rows - 2)]}))
    packed = broken(**{key: [MAX_TOTAL_WEIGHT - 1, 2, *[0] * (rows - 2)]})
    with pytest.raises(LimitError, match=f"the sum of {key} passes {MAX_TOTAL_WEIGHT}") as caught:
        unpack(packed)
    assert packed[caught.value.offset :].startswith(b"\2" + bytes(7))


def test_a_cpu_below_unknown():
    with pytest.raises(MalformedError, match="timeline_cpu holds a number below -1"):
        unpack(broken(timeline_cpu=[0, -2, 1]))


def test_unknown_kinds_and_units_are_read_as_the_plainest():
    document = unpack(
        broken(frame_kind=[3, 4, 255], event_unit=[4, 3], frame_class=[21, 22, 255], frame_tier=[5, 6, 64])
    )
    assert (document.frame_kind.tolist(), document.event_unit.tolist()) == ([3, 0, 0], [1, 3])
    assert (document.frame_class.tolist(), document.frame_tier.tolist()) == ([21, 0, 0], [5, 0, 0])


@pytest.mark.parametrize("key", ["meta", "diagnostics"])
@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (b"\xc4\x00", MalformedError, "KEY is no map"),
        (b"\x90", MalformedError, "KEY is no map"),
        (b"\x81\x01\x02", MalformedError, "int is not allowed for map key when strict_map_key=True"),
        (b"\x81\xc4\x01a\x02", MalformedError, "a key is no text, or a repeated one"),
        (b"\x82\xa1a\x01\xa1a\x02", MalformedError, "a key is no text, or a repeated one"),
        (b"\x81\xa1a\x82\xa1b\x01\xa1b\x02", MalformedError, "a key is no text, or a repeated one"),
        (b"\x81\xa1a\xca\x00\x00\x00\x00", MalformedError, "byte 0xca starts no value allowed here"),
        (b"\x81\xa1a\xd6\xff\x00\x00\x00\x00", MalformedError, "byte 0xd6 starts no value allowed here"),
        (b"\x81\xa1a\x91\x91\x90", LimitError, "nested deeper than 3 levels"),
    ],
)
def test_maps_that_are_not_plain(key, value, error, message):
    packed = pack(small_document())
    start = packed.index(key.encode()) + len(key)
    other = packed.index({"meta": b"\xabdiagnostics", "diagnostics": b"\xacstring_bytes"}[key])
    with pytest.raises(error, match=f": {re.escape(message.replace('KEY', key))}$") as caught:
        unpack(packed[:start] + value + packed[other:])
    assert start <= caught.value.offset <= start + len(value)


@pytest.mark.parametrize("key", ["meta", "diagnostics"])
def test_the_size_of_a_map_at_its_cap(key):
    overhead = len(msgpack.packb({"k": "x" * 70000})) - 70000
    value = {"k": "x" * (MAX_DOCUMENT_META_BYTES - overhead)}
    assert getattr(unpack(broken(**{key: value})), key) == value
    with pytest.raises(LimitError, match=f"{key} takes {MAX_DOCUMENT_META_BYTES + 1} bytes, at most"):
        unpack(broken(**{key: {"k": value["k"] + "x"}}))


def test_text_that_is_not_utf8_is_kept():
    document = unpack(broken(meta={"host": "caf"}).replace(b"\xa3caf", b"\xa3c\xff\xfe"))
    assert document.meta == {"host": "c\udcff\udcfe"}


@pytest.mark.parametrize(
    "head", [b"\xc6\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff"]
)
@pytest.mark.parametrize("key", [b"\xa4meta", b"\xacstring_bytes", b"\xa6future"])
def test_a_length_of_4_gib_costs_nothing(head, key):
    start = time.process_time()
    with pytest.raises(TruncatedError):
        unpack(b"\x83" + MAGIC + b"\xa7version\x92\x01\x00" + key + head + bytes(1000))
    assert time.process_time() - start < 0.5


def test_a_million_rows_are_checked_fast():
    rows = 1_000_000
    packed = pack(
        build_document(
            [b"x"],
            frame_name=[0],
            frame_dso=[NONE],
            frame_kind=[0],
            event_name=[0],
            event_unit=[0],
            stack_parent=[NONE, *range(rows - 1)],
            stack_frame=[0] * rows,
            total_event=[0] * rows,
            total_thread=[NONE] * rows,
            total_stack=range(rows),
            total_samples=[1] * rows,
            total_period=[1] * rows,
        )
    )
    seconds = []
    for _ in range(3):
        start = time.process_time()
        document = unpack(packed)
        seconds.append(time.process_time() - start)
    assert len(document.stack_parent) == rows
    assert min(seconds) < 0.2


def test_a_big_endian_machine_reads_the_same_numbers(monkeypatch):
    from flameparse.document import reader

    packed = pack(small_document(timeline=False))
    monkeypatch.setattr(reader.sys, "byteorder", "big")
    monkeypatch.setattr(reader._Reader, "check_strings", lambda self: None)
    monkeypatch.setattr(reader._Reader, "check_rows", lambda self: None)
    document = unpack(packed)
    assert document.stack_frame.tolist() == [0, 1 << 24, 2 << 24, 1 << 24, 0]
    assert document.total_period[0] == 20 << 56
