"""Document -> msgpack: the layout of schema.md, checked with the reference library."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

import msgpack
import pytest

import flameparse.document.reader
from document_builder import build_document, small_document
from flameparse.document import writer
from flameparse.document.document import COLUMNS, TIMELINE_COLUMNS
from flameparse.document.reader import unpack
from flameparse.document.writer import document_chunks, pack
from flameparse.errors import UsageError
from flameparse.limits import MAX_DOCUMENT_META_BYTES

SCHEMA = Path(flameparse.document.reader.__file__).with_name("schema.md").read_text(encoding="utf-8")


def test_the_reference_library_reads_the_file():
    document = small_document()
    fields = msgpack.unpackb(pack(document))
    assert fields["format"] == "flameparse"
    assert fields["version"] == [1, 1]
    assert fields["meta"] == document.meta
    assert fields["diagnostics"] == document.diagnostics
    assert fields["string_bytes"] == document.string_bytes
    for name, typecode in COLUMNS.items():
        assert memoryview(fields[name]).cast(typecode) == getattr(document, name), name
    for name, typecode in TIMELINE_COLUMNS.items():
        assert memoryview(fields[f"timeline_{name}"]).cast(typecode) == document.timeline[name], name


def test_keys_are_those_of_the_schema_in_its_order():
    named = [key for line in re.findall(r"^\| (`.*?) \|", SCHEMA, re.MULTILINE) for key in re.findall(r"`(\w+)`", line)]
    assert list(msgpack.unpackb(pack(small_document()))) == named


def test_columns_are_little_endian():
    fields = msgpack.unpackb(pack(build_document(thread_pid=[-2], thread_tid=[1], thread_comm=[0x01020304])))
    assert (fields["thread_pid"], fields["thread_tid"]) == (b"\xfe\xff\xff\xff", b"\x01\x00\x00\x00")
    assert fields["thread_comm"] == b"\x04\x03\x02\x01"


def test_the_file_starts_as_the_schema_says():
    packed = pack(build_document())
    magic = bytes.fromhex(re.search(r"\*\*Magic rule:\*\* the 18 bytes `([0-9a-f ]+)`", SCHEMA)[1])
    assert packed[:1] == b"\xde"
    assert packed[3:21] == magic == b"\xa6format\xaaflameparse"


def test_the_timeline_is_left_out_as_a_whole():
    assert not [key for key in msgpack.unpackb(pack(build_document())) if key.startswith("timeline")]


def test_equal_documents_are_equal_bytes_whatever_the_order_of_their_maps():
    first = build_document(meta={"b": {"y": 1, "x": 2}, "a": 1}, diagnostics={"d": 1, "c": [{"q": 1, "p": 2}]})
    second = build_document(meta={"a": 1, "b": {"x": 2, "y": 1}}, diagnostics={"c": [{"p": 2, "q": 1}], "d": 1})
    assert pack(first) == pack(second)


def test_chunks_are_views_of_the_columns():
    document = small_document()
    chunks = list(document_chunks(document))
    assert b"".join(chunks) == pack(document)
    assert sum(isinstance(chunk, memoryview) for chunk in chunks) == 1 + len(COLUMNS) + len(TIMELINE_COLUMNS)


@pytest.mark.parametrize("length", [0, 255, 256, 65535, 65536])
def test_every_size_of_a_length(length):
    document = build_document([b"x" * length])
    assert msgpack.unpackb(pack(document))["string_bytes"] == b"x" * length
    assert unpack(pack(document)) == document


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1.5, "a document cannot hold this float in meta or diagnostics: 1.5"),
        ((1,), r"a document cannot hold this tuple in meta or diagnostics: \(1,\)"),
        (object, "a document cannot hold this type "),
        ({1: 2}, "a document cannot hold this dict "),
        ({"a": {"b": []}}, r"a document cannot hold this list in meta or diagnostics: \[\]"),
        (1 << 64, "meta cannot be packed: "),
        ("\ud800", "meta cannot be packed: "),
    ],
)
def test_meta_that_no_document_can_hold(value, message):
    with pytest.raises(UsageError, match=f"^{message}"):
        next(document_chunks(build_document(meta={"key": value})))


def test_meta_may_nest_two_deep_below_the_map():
    document = build_document(meta={"a": {"b": 1}, "c": [[1]]})
    assert unpack(pack(document)) == document


def test_text_of_the_system_that_is_not_utf8_survives():
    document = build_document(meta={"argv": ["caf\udce9"]})
    assert unpack(pack(document)) == document
    assert b"\xa4caf\xe9" in pack(document)


@pytest.mark.parametrize("name", ["meta", "diagnostics"])
def test_the_size_of_a_map_at_its_cap(name):
    overhead = len(msgpack.packb({"k": "x" * 70000})) - 70000
    fits = build_document(**{name: {"k": "x" * (MAX_DOCUMENT_META_BYTES - overhead)}})
    assert unpack(pack(fits)) == fits
    larger = build_document(**{name: {"k": "x" * (MAX_DOCUMENT_META_BYTES - overhead + 1)}})
    with pytest.raises(UsageError, match=f"^{name} takes {MAX_DOCUMENT_META_BYTES + 1} bytes packed"):
        pack(larger)


def test_a_column_of_4_gib_is_refused_before_the_first_chunk(tmp_path):
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(1 << 32)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as pages:
        document = build_document()
        document.string_bytes = memoryview(pages)
        with pytest.raises(UsageError, match=f"^string_bytes takes {1 << 32} bytes; "):
            next(document_chunks(document))
        document.string_bytes = document.string_bytes[:-1]
        assert next(document_chunks(document)).startswith(b"\xde\x00\x18\xa6format")
        document.string_bytes.release()
        document.string_bytes = b""


def test_a_big_endian_machine_writes_and_reads_the_same_file(monkeypatch):
    document = small_document()
    packed = pack(document)
    swapped = small_document()
    for name, typecode in COLUMNS.items():
        setattr(swapped, name, swap(getattr(document, name), typecode))
    swapped.timeline = {name: swap(document.timeline[name], code) for name, code in TIMELINE_COLUMNS.items()}
    monkeypatch.setattr(writer.sys, "byteorder", "big")
    assert pack(swapped) == packed


def swap(column, typecode):
    from array import array

    values = array(typecode, column)
    values.byteswap()
    return memoryview(values)
