"""A text cut at any byte gives what its whole lines say, plus what the partial last line says."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any

import pytest

from decoded_text import assert_conserved, decode_folded, decode_perf_script, folded
from flameparse.decode.sniff import EMPTY, FOLDED_TEXT, PERF_SCRIPT, sniff
from flameparse.document.account import damage
from flameparse.document.document import Document
from flameparse.errors import UnknownFormatError
from flameparse.export.folded_text import folded_chunks
from flameparse.load_options import LoadOptions
from flameparse.passes import name_frames
from flameparse.pipeline import load
from golden.perf_script_fixtures import FIXTURES, path_of, read_golden, text_of
from oracle import perf_script_reference as reference
from oracle.test_perf_script_forms import FORMS
from oracle.test_perf_script_reference import document_samples, reference_samples
from unit.cli_runs import TRACE, run_here

SMALL = [fixture for fixture in FIXTURES if path_of(fixture).stat().st_size < 3_500]


def decoded(text: bytes) -> Document:
    profile = decode_perf_script(text, timeline=True)
    assert_conserved(profile)
    return folded(name_frames(profile, style="raw"))


TEXTS = {
    **{fixture: text_of(fixture) for fixture in SMALL},
    # Where a chain follows, its first frame takes the place of the header's last field: a torn one is not just added.
    **{form: FORMS[form][0] for form in FORMS if len(FORMS[form][0]) < 1_500 and "before_a_chain" not in form},
}


@pytest.mark.parametrize("name", TEXTS)
def test_every_cut_keeps_what_was_whole(name: str) -> None:
    text = TEXTS[name]
    whole: list[dict[str, Any]] = []
    unknown = 0
    for end in range(1, len(text) + 1):
        document = decoded(text[:end])
        now_unknown = document.diagnostics.get("unknown_lines", 0)
        if text[end - 1 : end] == b"\n":
            expected = reference.parse(text[:end])
            whole, unknown = document_samples(document), now_unknown
            assert whole == reference_samples(expected)
            assert unknown == len(expected.unknown_lines)
            assert document.diagnostics.get("lost", 0) == expected.lost
            continue
        # The partial line is a header, or a frame of the last sample, or neither; if it is nothing, that is counted.
        added = len(document.timeline["event"]) - len(whole)
        assert added in (0, 1)
        assert now_unknown - unknown in (0, 1 - added)
        if whole and end % 5 == 0:
            *found, last = document_samples(document)[: len(whole)]
            assert found == whole[:-1]
            frames = whole[-1]["frames"]
            assert last["frames"][: len(frames)] == frames
            assert len(last["frames"]) - len(frames) in (0, 1)
            assert {**last, "frames": frames} == whole[-1]


@pytest.mark.parametrize("fixture", SMALL)
def test_every_cut_of_folded_text(fixture: str) -> None:
    text = read_golden(fixture)[:2_000]
    for end in range(len(text) + 1):
        profile = decode_folded(text[:end])
        assert_conserved(profile)
        lines = [line.rpartition(b" ") for line in text[:end].splitlines()]
        assert profile.samples.held()[0] == sum(int(line[2]) for line in lines if line[0] and line[2].isdigit())


def folded_by_line(text: bytes) -> bytes:
    """What a first line that is cut before it says more than a stack and a number gives."""
    stack, _, weight = text.rpartition(b" ")
    return b"%s %d\n" % (stack, round(float(weight)))


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_exit_codes_of_every_cut(line_end: bytes, tmp_path: Path) -> None:
    text = TRACE.replace(b"\n", line_end)
    trace = tmp_path / "trace"
    codes = []
    for end in range(len(text) + 1):
        trace.write_bytes(text[:end])
        code, out, err = run_here("fold", "--event", "all", trace)
        codes.append(code)
        if code == 4:
            assert out == b""
            assert b"not a format flameparse knows" in err
        elif sniff(text[:end], "") == FOLDED_TEXT:
            assert (code, out) == (0, folded_by_line(text[:end]))
        else:
            expected = reference.parse(text[:end])
            assert code == (3 if expected.unknown_lines else 0), text[:end]
            assert out == reference.fold(expected, event=b"all")
    # Nothing; the name; a number, which could be a weight; a number and a slash; from the time on, a header.
    first = text.index(b"100 cycles")
    assert set(codes[:first]) == {0, 4}
    assert codes[0] == 0
    assert set(codes[text.index(b"\t") :]) == {0, 3}


def test_every_cut_of_a_gzip_file(tmp_path: Path) -> None:
    packed = gzip.compress(TRACE, mtime=0)
    trace = tmp_path / "trace"
    told = 0
    for end in range(len(packed)):
        trace.write_bytes(packed[:end])
        content = zlib.decompressobj(wbits=31).decompress(packed[:end]) if end >= 3 else packed[:end]
        try:
            format_name = sniff(content, "")
        except UnknownFormatError:
            # Too little of it to tell what it is.
            with pytest.raises(UnknownFormatError):
                load(trace)
            continue
        document = load(trace, LoadOptions(names="raw", timeline=True))
        if format_name == PERF_SCRIPT:
            assert document_samples(document) == reference_samples(reference.parse(content))
        else:
            assert format_name in (EMPTY, FOLDED_TEXT)
        if end >= 3:
            told += 1
            assert f"gzip data ends early after {len(content)} decompressed bytes" in str(damage(document))
    assert told > len(packed) // 2


def test_a_cut_recording_keeps_its_events_in_order(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    for end in range(TRACE.index(b"db 20"), len(TRACE)):
        trace.write_bytes(b"# a comment\n" + TRACE[:end])
        document = load(trace)
        names = [document.string(name) for name in document.event_name]
        assert next(name for name in names if name) == b"cycles"
        assert b"".join(folded_chunks(document)).startswith(b"app;main")
