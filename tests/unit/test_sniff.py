"""First bytes to formats, each recognised by what it holds, and what is refused says why."""

from __future__ import annotations

import pytest

from decoded_text import sample
from document_builder import small_document
from flameparse.decode.perf_script import find_cut, looks_like_perf_script
from flameparse.decode.sniff import DOCUMENT, EMPTY, FOLDED_TEXT, PERF_DATA, PERF_SCRIPT, SNIFF_BYTES, sniff
from flameparse.document.writer import pack
from flameparse.errors import SourceError, UnknownFormatError, UnsupportedError
from golden.perf_script_fixtures import FIXTURES, read_golden, text_of


@pytest.mark.parametrize("fixture", FIXTURES)
def test_every_recording_and_its_golden(fixture):
    assert sniff(text_of(fixture)[:SNIFF_BYTES], "x") == PERF_SCRIPT
    assert sniff(read_golden(fixture)[:SNIFF_BYTES], "x") == FOLDED_TEXT


@pytest.mark.parametrize(
    ("head", "format_name"),
    [
        (b"", EMPTY),
        (b" \t\r\n\n", EMPTY),
        (pack(small_document()), DOCUMENT),
        (b"PERFILE2" + b"\0" * 100, PERF_DATA),
        (b"PERFILE2\n\n", PERF_DATA),
        (b"2ELIFREP", PERF_DATA),
        (b"a 1", FOLDED_TEXT),
        (b"a;b c 12\r\n", FOLDED_TEXT),
        (b"# a comment\n\na;b 1.5\n", FOLDED_TEXT),
        (b"\xff\x00;b 3\n", FOLDED_TEXT),
        (b"#hash;b 3\n", FOLDED_TEXT),
        (sample(), PERF_SCRIPT),
        (b"\n\n" + sample(), PERF_SCRIPT),
        (b"\xef\xbb\xbf" + sample(), PERF_SCRIPT),
        (b"# captured on: x\n#\n" + sample(), PERF_SCRIPT),
        (b"Warning: a line of perf's own\n" + sample(), PERF_SCRIPT),
        (sample().replace(b"\n", b"\r\n"), PERF_SCRIPT),
        (b"\t    400100 main+0x1 (/bin/app)\n", PERF_SCRIPT),
        (b"java 19983 cycles:\n", PERF_SCRIPT),
        (b"perf 12 [000] 1.000000: PERF_RECORD_COMM exec: perf:12/12\n", PERF_SCRIPT),
        # A header that ends where the head was cut.
        (b"app 10/11 [000] 1.000000: 100 cycles:", PERF_SCRIPT),
    ],
)
def test_formats(head, format_name):
    assert sniff(head, "x") == format_name


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"PERFFILE", "perf.data version 1, which is not read; no perf of this century writes it"),
        (b"\x7fELF\x02", "an ELF file"),
        (b"DTRJ\1\0\0\0", "a jitdump"),
        (b"JiTD\1\0\0\0", "a jitdump"),
    ],
)
def test_known_formats_that_are_not_read(head, what):
    with pytest.raises(UnsupportedError) as caught:
        sniff(head, "name of it")
    assert str(caught.value).startswith("name of it: this is " + what)


@pytest.mark.parametrize(
    "head",
    [
        b"hello\n",
        b"{}",
        b"a b c",
        b"a;b \n",
        b" 1.2.3\n",
        b"<html>\n",
        b"\x80\x00\x01",
        b"# only a comment\n",
        b"a -1\n",
    ],
)
def test_anything_else(head):
    with pytest.raises(UnknownFormatError) as caught:
        sniff(head, "name of it")
    assert isinstance(caught.value, SourceError)
    message = str(caught.value)
    assert message.startswith("name of it: not a format flameparse knows (tried ")
    assert repr(head[:40]) in message


def test_folded_text_whose_first_line_is_longer_than_the_head():
    line = b"f;" * SNIFF_BYTES + b"f 1\n"
    assert sniff(line[:SNIFF_BYTES], "x") == FOLDED_TEXT
    # All of a short input is in sight: there a line without a weight is no stack.
    for head in (line[: SNIFF_BYTES - 1], b"x" * SNIFF_BYTES, b"f;\0" * SNIFF_BYTES):
        with pytest.raises(UnknownFormatError):
            sniff(head[:SNIFF_BYTES], "x")


def test_looks_like_perf_script_takes_any_contiguous_buffer():
    assert looks_like_perf_script(bytearray(sample()))
    assert looks_like_perf_script(memoryview(sample()))
    assert not looks_like_perf_script(b"")
    for wrong in (memoryview(sample())[::2], "text", None):
        with pytest.raises((ValueError, TypeError, BufferError)):
            looks_like_perf_script(wrong)


ONE = sample()
HEADER = ONE[: ONE.index(b"\n") + 1]


@pytest.mark.parametrize(
    ("block", "place"),
    [
        (b"", 0),
        (b"no line end", 0),
        (b"x\n", 0),
        (ONE, len(ONE)),
        (ONE + HEADER, len(ONE)),
        (ONE + HEADER[:-1], len(ONE)),
        (ONE + HEADER + b"\t1 a (b)\n", len(ONE)),
        (ONE[:-1] + HEADER, len(ONE) - 1),
        (ONE[:-1] + b" \t\r\n" + b"rest", len(ONE) + 3),
        (ONE[:-1] + b"\r\n", len(ONE) + 1),
        (ONE + b"\t1 a (b)\n", len(ONE)),
        # A tab says frame: what stands behind it is no header, and there may be one sample only in sight.
        (HEADER + b"\t" + HEADER, 0),
        (b"\n", 1),
        (b"\n\n\n", 3),
    ],
)
def test_find_cut(block, place):
    assert find_cut(block, len(block)) == place
    # What lies past the filled part is not looked at.
    assert find_cut(block + b"\n\n" + ONE, len(block)) == place
