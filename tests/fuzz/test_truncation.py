"""A text cut at any byte gives what its whole lines say, plus what the partial last line says."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any

import pytest

from decoded_text import assert_conserved, decode_folded, decode_perf_script, folded
from flameparse.document.document import Document
from flameparse.errors import FlameparseError
from flameparse.export.folded_text import folded_chunks
from flameparse.passes import name_frames
from flameparse.pipeline import LoadOptions, damage, load
from golden.perf_script_fixtures import FIXTURES, path_of, read_golden, text_of
from oracle import perf_script_reference as reference
from oracle.test_perf_script_forms import FORMS
from oracle.test_perf_script_reference import document_samples, reference_samples
from unit.cli_runs import TRACE, run_here

SMALL = [fixture for fixture in FIXTURES if path_of(fixture).stat().st_size < 5_000]


def decoded(text: bytes) -> Document:
    profile = decode_perf_script(text, timeline=True)
    assert_conserved(profile)
    return folded(name_frames(profile, style="raw"))


def samples(text: bytes) -> list[dict[str, Any]]:
    return document_samples(decoded(text))


def check_as_the_reference(text: bytes) -> None:
    expected = reference.parse(text)
    document = decoded(text)
    assert document_samples(document) == reference_samples(expected), text[-300:]
    assert document.diagnostics.get("unknown_lines", 0) == len(expected.unknown_lines), text[-300:]
    assert document.diagnostics.get("lost", 0) == expected.lost


@pytest.mark.parametrize("form", [form for form in FORMS if len(FORMS[form][0]) < 1_500])
def test_every_cut_of_a_form_is_read_as_the_reference_reads_it(form: str) -> None:
    text = FORMS[form][0]
    for end in range(len(text) + 1):
        check_as_the_reference(text[:end])


@pytest.mark.parametrize("fixture", SMALL)
def test_cuts_of_a_recording_are_read_as_the_reference_reads_them(fixture: str) -> None:
    text = text_of(fixture)
    for end in range(len(fixture), len(text), 53):
        check_as_the_reference(text[:end])


@pytest.mark.parametrize("fixture", SMALL)
def test_every_cut_of_a_recording_keeps_what_was_whole(fixture: str) -> None:
    text = text_of(fixture)
    whole: list[dict[str, Any]] = []
    for end in range(1, len(text) + 1):
        if text[end - 1 : end] == b"\n":
            whole = samples(text[:end])
            continue
        document = decoded(text[:end])
        # The partial line is a header, or a frame of the last sample, or neither.
        assert len(document.timeline["event"]) - len(whole) in (0, 1)
        if end % 7 == 0:
            found = document_samples(document)
            assert found[: len(whole) - 1] == whole[:-1]
            if whole:
                frames = found[len(whole) - 1].pop("frames")
                assert frames[: len(whole[-1]["frames"])] == whole[-1]["frames"]
                assert len(frames) - len(whole[-1]["frames"]) in (0, 1)
                assert found[len(whole) - 1] == {key: value for key, value in whole[-1].items() if key != "frames"}


@pytest.mark.parametrize("fixture", SMALL)
def test_every_cut_of_folded_text(fixture: str) -> None:
    text = read_golden(fixture)[:2_000]
    for end in range(len(text) + 1):
        profile = decode_folded(text[:end])
        assert_conserved(profile)
        lines = [line.rpartition(b" ") for line in text[:end].splitlines()]
        assert profile.samples.held()[0] == sum(int(line[2]) for line in lines if line[0] and line[2].isdigit())


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_exit_codes_of_every_cut(line_end: bytes, tmp_path: Path) -> None:
    text = TRACE.replace(b"\n", line_end)
    trace = tmp_path / "trace"
    codes = set()
    for end in range(len(text) + 1):
        trace.write_bytes(text[:end])
        code, out, err = run_here("fold", "--event", "all", trace)
        expected = reference.parse(text[:end])
        if expected or code != 4:
            assert code == (3 if expected.unknown_lines else 0), text[:end]
            assert out == reference.fold(expected, event=b"all")
        else:
            assert out == b""
            assert b"not a format flameparse knows" in err or b"no event" in err
        codes.add(code)
    assert codes == {0, 3, 4}


def test_every_cut_of_a_gzip_file(tmp_path: Path) -> None:
    packed = gzip.compress(TRACE, mtime=0)
    trace = tmp_path / "trace"
    told = 0
    for end in range(len(packed)):
        trace.write_bytes(packed[:end])
        content = zlib.decompressobj(wbits=31).decompress(packed[:end]) if end >= 3 else b""
        expected = reference.parse(content)
        try:
            document = load(trace, LoadOptions(names="raw", timeline=True))
        except FlameparseError as error:
            # Too little of it to tell what it is.
            assert not expected
            assert "not a format" in str(error)
            continue
        assert document_samples(document) == reference_samples(expected)
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
        assert [name for name in names if name][0] == b"cycles"
        assert b"".join(folded_chunks(document)).startswith(b"app;main")
