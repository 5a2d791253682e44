"""A thread named "# x" was written to folded text, and was a comment when that text was read."""

from __future__ import annotations

from decoded_text import sample
from flameparse.export.folded_text import folded_chunks
from flameparse.pipeline import load


def test_what_was_written_is_read(tmp_path):
    trace = tmp_path / "trace"
    trace.write_bytes(sample(comm=b"# x", period=5))
    text = b"".join(folded_chunks(load(trace)))
    assert text == b"# x;main;leaf 5\n"
    # Beside it a comment is one still.
    trace.write_bytes(text + b"# written by hand; not 7 times\n# total 5\n" + text)
    document = load(trace)
    assert b"".join(folded_chunks(document)) == b"# x;main;leaf 10\n"
    assert "unknown_lines" not in document.diagnostics
