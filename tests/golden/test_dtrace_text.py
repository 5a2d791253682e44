"""Every DTrace input folds to its golden, however it is cut, threaded or compressed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from flameparse.document.reader import unpack
from flameparse.document.writer import pack
from flameparse.export.folded_text import folded_chunks
from flameparse.load_options import LoadOptions
from flameparse.parallel import perf_script as parallel
from flameparse.pipeline import load
from golden.dtrace_fixtures import FIXTURES, FOLDER, HAND_MADE, folded_by_reference, path_of


def folded(path: Path, **options: object) -> bytes:
    return b"".join(folded_chunks(load([str(path)], LoadOptions(**options))))


def read_golden(fixture: str) -> bytes:
    return (FOLDER / f"{fixture}.folded").read_bytes()


@pytest.mark.parametrize("fixture", FIXTURES)
def test_golden(fixture: str, bless: bool) -> None:
    if bless and fixture not in HAND_MADE:
        (FOLDER / f"{fixture}.folded").write_bytes(folded_by_reference(fixture))
    assert folded(path_of(fixture)) == read_golden(fixture)


@pytest.mark.parametrize("fixture", FIXTURES)
def test_reference_agrees(fixture: str) -> None:
    assert folded_by_reference(fixture, "raw") == folded(path_of(fixture), names="raw")
    if fixture not in HAND_MADE:
        assert folded_by_reference(fixture) == read_golden(fixture)


def test_every_golden_belongs_to_a_fixture() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.folded")) == FIXTURES


@pytest.mark.parametrize("fixture", FIXTURES)
def test_compression_line_ends_and_name_do_not_matter(fixture: str, tmp_path: Path) -> None:
    text = path_of(fixture).read_bytes()
    for name, content in (
        ("trace.data.gz", gzip.compress(text)),
        ("trace.folded", text.replace(b"\n", b"\r\n")),
        ("trace", b"\xef\xbb\xbf" + text),
    ):
        (tmp_path / name).write_bytes(content)
        assert folded(tmp_path / name) == read_golden(fixture)


@pytest.mark.parametrize("fixture", FIXTURES)
def test_document_keeps_it(fixture: str) -> None:
    document = load([str(path_of(fixture))])
    again = unpack(pack(document))
    assert b"".join(folded_chunks(again)) == read_golden(fixture)


@pytest.mark.parametrize("fixture", [name for name in FIXTURES if name != "ends_in_a_stack"])
def test_threads_do_not_matter(fixture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = path_of(fixture).read_bytes()
    path = tmp_path / "trace"
    path.write_bytes(text * 200)
    monkeypatch.setattr(parallel.limits, "READ_BLOCK_BYTES", 1000)
    expected = folded(path, threads=1)
    assert folded(path, threads=3) == expected
    weights = {line.rpartition(b" ")[0]: int(line.rpartition(b" ")[2]) for line in read_golden(fixture).splitlines()}
    assert expected == b"".join(b"%s %d\n" % (stack, weight * 200) for stack, weight in weights.items())
