"""A line of a mebibyte was read again for every word that could be an id, or blank that could end a comm: for hours."""

from __future__ import annotations

import time

import pytest

from decoded_text import decode_perf_script, named, sample
from flameparse.limits import MAX_LINE_BYTES


@pytest.mark.parametrize("dialect", [None, "stackcollapse-perf", "inferno"])
@pytest.mark.parametrize(
    "piece",
    [
        b"1 ", b"1/2 ", b" ", b"\t", b":", b": ", b"1.000000: ", b" 1.000000:", b"1 [000] ", b"a 1 [000] 1.000000:",
        b"(", b")", b" (", b"a)", b"<", b"insn: ", b" insn:", b" => ", b"0 ", b"f", b"f ", b"-", b"->", b"La/B;::c->",
        b"/", b"[0/x: ", b"K ", b"2020-01-01 ", b"VM:1 VCPU:2 ", b"$LT$", b"::", b"operator", b"{{", b"\0", b"\r",
        b"PERF_RECORD_ ", b"lost 1 ",
    ],
)  # fmt: skip
def test_a_mebibyte_of(piece, dialect):
    long = piece * (MAX_LINE_BYTES // len(piece) - 100)
    header = b"app 10/11 [000] 1.000000: 1 cycles:\n"
    for text in (
        long,
        b"xx" + long + b"y 1 1.000000: 1 cycles:",
        b"xx 1 1.000000: 1 " + long,
        header + b"\t1 " + long,
        header + b"\t1 " + long + b" (/bin/app)",
        header + b"\t1 f (" + long + b")",
        header + b" " + long,
    ):
        start = time.process_time()
        named(decode_perf_script(sample() + text + b"\n\n" + sample(), dialect=dialect), dialect)
        assert time.process_time() - start < 1, text[:80]
