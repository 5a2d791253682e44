"""The Document class: what Python users see of it."""

from __future__ import annotations

import gzip

import pytest

from document_builder import build_document, column, small_document
from flameparse.document.document import NONE, Document, EventUnit
from flameparse.errors import MalformedError, SinkError, SourceError, TruncatedError


def test_string_returns_the_bytes_of_an_id():
    document = small_document()
    assert [document.string(id) for id in (0, 3, 6)] == [b"cycles", b"a;b\n\xff\x00", b""]


@pytest.mark.parametrize("id", [7, NONE, -1])
def test_string_refuses_an_id_outside_its_table(id):
    with pytest.raises(IndexError):
        small_document().string(id)


def test_string_of_any_bytes_like_blob():
    document = small_document()
    document.string_bytes = memoryview(bytearray(document.string_bytes))
    assert document.string(1) == b"cpu-clock"


def test_documents_are_equal_by_content():
    assert small_document() == small_document()
    assert small_document() != small_document(timeline=False)
    other = small_document()
    other.total_period = column("Q", [20, 1, 0, 7, (1 << 40) + 1])
    assert small_document() != other
    assert small_document() != "a document"


def test_documents_have_no_hash():
    with pytest.raises(TypeError):
        hash(small_document())


def test_repr_counts_the_tables():
    assert repr(small_document()) == "<Document: 2 events, 3 threads, 3 frames, 5 stacks, 5 totals, timeline>"
    assert repr(build_document()) == "<Document: 0 events, 0 threads, 0 frames, 0 stacks, 0 totals>"


def test_maps_are_copied_so_that_two_documents_never_share_one():
    meta = {"tool": "x"}
    document = build_document(meta=meta)
    document.meta["tool"] = "y"
    assert meta == {"tool": "x"}
    assert build_document().meta is not build_document().meta


def test_every_unit_has_a_name():
    assert [EventUnit.NAMES[unit] for unit in range(EventUnit.COUNT)] == ["samples", "period", "nanoseconds", "bytes"]


def test_write_then_read(tmp_path):
    path = tmp_path / "a.msgpack"
    document = small_document()
    assert document.write(path) == path.stat().st_size
    assert Document.read(path) == document


def test_read_a_compressed_document(tmp_path):
    path = tmp_path / "a.msgpack"
    small_document().write(path)
    packed = gzip.compress(path.read_bytes())
    path.write_bytes(packed)
    assert Document.read(path) == small_document()
    path.write_bytes(packed[:-1])  # the data is whole, its checksum is not
    with pytest.raises(MalformedError, match=r"a\.msgpack: gzip data ends early after \d+ decompressed bytes$"):
        Document.read(path)


def test_read_names_the_file_in_errors(tmp_path):
    path = tmp_path / "a.msgpack"
    path.write_bytes(b"\x80")
    with pytest.raises(TruncatedError, match=r"a\.msgpack: msgpack document: offset 1: the first key is cut$"):
        Document.read(path)


def test_read_and_write_report_the_system_s_errors(tmp_path):
    with pytest.raises(SourceError):
        Document.read(tmp_path / "missing")
    with pytest.raises(SinkError):
        small_document().write(tmp_path / "missing" / "a.msgpack")
