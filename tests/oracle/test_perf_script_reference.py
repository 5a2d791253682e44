"""The decoder reads every recording and every public trace as the slow reference does, sample by sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flameparse.document.document import NONE, UNKNOWN_ID, Document
from flameparse.export.folded_text import folded_chunks
from flameparse.load_options import LoadOptions
from flameparse.pipeline import load
from golden.perf_script_fixtures import FIXTURES, path_of, text_of
from oracle import perf_script_reference as reference

CORPUS = (
    *(
        f"perf-variants/{name}.txt"
        for name in (
            "comm", "comm_ip_sym", "default", "header", "misc", "mmapev", "multi", "nocomm", "nocpu", "nog", "noperiod",
            "notime", "ns", "pidtid", "sched", "srcline",
        )
    ),
    *(
        f"flamegraph/perf-{name}.txt"
        for name in (
            "cycles-instructions-01", "dd-stacks-01", "funcab-cmd-01", "iperf-stacks-pidtid-01", "java-faults-01",
            "java-stacks-02", "js-stacks-01",
        )
    ),
    *(
        f"inferno/{name}.txt"
        for name in (
            "cpp-stacks-std-function", "empty-line", "go-stacks", "java-inline", "no-events", "single-event",
            "single-line-stacks", "weird-stack-line",
        )
    ),
)  # fmt: skip


def document_samples(document: Document) -> list[dict[str, Any]]:
    """Spell a document's time line out as the reference spells its samples."""
    timeline = document.timeline
    assert timeline is not None

    def text(string: int) -> bytes | None:
        return None if string == NONE else document.string(string)

    def number(value: int) -> int | None:
        return None if value == UNKNOWN_ID else value

    frames: list[list[bytes]] = []
    for parent, frame in zip(document.stack_parent, document.stack_frame, strict=True):
        frames.append([document.string(document.frame_name[frame]), *(frames[parent] if parent != NONE else [])])
    rows = zip(*(timeline[key] for key in ("event", "thread", "stack", "cpu", "time_ns", "period")), strict=True)
    return [
        {
            "comm": text(document.thread_comm[thread]),
            "pid": number(document.thread_pid[thread]),
            "tid": number(document.thread_tid[thread]),
            "cpu": None if cpu == -1 else cpu,
            "time_ns": None if time_ns < 0 else time_ns,
            "weight": period,
            "event": document.string(document.event_name[event]),
            "frames": frames[stack] if stack != NONE else [],
        }
        for event, thread, stack, cpu, time_ns, period in rows
    ]


def reference_samples(samples: list[reference.Sample]) -> list[dict[str, Any]]:
    return [
        {
            "comm": sample.comm,
            "pid": sample.pid,
            "tid": sample.tid,
            "cpu": sample.cpu,
            "time_ns": sample.time_ns,
            "weight": sample.weight,
            "event": sample.event,
            "frames": [reference.frame_names(name, module, "raw")[0] for _, name, module in sample.frames],
        }
        for sample in samples
    ]


def check_samples(path: Path, text: bytes) -> None:
    """Compare samples one by one, then the lines that are no sample."""
    expected = reference.parse(text)
    document = load([str(path)], LoadOptions(names="raw", timeline=True))
    actual = document_samples(document)
    for number, (got, wanted) in enumerate(zip(actual, reference_samples(expected), strict=False)):
        assert got == wanted, f"sample {number} of {path.name}"
    assert len(actual) == len(expected)
    assert document.diagnostics.get("unknown_lines", 0) == len(expected.unknown_lines)
    assert document.diagnostics.get("lost", 0) == expected.lost


@pytest.mark.parametrize("fixture", FIXTURES)
def test_fixture(fixture: str) -> None:
    check_samples(path_of(fixture), text_of(fixture))


@pytest.mark.parametrize("name", CORPUS)
def test_corpus(name: str, corpus: Path) -> None:
    check_samples(corpus / name, (corpus / name).read_bytes())


def test_corpus_has_no_other_trace(corpus: Path) -> None:
    folders = ("perf-variants", "flamegraph", "inferno")
    assert {f"{folder}/{path.name}" for folder in folders for path in (corpus / folder).glob("*.txt")} == set(CORPUS)


@pytest.mark.parametrize("name", CORPUS)
@pytest.mark.parametrize(
    "options", [{}, {"root": "tid"}, {"weight": "samples"}, {"event": b"all"}, {"names": "raw"}], ids=str
)
def test_corpus_folds_alike(name: str, options: dict[str, Any], corpus: Path) -> None:
    expected = reference.fold(reference.parse((corpus / name).read_bytes()), **options)
    document = load(
        [str(corpus / name)], LoadOptions(names=options.get("names", "tidy"), root=options.get("root", "comm"))
    )
    chosen = {key: value for key, value in options.items() if key != "names"}
    assert b"".join(folded_chunks(document, **chosen)) == expected
