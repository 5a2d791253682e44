"""One recording printed with other fields folds to the same stacks, whatever else its lines say."""

from __future__ import annotations

from collections import Counter

import pytest

from golden.perf_script_fixtures import read_golden

# What `perf script` printed of one perf.data each: the plain print, and others with what they leave out.
PRINTS = {
    "header_comments": {
        "fields_srcline": "", "fields_insn": "", "fields_ns_deltatime": "", "fields_reltime": "", "fields_no_tid": "",
        "fields_no_time": "", "fields_no_event": "", "fields_no_comm": "comm", "fields_no_comm_no_tid": "comm",
        "fields_comm_tid_ip_sym": "period", "fields_ip_sym": "comm period", "fields_comm_tid_ip": "symbols period",
    },
    "no_call_graph": {
        "fields_insn_one_line": "", "fields_srcline_one_line": "", "fields_no_time_one_line": "comm",
        "fields_no_module_one_line": "period",
    },
    "one_line_hex_comm": {"one_line_hex_comm_untimed": ""},
}  # fmt: skip
PERIOD = {"header_comments": 4_000_000, "no_call_graph": 2_500_000, "one_line_hex_comm": 3_333_333}


@pytest.mark.parametrize(("plain", "fixture"), [(plain, fixture) for plain in PRINTS for fixture in PRINTS[plain]])
def test_other_print_of_one_recording(plain: str, fixture: str) -> None:
    missing = PRINTS[plain][fixture].split()
    expected: Counter[bytes] = Counter()
    for line in read_golden(plain).splitlines():
        stack, weight = line.rsplit(b" ", 1)
        comm, *frames = stack.split(b";")
        if "comm" in missing:
            comm = b"[unknown]"
        if "symbols" in missing:
            frames = [b"[unknown]"] * len(frames)
        expected[b";".join([comm, *frames])] += int(weight) // (PERIOD[plain] if "period" in missing else 1)
    assert read_golden(fixture) == b"".join(b"%s %d\n" % item for item in sorted(expected.items()))


def test_one_line_prints_hold_the_leaves() -> None:
    leaves: Counter[bytes] = Counter()
    for line in read_golden("fields_tod_misc_addr").splitlines():
        stack, weight = line.rsplit(b" ", 1)
        frames = stack.split(b";")
        leaves[frames[0] + b";" + frames[-1]] += int(weight)
    assert read_golden("fields_addr_one_line") == b"".join(b"%s %d\n" % item for item in sorted(leaves.items()))
