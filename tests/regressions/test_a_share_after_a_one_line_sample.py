"""Whether a line could be the source of a one-line sample hung on what the same thread had read before."""

from __future__ import annotations

from flameparse.decode.perf_script import PerfScriptDecoder
from flameparse.model.profile import Profile

ONE_LINE = b"app 1 1.000000: 1 cycles:           401000 main+0x1 (/bin/app)\n"
REST = b"  what is this\n"


def counts(*units: bytes) -> dict[str, int]:
    decoder = PerfScriptDecoder(Profile())
    for number, unit in enumerate(units):
        decoder.start_unit(number)
        decoder.feed(unit, len(unit), 0)
    decoder.finish(b"", 0, 0)
    return decoder.profile.diagnostics.counts


def test_a_unit_knows_nothing_of_the_one_before():
    assert counts(ONE_LINE + REST) == {"optional_lines": 1}
    assert counts(ONE_LINE, REST) == {"unknown_lines": 1}
