"""What a survey counts, sample by sample, and what is said of it for every version of Node."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from decoded_text import decode_perf_script, named
from flameparse.document.account import warnings
from flameparse.document.document import Document
from flameparse.fold import fold
from flameparse.load_options import LoadOptions
from flameparse.missing_frames.remedies import findings, foremost, node_versions, summary_line
from flameparse.missing_frames.survey import major_of_path, survey
from flameparse.model.profile import Profile
from flameparse.pipeline import load
from recording_builder import Writer
from unit.cli_runs import run_here

START = "__libc_start_call_main (/usr/lib/libc.so.6)"
MAIN = "node::Start (/usr/bin/node)"
ENTRY = "Builtins_JSEntry (/usr/bin/node)"
TRAMPOLINE = "Builtins_InterpreterEntryTrampoline (/usr/bin/node)"
HANDLER = "Builtins_LdarHandler (/usr/bin/node)"
HOT = "JS:*hot /app/a.js:1:2 (/tmp/perf-7.map)"
COLD = "JS:~cold /app/a.js:3:4 (/tmp/perf-7.map)"
NAMELESS = "[unknown] (/tmp/perf-7.map)"
KERNEL = "do_syscall_64 ([kernel.kallsyms])"
ROOTS = (ENTRY, MAIN, START)


def text(*stacks: tuple[str, ...], thread: str = "node 7/7", times: int = 1) -> bytes:
    """Samples, leaf first."""
    lines = [f"{thread} 1.000000: 1 cycles:\n" + "".join(f"\t1000 {frame}\n" for frame in stack) for stack in stacks]
    return ("\n".join(lines) + "\n").encode() * times


def profile_of(*texts: bytes) -> Profile:
    return named(decode_perf_script(b"".join(texts)))


def counts_of(*texts: bytes) -> dict[str, Any]:
    counts = survey(profile_of(*texts))
    assert counts is not None
    return counts


def told(*texts: bytes) -> dict[str, Any]:
    """The figures that are not zero, but for those that each survey has."""
    usual = ("samples", "thread_samples", "at_limit", "max_stack", "deepest", "threads", "node_first", "node_last")
    return {key: value for key, value in counts_of(*texts).items() if value and key not in usual}


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ((HOT, *ROOTS), {"named": 1}),
        ((COLD, *ROOTS), {"named": 1, "interpreted_named": 1}),
        ((ENTRY, MAIN, START), {}),
        (
            (TRAMPOLINE, TRAMPOLINE, *ROOTS),
            {"interpreted": 1, "interpreted_frames": 2, "interpreted_innermost": 1, "interpreted_leaf": 1},
        ),
        (
            (KERNEL, HANDLER, TRAMPOLINE, *ROOTS),
            {
                "interpreted": 1,
                "interpreted_frames": 1,
                "interpreted_innermost": 1,
                "interpreted_leaf": 1,
                "handlers": 1,
            },
        ),
        (
            ("memcpy (/usr/lib/libc.so.6)", TRAMPOLINE, *ROOTS),
            {"interpreted": 1, "interpreted_frames": 1, "interpreted_innermost": 1},
        ),
        ((HOT, TRAMPOLINE, *ROOTS), {"named": 1, "interpreted": 1, "interpreted_frames": 1}),
        ((HANDLER, COLD, *ROOTS), {"named": 1, "interpreted_named": 1, "handlers": 1}),
        (
            ("RegExp:a+ (/tmp/perf-7.map)", TRAMPOLINE, *ROOTS),
            {"named": 1, "interpreted": 1, "interpreted_frames": 1, "interpreted_innermost": 1},
        ),
        (
            (NAMELESS, NAMELESS, HOT, *ROOTS),
            {"named": 1, "unresolved": 1, "unresolved_frames": 2, "unresolved_pids": [7]},
        ),
        (
            ("[unknown] (//anon)", *ROOTS),
            {"unresolved": 1, "unresolved_frames": 1, "unresolved_pids": [7]},
        ),
        # The private copies of the trampoline that a flag asks for have the function's name.
        ((COLD, COLD, *ROOTS), {"named": 1, "interpreted_named": 1}),
        (("BytecodeHandler:Ldar (/tmp/perf-7.map)", *ROOTS), {"handlers": 1}),
        (("Handler:UnknownBytecodeHadler (/tmp/perf-7.map)", *ROOTS), {"handlers": 1}),
        (
            ("Builtin:InterpreterEntryTrampoline (/tmp/perf-7.map)", *ROOTS),
            {"interpreted": 1, "interpreted_frames": 1, "interpreted_innermost": 1, "interpreted_leaf": 1},
        ),
        # The function that makes the copies is no trampoline.
        (("v8::internal::Builtins::CreateInterpreterEntryTrampolineForProfiling (/usr/bin/node)", HOT, *ROOTS), {
            "named": 1
        }),
    ],
)  # fmt: skip
def test_one_sample(stack: tuple[str, ...], expected: dict[str, Any]) -> None:
    assert told(text(stack)) == expected
    assert counts_of(text(stack))["samples"] == 1


@pytest.mark.parametrize(
    "stack",
    [
        ("main (/bin/app)", START),
        ("v8::internal::Heap::Scavenge (/usr/bin/node)", MAIN, START),
        ("py::run:/app/a.py (/tmp/perf-7.map)", "_PyEval_EvalFrameDefault (/usr/bin/python3.12)", START),
        (NAMELESS, "JavaCalls::call_helper (/usr/lib/jvm/lib/server/libjvm.so)", START),
        ("Lorg/acme/Job;::run (/tmp/perf-7.map)", "JavaCalls::call_helper (/usr/lib/jvm/libjvm.so)", START),
        (),
    ],
)
def test_others_have_no_javascript(stack: tuple[str, ...]) -> None:
    assert survey(profile_of(text(stack))) is None


def test_a_nameless_frame_is_javascript_where_its_process_runs_v8() -> None:
    java = text((NAMELESS.replace("7", "8"), "JavaCalls::call (/usr/lib/jvm/libjvm.so)", START), thread="java 8/8")
    node = text((NAMELESS, MAIN, START), thread="node 7/7")
    counts = counts_of(java, node)
    assert (counts["samples"], counts["unresolved"], counts["unresolved_pids"]) == (1, 1, [7])


def test_samples_are_counted_and_not_weights() -> None:
    heavy = text((TRAMPOLINE, *ROOTS)).replace(b" 1 cycles", b" 1000000 cycles")
    assert counts_of(heavy, heavy)["interpreted"] == 2


def test_frames_are_counted_up_to_what_a_document_holds(tmp_path: Path) -> None:
    unit = "Builtins_InterpreterEntryTrampoline;[perf-7.map]"
    for samples, expected in ((5 << 60, (1 << 63) - 1), ((1 << 62) - 1, (1 << 63) - 2)):
        (tmp_path / "a.folded").write_text(f"node;{unit};{unit} {samples}\n")
        counts: Any = load(tmp_path / "a.folded").diagnostics["javascript"]
        assert (counts["interpreted_frames"], counts["unresolved_frames"]) == (expected, expected)


def test_the_worst_processes_are_listed() -> None:
    texts = [
        text((NAMELESS.replace("7", str(pid)), MAIN, START), thread=f"node {pid}/{pid}", times=pid)
        for pid in range(1, 8)
    ]
    assert counts_of(*texts)["unresolved_pids"] == [7, 6, 5, 4, 3]


def test_a_pid_that_the_header_lacks_is_that_of_the_map() -> None:
    main, worker = text((HOT, *ROOTS), thread="node 7"), text((NAMELESS, *ROOTS), thread="node 9")
    other = text((HOT.replace("perf-7", "perf-8"), *ROOTS), thread="node 8")
    assert (counts_of(main, worker)["threads"], counts_of(main, worker)["unresolved_pids"]) == (2, [7])
    assert counts_of(main, other)["threads"] == 1


def test_threads_count_by_number_and_only_where_they_run_javascript() -> None:
    texts = (
        text((HOT, *ROOTS), thread="node 7/7"),
        text((HOT, *ROOTS), thread="renamed 7/7"),
        text((HOT, ENTRY, "start_thread (/usr/lib/libc.so.6)"), thread="node 7/9"),
        text(("v8::internal::Sweeper::Sweep (/usr/bin/node)", START), thread="node 7/10"),
        text((HOT, *ROOTS), thread="node 11/11"),
    )
    counts = counts_of(*texts)
    assert (counts["threads"], counts["thread_samples"], counts["samples"]) == (2, 4, 4)


@pytest.mark.parametrize(
    ("root", "is_broken"),
    [
        (START, False),
        ("_start (/usr/bin/node)", False),
        ("main (/usr/bin/node)", False),
        ("start_thread (/usr/lib/libc.so.6)", False),
        ("__clone3 (/usr/lib/libc.so.6)", False),
        ("_dl_start_user (/usr/lib/ld-linux-x86-64.so.2)", False),
        ("[unknown] (/usr/lib/libc.so.6)", False),
        ("ret_from_fork ([kernel.kallsyms])", False),
        ("[unknown] ([unknown])", True),
        ("malloc (/usr/lib/libc.so.6)", True),
        ("node::Start (/usr/bin/node)", True),
        (HOT, True),
    ],
)
def test_roots(root: str, is_broken: bool) -> None:
    assert counts_of(text((HOT, ENTRY, root)))["broken"] == is_broken


def test_a_stack_of_javascripts_thread_may_have_lost_all_of_it() -> None:
    lost = text(("__vfprintf (/usr/lib/libc.so.6)", "[unknown] ([unknown])"), ("[unknown] (/usr/lib/libc.so.6)",))
    counts = counts_of(text((HOT, *ROOTS)), lost)
    assert (counts["samples"], counts["thread_samples"], counts["broken"]) == (1, 3, 2)


@pytest.mark.parametrize(
    ("depth", "max_stack", "truncated", "broken"),
    [(126, None, 0, 1), (127, None, 1, 0), (128, None, 0, 1), (39, 40, 0, 1), (40, 40, 1, 0), (41, 40, 0, 1)],
)
def test_the_depth_cap(depth: int, max_stack: int | None, truncated: int, broken: int) -> None:
    profile = profile_of(text((HOT,) * depth), text((HOT, "f (inlined)", *ROOTS)))
    profile.meta = {} if max_stack is None else {"max_stack": max_stack}
    counts = survey(profile)
    assert counts is not None
    assert (counts["truncated"], counts["broken"], counts["max_stack"]) == (truncated, broken, max_stack or 127)
    assert counts["at_limit"] == truncated


def test_a_whole_stack_may_have_as_many_frames_as_the_cap() -> None:
    counts = counts_of(text((HOT,) * 127, (*(HOT,) * 124, *ROOTS)))
    assert (counts["at_limit"], counts["truncated"]) == (2, 1)


def test_inlined_frames_do_not_count_to_the_depth() -> None:
    assert counts_of(text((HOT, "f (inlined)") * 127))["truncated"] == 1
    assert counts_of(text((HOT, "f (inlined)") * 126))["truncated"] == 0


@pytest.mark.parametrize(
    ("depth", "stacks", "found"), [(300, 4, 300), (300, 3, 127), (40, 4, 40), (16, 4, 16), (15, 4, 127)]
)
def test_a_cap_that_nobody_told_shows_in_several_stacks(depth: int, stacks: int, found: int) -> None:
    leaves = [f"JS:*f{i} /app/a.js:1:2 (/tmp/perf-7.map)" for i in range(stacks)]
    counts = counts_of(text((HOT, *ROOTS), *((leaf, *(HOT,) * (depth - 1)) for leaf in leaves)))
    assert counts["max_stack"] == found
    assert counts["truncated"] == (stacks if found == depth else 0)
    assert counts["deepest"] == depth


def test_a_recording_tells_its_cap(tmp_path: Path) -> None:
    w = Writer()
    for cap, expected in ((0, None), (40, 40)):
        attr = w.attr(sample_type=1 << 5, sample_max_stack=cap)
        (tmp_path / "perf.data").write_bytes(w.file([(attr, [11])], b""))
        assert load(tmp_path / "perf.data").meta.get("max_stack") == expected


@pytest.mark.parametrize("value", ["64", -1, 0, 1 << 40, None, True])
def test_a_cap_that_is_no_number_of_frames_is_not_believed(value: object) -> None:
    profile = profile_of(text((HOT, *ROOTS)))
    profile.meta = {"max_stack": value}
    counts = survey(profile)
    assert counts is not None
    assert counts["max_stack"] == 127


@pytest.mark.parametrize(
    ("frame", "first", "last"),
    [
        ("JS:*f /app/a.js:1:2 (/tmp/perf-7.map)", 19, 0),
        ("JS:+f /app/a.js:1:2 (/tmp/perf-7.map)", 20, 0),
        ("JS:*'f /app/a.js:1:2 (/tmp/perf-7.map)", 24, 0),
        ("JS:o*f /app/a.js:1:2 (/tmp/perf-7.map)", 25, 0),
        ("RegExp.> src: 'a' flags: '' (/tmp/perf-7.map)", 24, 0),
        ("RegExp.< src: 'a' flags: '' (/tmp/perf-7.map)", 25, 0),
        ("RegExp:a (/tmp/perf-7.map)", 0, 0),
        ("LazyCompile:*f /app/a.js:1 (/tmp/perf-7.map)", 0, 18),
        ("LazyCompile:*f node:fs:1 (/tmp/perf-7.map)", 15, 18),
        ("Function:^f /app/a.js:1 (/tmp/perf-7.map)", 16, 18),
        ("InterpretedFunction:f /app/a.js:1 (/tmp/perf-7.map)", 10, 15),
        ("LoadIC:A load IC from the snapshot (/tmp/perf-7.map)", 0, 9),
        ("Builtins_ArrayMap (/usr/bin/node)", 12, 0),
        ("Builtins_ArrayMap (/root/.nvm/versions/node/v22.3.0/bin/node)", 22, 22),
        ("Builtins_ArrayMap (/opt/node-v18.20.2-linux-x64/bin/node)", 18, 18),
        ("Builtins_ArrayMap (/opt/v8.1.0/bin/node)", 12, 0),
        ("Builtins_ArrayMap (/opt/v22.3.0/bin/myapp)", 12, 0),
    ],
)
def test_versions(frame: str, first: int, last: int) -> None:
    counts = counts_of(text((frame, "Builtin:JSEntry (/tmp/perf-7.map)", START)))
    assert (counts["node_first"], counts["node_last"]) == (first, last)


def test_hints_of_two_versions_say_none() -> None:
    counts = counts_of(text((HOT, *ROOTS), ("LazyCompile:*f /app/a.js:1 (/tmp/perf-7.map)", *ROOTS)))
    assert (counts["node_first"], counts["node_last"]) == (0, 0)


def of_node(version: str, pid: int, *frames: str, times: int = 1) -> bytes:
    node = f"Builtins_JSEntry (/opt/node/{version}/bin/node)" if version else ENTRY
    return text((*frames, node, START), thread=f"node {pid}/{pid}", times=times)


@pytest.mark.parametrize(
    ("texts", "first", "last"),
    [
        ((of_node("v20.1.0", 7), of_node("v24.3.0", 8)), 20, 24),
        ((of_node("v24.3.0", 8), of_node("v20.1.0", 7)), 20, 24),
        ((of_node("v24.3.0", 7), of_node("v24.3.0", 8)), 24, 24),
        # By their names: + is of Node 20 and later, *' of 24 and later.
        ((of_node("", 7, "JS:+f /a.js:1:2 (/tmp/perf-7.map)"), of_node("", 8, "JS:*'f /a.js:1:2 (/tmp/perf-8.map)")),
         20, 0),
        ((of_node("", 7, "JS:+f /a.js:1:2 (/tmp/perf-7.map)"),
          of_node("", 8, "Function:^f /a.js:1 (/tmp/perf-8.map)")), 16, 0),
        ((of_node("v18.2.0", 7), of_node("", 8, "InterpretedFunction:f /a.js:1 (/tmp/perf-8.map)")), 12, 18),
        # A process with one percent of the busiest one's samples does not count, one with more does.
        ((of_node("v24.3.0", 7, times=100), of_node("v20.1.0", 8)), 24, 24),
        ((of_node("v24.3.0", 7, times=99), of_node("v20.1.0", 8)), 20, 24),
    ],
)  # fmt: skip
def test_processes_may_be_of_several_versions(texts: tuple[bytes, ...], first: int, last: int) -> None:
    counts = counts_of(*texts)
    assert (counts["node_first"], counts["node_last"]) == (first, last)


def test_what_holds_for_one_of_the_versions_only_is_said_with_that_condition() -> None:
    [finding] = findings(counted(interpreted=9, interpreted_innermost=9, **version(20, 24)), {"command": PROF})
    assert finding.mend == f"add {FLAG}, from Node 22 on with --no-node-snapshot"


@pytest.mark.parametrize(
    ("path", "major"),
    [
        (b"/usr/bin/node", 0),
        (b"/home/u/.volta/tools/image/node/20.1.0/bin/node", 20),
        (b"/opt/python-3.11/bin/node", 0),
        (b"/nix/store/abc-nodejs-20.1.0/bin/node", 20),
        (b"/opt/node-v22.x.0/bin/node", 0),
        (b"", 0),
    ],
)
def test_major_of_path(path: bytes, major: int) -> None:
    assert major_of_path(path) == major


def test_annotated_names_are_read_as_the_plain_ones(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(text((HOT, NAMELESS, TRAMPOLINE, *ROOTS), (HANDLER, COLD, *ROOTS)))
    plain = load(tmp_path / "a.txt").diagnostics["javascript"]
    for options in (
        LoadOptions(annotate_jit=True, annotate_kernel=True),
        LoadOptions(names="raw"),
        LoadOptions(compat="inferno"),
        LoadOptions(compat="stackcollapse-perf"),
        LoadOptions(addrs=True),
        LoadOptions(timeline=True),
    ):
        assert load(tmp_path / "a.txt", options).diagnostics["javascript"] == plain


def test_folded_text_has_labels_for_roots(tmp_path: Path) -> None:
    lines = (
        "node;_start;JS:*hot /app/a.js:1:2;[perf-7.map] 3\n"
        "node;_start;Builtins_JSEntry;Builtins_InterpreterEntryTrampoline 2\n"
        "node;main 1\n"
    )
    (tmp_path / "a.folded").write_text(lines)
    counts: Any = load(tmp_path / "a.folded").diagnostics["javascript"]
    assert (counts["samples"], counts["interpreted"], counts["unresolved"], counts["named"]) == (5, 2, 3, 3)
    assert (counts["thread_samples"], counts["broken"], counts["unresolved_pids"]) == (0, 0, [])


def test_dtrace_prints_code_as_bare_addresses_and_modules_before_names(tmp_path: Path) -> None:
    frames = ("node`Builtins_LdarHandler+0x10", "node`Builtins_InterpreterEntryTrampoline+0xdc", "0x3cd5f8a04d20")
    stack = "".join(f"              {frame}\n" for frame in (*frames, "node`Builtins_JSEntry+0x1", "node`_start+0x1"))
    (tmp_path / "a.dtrace").write_text(f"CPU     ID                    FUNCTION:NAME\n\n\n{stack}               12\n\n")
    counts: Any = load(tmp_path / "a.dtrace").diagnostics["javascript"]
    keys = ("samples", "interpreted", "interpreted_innermost", "handlers", "unresolved", "unresolved_frames", "broken")
    assert [counts[key] for key in keys] == [12, 12, 12, 12, 12, 12, 0]


def test_what_skip_after_cut_is_not_broken(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(text((HOT, ENTRY, MAIN, START), times=3) + text((HOT, ENTRY, START)))
    counts: Any = load(tmp_path / "a.txt", LoadOptions(skip_after=[b"node::Start"])).diagnostics["javascript"]
    assert (counts["samples"], counts["thread_samples"], counts["broken"]) == (4, 1, 0)


def test_filters_apply_before_and_hiding_after(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(text((TRAMPOLINE, *ROOTS), (HOT, *ROOTS)))
    filtered: Any = load(tmp_path / "a.txt", LoadOptions(exclude=[("frame", b"^JS:")])).diagnostics["javascript"]
    assert (filtered["samples"], filtered["interpreted"], filtered["node_first"]) == (1, 1, 12)
    document = load(tmp_path / "a.txt", LoadOptions(exclude=[("frame", b"Builtins_JSEntry")]))
    assert "javascript" not in document.diagnostics


def test_a_document_and_a_merge_are_surveyed_afresh(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(text((TRAMPOLINE, *ROOTS), (HOT, "[unknown] ([unknown])")))
    (tmp_path / "b.txt").write_bytes(text((COLD, *ROOTS), thread="node 7/8"))
    document = load(tmp_path / "a.txt")
    document.write(tmp_path / "a.msgpack")
    assert load(tmp_path / "a.msgpack").diagnostics["javascript"] == document.diagnostics["javascript"]
    merged = load([tmp_path / "b.txt", tmp_path / "a.msgpack"]).diagnostics["javascript"]
    assert merged == load([tmp_path / "a.txt", tmp_path / "b.txt"]).diagnostics["javascript"]
    assert merged == counts_of((tmp_path / "a.txt").read_bytes(), (tmp_path / "b.txt").read_bytes())


def test_the_survey_changes_nothing() -> None:
    profile = profile_of(text((TRAMPOLINE, *ROOTS), (NAMELESS, *ROOTS)))
    before = fold(profile, meta={}, diagnostics={})
    survey(profile)
    after = fold(profile, meta={}, diagnostics={})
    assert bytes(before.total_samples) == bytes(after.total_samples)
    assert bytes(before.stack_frame) == bytes(after.stack_frame)


# What is said of it


def counted(**figures: Any) -> dict[str, Any]:
    """A survey of 100 samples."""
    return {"samples": 100, "thread_samples": 100, "max_stack": 127, "deepest": 60, "threads": 1, **figures}


def version(first: int, last: int = 0) -> dict[str, int]:
    return {"node_first": first, "node_last": last}


NODE = "/usr/bin/perf record -g -- /usr/bin/node app.js"
NO_COST = " (no cost seen: 140 iterations against 132 without, measured on one program of 4 s)"
SNAPSHOT_COST = " (starting took 0.17 s instead of 0.07 s)"
SPARKPLUG = "add --always-sparkplug: it compiles most functions before they run (135 against 132, same program)"
FLAG = "--interpreted-frames-native-stack"
UNNAMED = "the interpreter runs every function in the frame of one trampoline, so nothing tells them apart"
SNAPSHOT = f"add --no-node-snapshot{SNAPSHOT_COST}"
LEFT = f"{FLAG} was given: functions it left without a name most likely "
FELL_BACK = "fell back from optimised code, after which they share the interpreter's frame again"
SPARKPLUG_TOO = (
    "add --always-sparkplug: it compiles most functions before they run (135 iterations against 132 without, "
    "measured on one program of 4 s); with all these flags less than 1 % was left in 11 of 12 recordings"
)


@pytest.mark.parametrize(
    ("node", "command", "remedy", "mend"),
    [
        (
            version(0, 9), NODE,
            f"Node 8 has no flag for it: functions have names once they are compiled, and from Node 10 on {FLAG} "
            "names the others",
            "",
        ),
        (version(10, 11), NODE, f"add {FLAG}{NO_COST}", f"add {FLAG}"),
        (version(16, 18), NODE, f"add {FLAG}{NO_COST}; {SPARKPLUG}", f"add {FLAG}"),
        (
            version(22, 22), NODE,
            f"add {FLAG}{NO_COST}; --no-node-snapshot with it names those of Node's start-up snapshot too"
            f"{SNAPSHOT_COST}; {SPARKPLUG}",
            f"add {FLAG} --no-node-snapshot",
        ),
        (version(24), NODE.replace("app.js", "--no-node-snapshot app.js"), f"add {FLAG}{NO_COST}; {SPARKPLUG}",
         f"add {FLAG}"),
        (
            version(0), NODE,
            f"Node 10 and later: add {FLAG}{NO_COST}; Node 22 and later: --no-node-snapshot with it names those of "
            f"Node's start-up snapshot too{SNAPSHOT_COST}; Node 16 and later: {SPARKPLUG}",
            f"add {FLAG}, from Node 22 on with --no-node-snapshot",
        ),
        (
            version(20, 20), NODE.replace("app.js", "--always-sparkplug app.js"),
            f"add {FLAG}{NO_COST}; --always-sparkplug was given: what is left is what it does not compile",
            f"add {FLAG}",
        ),
    ],
)  # fmt: skip
def test_interpreted(node: dict[str, int], command: str, remedy: str, mend: str) -> None:
    counts = counted(interpreted=90, interpreted_innermost=20, **node)
    [finding] = findings(counts, {"command": command})
    assert (finding.kind, finding.share, finding.remedy, finding.mend) == ("interpreted", "90.0 %", remedy, mend)
    assert finding.what == "pass through interpreted functions without a name, 20.0 % are in one"
    assert finding.why == UNNAMED


@pytest.mark.parametrize(
    ("node", "flags", "causes", "remedy", "mend"),
    [
        (version(10, 15), "", "had been compiled before it took effect",
         "no other flag of these versions names them", ""),
        (version(20, 20), "", "had been compiled before it took effect", SPARKPLUG_TOO, "add --always-sparkplug"),
        (version(22, 22), "", "come from Node's start-up snapshot", f"{SNAPSHOT}; {SPARKPLUG_TOO}",
         "add --no-node-snapshot"),
        (version(22, 22), "--no-node-snapshot", "had been compiled before it took effect", SPARKPLUG_TOO,
         "add --always-sparkplug"),
        (version(24), "", f"come from Node's start-up snapshot, or {FELL_BACK}", f"{SNAPSHOT}; {SPARKPLUG_TOO}",
         "add --always-sparkplug --no-node-snapshot"),
        (version(24), "--no-node-snapshot", FELL_BACK, SPARKPLUG_TOO, "add --always-sparkplug"),
        (version(24), "--always-sparkplug", f"come from Node's start-up snapshot, or {FELL_BACK}",
         f"{SNAPSHOT}; --always-sparkplug was given: what is left is what it does not compile",
         "add --no-node-snapshot"),
        (version(24), "--no-node-snapshot --always-sparkplug", FELL_BACK,
         "--always-sparkplug was given: what is left is what it does not compile", ""),
        (
            version(19), "",
            "had been compiled before it took effect, or (Node 22 and later) come from Node's start-up snapshot, "
            f"or (Node 24 and later) {FELL_BACK}",
            f"Node 22 and later: {SNAPSHOT}; {SPARKPLUG_TOO}",
            "add --always-sparkplug, from Node 22 on with --no-node-snapshot",
        ),
        (
            version(20, 24), "--no-node-snapshot",
            f"had been compiled before it took effect, or (Node 24 and later) {FELL_BACK}", SPARKPLUG_TOO,
            "add --always-sparkplug",
        ),
    ],
)  # fmt: skip
def test_what_the_flag_left_without_a_name(
    node: dict[str, int], flags: str, causes: str, remedy: str, mend: str
) -> None:
    for given in (FLAG, FLAG.replace("-", "_").replace("__", "--", 1)):
        command = NODE.replace("app.js", f"{given} {flags} app.js")
        [finding] = findings(counted(interpreted=42, **node), {"command": command})
        assert (finding.why, finding.remedy, finding.mend) == (LEFT + causes, remedy, mend)


def test_a_flag_shows_in_the_samples_too() -> None:
    counts = counted(interpreted=90, interpreted_named=90, **version(22, 22))
    assert findings(counts, {})[0].mend == "add --no-node-snapshot"


def test_32_bit_arm_has_no_copies_of_the_trampoline() -> None:
    [finding] = findings(counted(interpreted=90, **version(20, 20)), {"arch": "armv7l"})
    assert (finding.remedy, finding.mend) == (SPARKPLUG, "add --always-sparkplug")
    assert FLAG in findings(counted(interpreted=90, **version(20, 20)), {"arch": "arm64"})[0].remedy


@pytest.mark.parametrize(
    ("figures", "remedy"),
    [
        (
            version(0, 9),
            "--collapse-interpreter counts them as part of the frame that called them, which has no name here",
        ),
        (
            version(20),
            "name the functions as for interpreted ones; --collapse-interpreter then counts handlers as part of them",
        ),
        (
            {"interpreted_named": 5, **version(20)},
            "--collapse-interpreter counts them as part of the function they work for",
        ),
    ],
)
def test_handlers(figures: dict[str, int], remedy: str) -> None:
    [finding] = findings(counted(handlers=5, **figures), {})
    assert (finding.kind, finding.share, finding.remedy) == ("handlers", "5.0 %", remedy)


def row(reason: str, path: bytes = b"/tmp/perf-7.map") -> dict[str, Any]:
    return {"path": path, "reason": reason}


PROF = NODE.replace("app.js", "--perf-basic-prof app.js")
UNASKED = "--perf-basic-prof is not on Node's command line (NODE_OPTIONS may have it), and no perf-7.map was read"


@pytest.mark.parametrize(
    ("figures", "command", "modules", "why", "mend"),
    [
        ({}, NODE, [], UNASKED, "add --perf-basic-prof"),
        (
            {}, NODE, [row("no perf-7.map here: recorded on web1, kernel 6.1, which is not this machine")], UNASKED,
            "add --perf-basic-prof",
        ),
        (
            {}, NODE, [row("/tmp/perf-7.map: Permission denied")],
            "/tmp/perf-7.map: Permission denied", "chmod a+r /tmp/perf-7.map",
        ),
        (
            {}, "/usr/bin/perf inject --jit -i perf.data", [row("no file /app/jitted-7-1.so", b"/app/jitted-7-1.so")],
            "no file /app/jitted-7-1.so", "",
        ),
        (
            {"named": 50, "threads": 3, **version(16, 24)}, "", [row("no perf-7.map here: it was not written")],
            "no perf-7.map here: it was not written", "add --perf-basic-prof",
        ),
        ({}, "perf record -g -p 7", [], "no /tmp/perf-7.map was found", "add --perf-basic-prof"),
        ({}, PROF, [], "no /tmp/perf-7.map was found", "--perf-map 7=FILE"),
        (
            {}, PROF, [row("no perf-7.map here: it was not written, or is gone: give --perf-map 7=FILE")],
            "no perf-7.map here: it was not written, or is gone: give --perf-map 7=FILE", "--perf-map 7=FILE",
        ),
        (
            {}, PROF, [row("/tmp/perf-7.map is owned by eve: --force-map reads it")],
            "/tmp/perf-7.map is owned by eve: --force-map reads it", "--force-map",
        ),
        (
            {}, PROF, [row("/tmp/perf-7.map: Permission denied")],
            "/tmp/perf-7.map: Permission denied", "chmod a+r /tmp/perf-7.map",
        ),
        (
            {}, PROF, [row("no perf-7.map here: recorded on web1, kernel 6.1, which is not this machine")],
            "no perf-7.map here: recorded on web1, kernel 6.1, which is not this machine", "flameparse collect",
        ),
        ({}, PROF, [row("of another", b"/tmp/perf-8.map")], "no /tmp/perf-7.map was found", "--perf-map 7=FILE"),
        (
            {"threads": 3, "named": 50, **version(16, 18)}, PROF, [row("2 lines of /tmp/perf-7.map are damaged")],
            "each worker thread empties the process's map and writes over it, so that names of the main thread are "
            "gone and lines are torn",
            "perf record -k mono ... node --perf-prof",
        ),
        (
            {"threads": 3, "named": 50, **version(12)}, PROF, [],
            "up to Node 18 each worker thread empties the process's map and writes over it, so that names of the main "
            "thread are gone and lines are torn",
            "perf record -k mono ... node --perf-prof",
        ),
        (
            {"threads": 3, "named": 50, **version(20)}, PROF, [row("/tmp/perf-7.map changed while it was read")],
            "/tmp/perf-7.map changed while it was read", "",
        ),
        (
            {"named": 50, **version(16, 18)}, NODE.replace("app.js", "--perf-basic-prof-only-functions app.js"), [],
            "Node 16 lists only regular expressions with --perf-basic-prof-only-functions", "add --perf-basic-prof",
        ),
        (
            {}, NODE.replace("app.js", "--perf-prof app.js"),
            [row("recorded without -k mono, so that its times mean nothing: reused addresses mix", b"/app/jit-7.dump")],
            "recorded without -k mono, so that its times mean nothing: reused addresses mix", "perf record -k mono",
        ),
    ],
)  # fmt: skip
def test_unresolved(figures: dict[str, int], command: str, modules: list[dict[str, Any]], why: str, mend: str) -> None:
    counts = counted(unresolved=97, unresolved_frames=99, unresolved_pids=[7], **{**version(20), **figures})
    [finding] = findings(counts, {"command": command}, modules)
    assert (finding.kind, finding.share, finding.why, finding.mend) == ("unresolved", "97.0 %", why, mend)


@pytest.mark.parametrize("command", [NODE, PROF, ""])
def test_a_map_that_is_elsewhere_may_be_a_containers(command: str) -> None:
    [finding] = findings(counted(unresolved=97, unresolved_pids=[7]), {"command": command})
    assert ("add --perf-basic-prof to node's flags" in finding.remedy) == (command != PROF)
    assert "docker cp CONTAINER:/tmp/perf-INNERPID.map FILE" in finding.remedy
    assert "--perf-map 7=FILE" in finding.remedy
    assert "flameparse collect" in finding.remedy


@pytest.mark.parametrize(
    ("max_stack", "meta", "why", "mend"),
    [
        (127, {}, "the kernel keeps no more than 127 frames of a stack", "sysctl kernel.perf_event_max_stack=1024"),
        (1024, {}, "the kernel keeps no more than 1024 frames of a stack", "sysctl kernel.perf_event_max_stack=8192"),
        (40, {"max_stack": 40}, "the event was recorded with max-stack=40", "leave out max-stack=40"),
        (
            126,
            {},
            "fewer than the kernel's usual 127: max-stack=126 of perf's event or of perf script, or a lower "
            "kernel.perf_event_max_stack",
            "",
        ),
    ],
)
def test_truncated(max_stack: int, meta: dict[str, object], why: str, mend: str) -> None:
    [finding] = findings(counted(truncated=90, max_stack=max_stack), meta)
    assert (finding.kind, finding.what) == ("truncated", f"lost their callers at {max_stack} frames")
    assert (finding.why, finding.mend) == (why, mend)


def test_broken() -> None:
    [finding] = findings(counted(broken=30, thread_samples=120), {"command": NODE})
    assert (finding.kind, finding.share, finding.of, finding.mend) == ("broken", "25.0 %", 120, "")
    assert "no flag of Node mends it" in finding.remedy


@pytest.mark.parametrize("option", ["--call-graph dwarf", "--call-graph=dwarf,8192", "--call-graph dwarf,65528"])
def test_unwinding_by_tables_is_advised_against(option: str) -> None:
    [finding] = findings(counted(broken=30), {"command": NODE.replace("-g", option)})
    assert finding.mend == "perf record --call-graph fp"


def test_no_call_graph() -> None:
    [finding] = findings(counted(broken=100, deepest=1), {})
    assert (finding.kind, finding.share, finding.mend) == ("no_call_graph", "100.0 %", "perf record -g")


def test_the_most_frequent_comes_first_and_little_is_left_out() -> None:
    counts = counted(interpreted=50, handlers=1, broken=20, thread_samples=200, truncated=1)
    assert [finding.kind for finding in findings(counts, {})] == ["interpreted", "broken", "handlers"]


COMMANDS = [
    "", NODE, PROF, NODE.replace("-g", "-k mono -g").replace("app.js", "--perf-prof app.js"),
    PROF.replace("app.js", f"{FLAG} app.js"), PROF.replace("app.js", f"{FLAG} --no-node-snapshot app.js"),
    PROF.replace("app.js", "--always-sparkplug app.js"),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_no_advice_is_fatal_or_was_taken_already(command: str) -> None:
    """For each version, every finding at once."""
    ranges = [
        (first, last) for first in (0, *range(8, 27, 2)) for last in (0, *range(8, 27, 2)) if first <= last or not last
    ]
    for (first, last), threads, named_samples in product(ranges, (1, 3), (0, 50)):
        counts = counted(
            interpreted=90, handlers=9, unresolved=50, unresolved_pids=[7], truncated=5, broken=5, threads=threads,
            named=named_samples, **version(first, last),
        )  # fmt: skip
        for finding in findings(counts, {"command": command}):
            said = f"{finding.why} {finding.remedy} {finding.mend}"
            assert "--always-opt" not in said
            assert "--always-turbofan" not in said
            given = {word for word in command.split() if word.startswith("--") and word != "--"}
            assert not given.intersection(finding.mend.split()), (command, first, last, finding.mend)
            if 0 < last < 10:
                assert f"add {FLAG}" not in said
            if 0 < last < 16:
                assert "--always-sparkplug" not in said or "was given" in said
            if 0 < last < 22:
                assert "--no-node-snapshot" not in said


def test_a_line_for_each_outcome() -> None:
    assert summary_line(counted(), {}) == "JavaScript in 100 samples: its frames have names and callers"
    counts = counted(samples=12345, interpreted=12345, interpreted_innermost=1, broken=2, **version(16, 18))
    assert summary_line(counts, {}) == (
        f"JavaScript in 12,345 samples: 100.0 % pass through unnamed interpreted functions (add {FLAG}), "
        "2.0 % begin nowhere; flameparse info says more"
    )


def test_the_line_has_one_figure_for_interpreted_functions_and_ranks_by_it() -> None:
    counts = counted(interpreted=42, interpreted_innermost=3, broken=4, **version(24))
    assert summary_line(counts, {}) == (
        "JavaScript in 100 samples: 4.0 % begin nowhere, 3.0 % are in unnamed interpreted functions "
        f"(add {FLAG} --no-node-snapshot); flameparse info says more"
    )
    assert [finding.kind for finding in findings(counts, {})] == ["interpreted", "broken"]


@pytest.mark.parametrize(
    ("figures", "kinds"),
    [
        ({"unresolved": 9, "handlers": 5, "broken": 4}, ["unresolved", "handlers", "broken"]),
        ({"unresolved": 9, "handlers": 5, "broken": 4, "truncated": 3}, ["unresolved", "handlers", "broken"]),
        ({"truncated": 97, "interpreted": 5, "interpreted_innermost": 5, **version(19)}, ["truncated"]),
        ({"interpreted": 5, "interpreted_innermost": 5, **version(19)}, ["interpreted"]),
    ],
)
def test_the_line_is_short(figures: dict[str, int], kinds: list[str]) -> None:
    counts = counted(**figures)
    assert [finding.kind for finding in foremost(findings(counts, {}))] == kinds
    assert len(summary_line(counts, {})) <= 200


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [(0, 0, "a Node of unknown version"), (20, 20, "Node 20"), (16, 18, "Node 16 to 18"), (19, 0, "Node 19 or later"),
     (0, 9, "Node 9 or earlier")],
)  # fmt: skip
def test_versions_are_named(first: int, last: int, expected: str) -> None:
    assert node_versions(version(first, last)) == expected


# Where it is shown


def account(*, at_limit: int = 0, unresolved_frames: int = 0) -> Document:
    """Of 100 samples 40 end at the cap, and of 1000 frames 300 have no name: 200 + 40 of JavaScript's, 60 of C's."""
    paths = {b"/tmp/perf-7.map": 200, b"//anon": 40, b"/app/libc.so": 60, b"/tmp/perf-8.map": 0}
    rows = [
        {"path": path, "build_id": "", "frames": 300, "named": 300 - unnamed, "file": "", "reason": "gone"}
        for path, unnamed in paths.items()
    ]
    javascript = {"at_limit": at_limit, "unresolved_frames": unresolved_frames, "unresolved_pids": [7]}
    diagnostics = {
        "samples_seen": 100, "truncated_stacks": 40, "frames_seen": 1000, "frames_unnamed": 300, "modules": rows,
        "javascript": javascript,
    }  # fmt: skip
    return fold(Profile(), meta={}, diagnostics=diagnostics)


CUT = "40.0 % of the samples end at the recording's depth cap, so their callers are missing"
NO_NAME = "30.0 % of the frames have no name, most of them in /tmp/perf-7.map: gone"


@pytest.mark.parametrize(
    ("figures", "told", "expected"),
    [
        ({"at_limit": 40, "unresolved_frames": 290}, (), [CUT, NO_NAME]),
        ({"at_limit": 39, "unresolved_frames": 290}, ("broken", "interpreted"), [CUT, NO_NAME]),
        ({"at_limit": 39, "unresolved_frames": 290}, ("truncated",), [NO_NAME]),
        ({"at_limit": 39, "unresolved_frames": 290}, ("unresolved",), [CUT]),
        ({"at_limit": 41, "unresolved_frames": 301}, ("unresolved", "truncated"), []),
        (
            {"at_limit": 38, "unresolved_frames": 240}, ("unresolved", "truncated"),
            [
                "2.0 % of the samples are of threads without JavaScript and end at the recording's depth cap, so their "
                "callers are missing",
                "6.0 % of the frames are not JavaScript's and have no name, most of them in /app/libc.so: gone",
            ],
        ),
    ],
)  # fmt: skip
def test_what_the_line_says_is_not_said_twice(
    figures: dict[str, int], told: tuple[str, ...], expected: list[str]
) -> None:
    assert warnings(account(**figures), told=told) == expected


FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.mark.parametrize(("command", "lines"), [("fold", 1), ("info", 0), ("report", 1)])
def test_one_line_for_one_fact(command: str, lines: int) -> None:
    """The machine's own map of that pid is nowhere, so that what V8 compiled has no name."""
    err = run_here(command, str(FIXTURES / "perf_data/injected.data"))[2].decode().splitlines()
    assert len(err) == lines
    assert [line for line in err if "compiled code without a name" in line] == (err if command == "fold" else [])
    assert [line for line in err if "of the frames have no name" in line] == (err if command == "report" else [])


APP = text((TRAMPOLINE, *ROOTS), (HOT, *ROOTS), (HOT, *ROOTS), (COLD, *ROOTS))
LINE = (
    b"flameparse: JavaScript in 4 samples: 25.0 % are in unnamed interpreted functions "
    b"(add --always-sparkplug, from Node 22 on with --no-node-snapshot); flameparse info says more\n"
)


def test_a_line_after_a_fold_and_none_when_quiet() -> None:
    code, _, err = run_here("fold", stdin=APP)
    assert (code, err) == (0, LINE)
    assert run_here("fold", "-q", stdin=APP)[2] == b""
    assert LINE in run_here("render", "--format", "svg", stdin=APP)[2]


def test_info() -> None:
    code, out, err = run_here("info", stdin=APP)
    assert (code, err) == (0, b"")
    assert out.decode().partition("\nJavaScript")[2] == (
        " in 4 samples, by Node 19 or later\n"
        " 25.0 %  pass through interpreted functions without a name, 25.0 % are in one\n"
        f"         why: {LEFT}had been compiled before it took effect, or (Node 22 and later) come from "
        f"Node's start-up snapshot, or (Node 24 and later) {FELL_BACK}\n"
        f"         remedy: Node 22 and later: {SNAPSHOT}; {SPARKPLUG_TOO}\n"
    )


def test_info_as_json() -> None:
    found = json.loads(run_here("info", "--json", stdin=APP)[1])
    [missing] = found["missing_frames"]
    assert {key: missing[key] for key in ("kind", "samples", "of", "share")} == {
        "kind": "interpreted", "samples": 1, "of": 4, "share": "25.0 %",
    }  # fmt: skip
    assert found["diagnostics"]["javascript"]["interpreted_frames"] == 1
    assert json.loads(run_here("info", "--json", stdin=text(("main (/bin/app)",)))[1])["missing_frames"] == []
