"""Headers without stacks were no `perf script` text if their lines ended in CR LF, and never cut for threads."""

from __future__ import annotations

import pytest

from decoded_text import sample
from flameparse.decode.perf_script import find_cut
from flameparse.decode.sniff import PERF_SCRIPT, sniff

LINE = b"app 1 1.000000: 1 cycles:           401000 main+0x1 (/bin/app)\r\n"


@pytest.mark.parametrize("header", [sample(()).replace(b"\n", b"\r\n"), b"java 19983 cycles:\r\n"])
def test_they_are_recognised(header):
    assert sniff(header, "") == PERF_SCRIPT
    assert sniff(header[:-1], "") == PERF_SCRIPT


def test_they_are_cut():
    assert find_cut(LINE * 3, len(LINE) * 3) == 2 * len(LINE)
