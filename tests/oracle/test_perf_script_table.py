"""Each header form of the format's table with its numbers: every sample, its weight, thread, cpu, time, event, leaf.

The numbers of a recording come from `perf script -F period` and `perf report -n` over the same perf.data, and were
counted again by hand on the header lines.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from flameparse.document.document import Document
from flameparse.load_options import LoadOptions
from flameparse.pipeline import load
from golden.perf_script_fixtures import path_of
from oracle.test_perf_script_reference import document_samples


class Row(NamedTuple):
    """What a trace must give in sum, and what its first sample is."""

    samples: int
    weight: int
    frames: int
    comm: bytes | None
    pid: int | None
    tid: int | None
    cpu: int | None
    time_ns: int | None
    first_weight: int
    event: bytes
    leaf: bytes


_ALLOCATION = b"get_page_from_freelist"
_LEAF = b"__sin_fma"
_WCPP = Row(142, 713_567_750, 1205, b"wcpp", None, 8783, 0, 1_477_263_450_000, 5_025_125, b"cpu-clock", _ALLOCATION)
_SHOP = Row(11, 44_000_000, 42, b"shop", None, 21967, None, 1_456_215_413_000, 4_000_000, b"cpu-clock", _LEAF)
_LINE = Row(18, 45_000_000, 18, b"shop", None, 22015, None, 1_458_433_094_000, 2_500_000, b"cpu-clock", _LEAF)
_DD = Row(33, 109_999_989, 33, b"dd", None, 22120, None, 1_460_755_175_000, 3_333_333, b"cpu-clock", b"leaf")
_NO_EVENT = b""

CORPUS_ROWS = {
    "default": _WCPP,
    "header": _WCPP,
    "misc": _WCPP,
    "pidtid": _WCPP._replace(pid=8783),
    "ns": _WCPP._replace(time_ns=1_477_263_450_552),
    "noperiod": _WCPP._replace(weight=142, first_weight=1),
    "notime": _WCPP._replace(time_ns=None),
    "nocpu": _WCPP._replace(time_ns=None, cpu=None),
    "nocomm": _WCPP._replace(comm=None),
    "comm_ip_sym": _WCPP._replace(weight=142, first_weight=1, time_ns=None, cpu=None, event=_NO_EVENT),
    "srcline": _WCPP,
    "mmapev": _WCPP,
    "nog": Row(
        212, 424_849_696, 212, b"wcpp", None, 7306, None, 1_401_480_805_000, 2_004_008, b"cpu-clock",
        b"std::_Rb_tree_insert_and_rebalance",
    ),
    "sched": Row(300, 300, 4274, b"perf", None, 7313, 0, 1_402_816_090_000, 1, b"sched:sched_switch", b"__schedule"),
    "multi": Row(507, 793_762_922, 3808, b"wcpp", None, 5720, None, 1_397_203_354_000, 1, b"page-faults", b"elf_load"),
    "comm": Row(
        862, 862_862_862, 1071, b"bash", None, 7456, None, 1_405_905_167_000, 1_001_001, b"cpu-clock:u",
        b"_IO_default_xsputn",
    ),
}  # fmt: skip

FIXTURE_ROWS = {
    "header_comments": _SHOP,
    "fields_reltime": _SHOP._replace(time_ns=0),
    "fields_ns_deltatime": _SHOP._replace(time_ns=0),
    "fields_srcline": _SHOP,
    "fields_insn": _SHOP,
    "fields_no_comm": _SHOP._replace(comm=None),
    "fields_no_comm_no_tid": _SHOP._replace(comm=None, tid=None),
    "fields_no_tid": _SHOP._replace(tid=None),
    "fields_no_time": _SHOP._replace(time_ns=None),
    "fields_no_event": _SHOP._replace(event=_NO_EVENT),
    "fields_comm_tid_ip": _SHOP._replace(weight=11, first_weight=1, time_ns=None, event=_NO_EVENT, leaf=b"[unknown]"),
    "fields_comm_tid_ip_sym": _SHOP._replace(weight=11, first_weight=1, time_ns=None, event=_NO_EVENT),
    "fields_ip_sym": _SHOP._replace(weight=11, first_weight=1, time_ns=None, comm=None, tid=None, event=_NO_EVENT),
    "no_call_graph": _LINE,
    "fields_insn_one_line": _LINE,
    "fields_srcline_one_line": _LINE,
    "fields_no_time_one_line": _LINE._replace(comm=None, time_ns=None),
    "fields_no_module_one_line": _LINE._replace(weight=18, first_weight=1),
    "fields_tod_misc_addr": Row(
        11, 44_000_000, 44, b"shop", None, 22004, None, 1_457_328_544_000, 4_000_000, b"cpu-clock", b"__cos_fma"
    ),
    "fields_addr_one_line": Row(
        11, 44_000_000, 11, b"shop", None, 22004, None, 1_457_328_544_000, 4_000_000, b"cpu-clock", b"__cos_fma"
    ),
    "one_line_hex_comm": _DD,
    "one_line_hex_comm_untimed": _DD._replace(time_ns=None),
    "tracepoint_arguments": Row(
        33, 33, 198, b"sh", None, 10785, 0, 902_377_641_000, 1, b"sched:sched_switch", b"__schedule"
    ),
    "tracepoint_one_line": Row(
        56, 56, 56, b"sh", None, 10785, 0, 902_377_641_000, 1, b"sched:sched_switch", b"__schedule"
    ),
    "perf_record_lines": Row(
        5, 33_333_330, 20, b"shop", None, 24447, None, 1_486_271_906_000, 6_666_666, b"cpu-clock",
        b"(anonymous namespace)::Price::operator<",
    ),
    "events_padded": Row(
        72, 90_000_777, 305, b"shop", None, 10782, None, 901_300_389_000, 1, b"page-faults", b"elf_load"
    ),
    "deep_recursion": Row(
        11, 36_666_663, 885, b"deep", None, 10650, None, 893_784_166_000, 3_333_333, b"cpu-clock", b"leaf"
    ),
}  # fmt: skip


def read(path: Path) -> tuple[Document, list[dict[str, Any]]]:
    document = load([str(path)], LoadOptions(names="raw", timeline=True))
    return document, document_samples(document)


def check(path: Path, row: Row) -> None:
    document, samples = read(path)
    first = samples[0]
    totals = (
        len(samples),
        sum(sample["weight"] for sample in samples),
        sum(len(sample["frames"]) for sample in samples),
    )
    keys = ("comm", "pid", "tid", "cpu", "time_ns", "weight", "event")
    assert Row(*totals, *(first[key] for key in keys), first["frames"][0]) == row
    assert document.diagnostics.get("unknown_lines", 0) == 0
    assert document.diagnostics["samples_seen"] == row.samples


@pytest.mark.parametrize("name", CORPUS_ROWS)
def test_public_variant(name: str, corpus: Path) -> None:
    check(corpus / "perf-variants" / f"{name}.txt", CORPUS_ROWS[name])


@pytest.mark.parametrize("name", FIXTURE_ROWS)
def test_recording(name: str) -> None:
    check(path_of(name), FIXTURE_ROWS[name])


def count(samples: list[dict[str, Any]], key: str) -> dict[Any, tuple[int, int]]:
    """Samples and weight by the value of one field."""
    weights: Counter[Any] = Counter()
    for sample in samples:
        weights[sample[key]] += sample["weight"]
    return {value: (number, weights[value]) for value, number in Counter(sample[key] for sample in samples).items()}


def test_padded_events_keep_their_periods() -> None:
    assert count(read(path_of("events_padded"))[1], "event") == {
        b"page-faults": (6, 801),
        b"context-switches": (3, 3),
        b"cpu-clock:u": (32, 45_714_272),
        b"task-clock:u": (31, 44_285_701),
    }


def test_public_padded_events_keep_their_periods(corpus: Path) -> None:
    assert count(read(corpus / "perf-variants" / "multi.txt")[1], "event") == {
        b"page-faults": (13, 175_566),
        b"context-switches": (98, 188),
        b"cpu-clock": (396, 793_587_168),
    }


def test_tracepoints_with_arguments_are_one_event_each() -> None:
    counted = {b"sched:sched_switch": (2, 2), b"raw_syscalls:sys_enter": (31, 31)}
    assert count(read(path_of("tracepoint_arguments"))[1], "event") == counted


def test_thread_names_come_through_whole() -> None:
    names = (
        b"V8 Worker", b"[ET_NET 0]", b"a  b", b"a:b: c", b"(paren)", b"12345", b"foo/12 3", b"x 77 y", b"t", b"lead",
        b"tail", b"semi;colon", b"#hash", "café".encode(), b"bad\xff\xfe", b"tab\there", b"9.000001: x", b"[000]", None,
        b"kworker/0:1", b"-1", b":-1",
    )  # fmt: skip
    samples = read(path_of("odd_thread_names"))[1]
    assert count(samples, "comm") == dict.fromkeys(names, (3, 7_500_000))
    assert {sample["pid"] for sample in samples} == {10657}
    one_line = count(read(path_of("odd_thread_names_one_line"))[1], "comm")
    few = {b"V8 Worker", b"a  b", b"a:b: c", b"(paren)", b"12345"}
    assert one_line == {name: (2, 5_000_000) if name in few else (3, 7_500_000) for name in names}


def test_public_thread_names_come_through_whole(corpus: Path) -> None:
    samples = read(corpus / "perf-variants" / "comm.txt")[1]
    assert Counter(sample["comm"] for sample in samples) == {
        None: 53, b"#hash": 25, b"(paren)": 56, b"12345": 52, b"V8 WorkerThread": 30, b"[ET_NET 0]": 41, b"a  b": 58,
        b"a:b: c": 56, b"basename": 1, b"bash": 15, b"foo/12 3": 20, b"java": 59, b"kworker/0:1": 56, b"lead": 56,
        b"pyenv-hooks": 2, b"pyenv-version-f": 3, b"pyenv-version-n": 1, b"pyenv-which": 1, b"python3": 50,
        b"readlink": 1, b"semi;colon": 55, b"tab\tname": 60, b"x 77 y": 57, "日本".encode(): 54,
    }  # fmt: skip


def test_deepest_stack_has_what_perf_keeps() -> None:
    samples = read(path_of("deep_recursion"))[1]
    assert max(len(sample["frames"]) for sample in samples) == 127
