"""The event of a header without a line end was taken for the first one seen, and so shown by default."""

from __future__ import annotations

import pytest

from decoded_text import sample
from flameparse import limits
from flameparse.load_options import LoadOptions
from flameparse.parallel import perf_script as parallel
from flameparse.pipeline import load


@pytest.mark.parametrize("threads", [1, 2])
def test_it_comes_last(tmp_path, monkeypatch, threads):
    monkeypatch.setattr(limits, "READ_BLOCK_BYTES", 100)
    monkeypatch.setattr(parallel, "PIECES_BEFORE_THREADS", 0)
    trace = tmp_path / "trace"
    trace.write_bytes(b"# a comment\n" + sample() * 5 + sample((), event=b"aaa").rstrip(b"\n"))
    document = load(trace, LoadOptions(threads=threads))
    assert [document.string(name) for name in document.event_name] == [b"cycles", b"aaa"]
