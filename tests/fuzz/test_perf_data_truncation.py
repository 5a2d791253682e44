"""Small recordings cut at every byte give what their whole records give, and say where they stopped."""

from __future__ import annotations

from collections.abc import Iterator
from struct import pack_into, unpack_from

import pytest

from decoded_recording import decode, fixture, totals
from flameparse.errors import DecodeError

SAMPLE, AUXTRACE = 9, 71
DATA_PLACES = 40  # of offset and size of the records, in a file's header
FEATURES_PLACE = 72


def record_ends(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield (type, end) of each record between two places."""
    while start < end:
        type, size = unpack_from("<IxxH", data, start)
        start += size
        assert type != AUXTRACE
        yield type, start


def cut_after(data: bytes, start: int, end: int) -> bytes:
    """The whole file that the recorder would have written after a record, but for its features."""
    whole = bytearray(data[:end])
    pack_into("<Q", whole, DATA_PLACES + 8, end - start)
    whole[FEATURES_PLACE : FEATURES_PLACE + 32] = bytes(32)
    return bytes(whole)


@pytest.mark.parametrize("name", ["no_inherit", "one_cpu", "deep"])
@pytest.mark.parametrize("is_seekable", [True, False])
def test_a_cut_file(name: str, is_seekable: bool) -> None:
    data = fixture(name)
    start, size = unpack_from("<QQ", data, DATA_PLACES)
    ends = [start, *(end for _, end in record_ends(data, start, start + size))]
    types = [0, *(type for type, _ in record_ends(data, start, start + size))]
    assert ends[-1] == start + size
    seen = 0
    for number, end in enumerate(ends[:-1]):
        seen += types[number] == SAMPLE
        if types[number] != SAMPLE and types[number + 1] != SAMPLE and number % 8:
            continue
        _, whole = decode(cut_after(data, start, end), is_seekable=is_seekable) if end > start else (None, None)
        expected = {} if whole is None else totals(whole)
        assert sum(count for count, _ in expected.values()) == seen
        for length in {end, end + 1, *range(end + 7, ends[number + 1], 5), ends[number + 1] - 1}:
            _, profile = decode(data[:length], is_seekable=is_seekable)
            assert by_address(profile) == {} if whole is None else by_address(profile) == by_address(whole)
            assert f"stopped at offset {end} of {ends[-1]}" in profile.diagnostics.damage
    assert seen > 2


def by_address(profile) -> dict[object, object]:
    """The totals of a Profile; what events are called may stand behind the cut."""
    return {key[1:]: value for key, value in totals(profile).items()}


@pytest.mark.parametrize("name", ["no_inherit", "one_cpu", "deep"])
def test_a_cut_header_is_refused(name: str) -> None:
    data = fixture(name)
    start = unpack_from("<Q", data, DATA_PLACES)[0]
    for length in range(8, start - 1):
        for is_seekable in (True, False):
            with pytest.raises(DecodeError):
                decode(data[:length], is_seekable=is_seekable)


def pipe() -> tuple[bytes, list[tuple[int, int]]]:
    """The stored pipe among the fixtures, and its records."""
    data = fixture("pipe")
    return data, list(record_ends(data, 16, len(data)))


@pytest.mark.parametrize("is_seekable", [True, False])
def test_a_cut_pipe(is_seekable: bool) -> None:
    data, records = pipe()
    seen, begin = 0, 16
    for number, (type, end) in enumerate(records):
        if type == SAMPLE or number % 16 == 0:
            cuts = {begin + 1, begin + 7, begin + 8, *range(begin + 9, end, 13), end - 1}
            _, expected = decode(data[:begin], is_seekable=is_seekable)
            assert expected.samples.samples_seen == seen
            assert expected.diagnostics.damage == []
            for length in cuts:
                _, profile = decode(data[:length], is_seekable=is_seekable)
                assert totals(profile) == totals(expected)
                assert profile.diagnostics.damage == [f"stopped at offset {begin} of {length}"]
        seen += type == SAMPLE
        begin = end
    assert seen > 20
