"""Any document survives its file; any names, any bytes, any ids."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from document_builder import build_document, documents
from flameparse.document.document import COLUMNS
from flameparse.document.reader import looks_like_document, unpack
from flameparse.document.writer import document_chunks, pack
from flameparse.errors import DecodeError, TruncatedError


@given(documents(), st.floats(0, 1, exclude_max=True))
@example(build_document([bytes(range(256)), b";\n\0", b""]), 0.5)
def test_a_document_and_its_file(document, cut):
    packed = pack(document)
    again = unpack(packed)
    assert again == document
    assert pack(again) == packed
    assert b"".join(document_chunks(again)) == packed

    # Text of the system need not be UTF-8, so the reference library is asked for the same leniency.
    fields = msgpack.unpackb(packed, unicode_errors="surrogateescape")
    assert (fields["meta"], fields["diagnostics"]) == (document.meta, document.diagnostics)
    assert fields["string_bytes"] == document.string_bytes
    for name in COLUMNS:
        assert fields[name] == getattr(document, name).tobytes()

    size = int(cut * len(packed))
    assert looks_like_document(packed[:size]) == (size >= 21)
    with pytest.raises(TruncatedError) as caught:
        unpack(packed[:size])
    assert 0 <= caught.value.offset <= size


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_raise_a_decode_error(data, with_magic):
    try:
        unpack(b"\x83\xa6format\xaaflameparse\xa7version\x92\x01\x00" + data if with_magic else data)
    except DecodeError as error:
        assert error.format_name == "msgpack document"
        assert error.offset is not None
    else:
        raise AssertionError("no document was read as one")


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_any_names_are_kept_byte_for_byte(names):
    document = unpack(pack(build_document(names)))
    assert [document.string(id) for id in range(len(names))] == names
