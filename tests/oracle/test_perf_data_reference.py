"""The slow reference reads every recording as perf printed it: names, times, events, addresses in the mapped files."""

from __future__ import annotations

import pytest

from golden.perf_data_fixtures import FIXTURES, UNWOUND, path_of, printed_addresses, write_prints
from oracle import perf_data_reference as reference
from oracle import perf_script_live as live


@pytest.mark.parametrize("fixture", FIXTURES)
def test_reference_reads_what_perf_printed(fixture: str, bless: bool) -> None:
    if bless:
        write_prints(fixture)
    recording = reference.read(path_of(fixture))
    assert live.printed(recording, has_stacks=fixture not in UNWOUND) == printed_addresses(fixture)


@pytest.mark.parametrize("fixture", FIXTURES)
def test_reference_understands_every_byte(fixture: str) -> None:
    recording = reference.read(path_of(fixture))
    assert (recording.leftover, recording.bad_samples, recording.unknown_ids) == (0, 0, 0)
    assert (recording.stopped_at is not None) == (fixture == "pipe_trailing_text")
    assert recording.samples
