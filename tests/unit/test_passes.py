"""Passes over hand-built profiles: naming, cutting, choosing."""

from __future__ import annotations

from pathlib import Path

import pytest

from decoded_text import decode_perf_script, sample
from flameparse.document.document import Document, FrameClass
from flameparse.errors import UsageError
from flameparse.frames.classify import CLASSES
from flameparse.model.profile import Profile
from flameparse.model.sample_table import SampleTable
from flameparse.passes import name_frames, rename_comms, reshape, select
from flameparse.pipeline import load
from unit.test_model import build, spelled

NONE = 0xFFFF_FFFF


def stacks_of(profile: Profile) -> dict[tuple[bytes | None, bytes], int]:
    return {(comm, stack): samples for (_, comm, stack), (samples, _) in spelled(profile).items()}


def kinds_of(profile: Profile) -> dict[bytes, int]:
    rows = [profile.frames.get(i) for i in range(len(profile.frames))]
    return {profile.strings.get(name): kind for name, _, kind, _ in rows}


TEXT = (
    b"app 10/11 [000] 1.000000: 1 cycles:\n"
    b"\tffffffff81000001 do_syscall_64+0x5 ([kernel.kallsyms])\n"
    b"\t             401 [unknown] (/usr/lib/libx.so.1)\n"
    b"\t             402 ns::run(int, char) (inlined)\n"
    b"\t             403 LazyCompile:*tick /a.js:3 (/tmp/perf-10.map)\n"
    b"\t             404 main+0x1 (/bin/app)\n\n"
)


@pytest.mark.parametrize(
    ("options", "stack"),
    [
        ({}, b"main;LazyCompile:*tick /a.js:3;ns::run;[libx.so.1];do_syscall_64"),
        ({"style": "raw"}, b"main;LazyCompile:*tick /a.js:3;ns::run(int, char);[libx.so.1];do_syscall_64"),
        (
            {"annotate_kernel": True},
            b"main;LazyCompile:*tick /a.js:3;ns::run_[i];[libx.so.1];do_syscall_64_[k]",
        ),
        ({"annotate_jit": True}, b"main;LazyCompile:*tick /a.js:3_[j];ns::run_[i];[libx.so.1];do_syscall_64"),
    ],
)
def test_naming(options, stack):
    profile = name_frames(decode_perf_script(TEXT), **options)
    assert stacks_of(profile) == {(b"app", stack): 1}
    assert sorted(kinds_of(profile).values()) == [0, 0, 1, 2, 3]


def test_naming_leaves_the_profile_it_is_given():
    profile = decode_perf_script(TEXT)
    before = spelled_raw(profile)
    name_frames(profile)
    assert spelled_raw(profile) == before
    assert stacks_of(name_frames(profile)) == stacks_of(name_frames(profile))


def spelled_raw(profile: Profile) -> list[object]:
    rows = [profile.stacks.get(i) for i in range(len(profile.stacks))]
    return [rows, [profile.frames.get(i) for i in range(len(profile.frames))], profile.samples.total_rows()]


def test_addresses_of_frames_without_a_symbol():
    profile = Profile()
    profile.events.add(profile.strings.add(b"e"))
    for address in (0x10, 0x20, 0x10):
        stack = profile.stacks.add(NONE, profile.frames.add(NONE, profile.strings.add(b"/l/x.so"), 0, address))
        profile.samples.add_row(0, NONE, stack)
    assert stacks_of(name_frames(profile)) == {(None, b"[x.so]"): 3}
    by_address = stacks_of(name_frames(profile, addrs=True))
    assert sorted(by_address.values()) == [1, 2]
    assert all(b"10" in stack or b"20" in stack for _, stack in by_address)


def test_a_java_frame_of_inlined_calls_becomes_several():
    text = sample([b"leaf", b"La/B;::c->Ld/E;::f", b"main"], comm=b"x")
    assert stacks_of(name_frames(decode_perf_script(text))) == {(b"x", b"main;a/B::c;d/E::f;leaf"): 1}


@pytest.mark.parametrize("style", ["stackcollapse-perf", "inferno"])
def test_java_names_follow_the_process_in_compat_modes(style):
    frames = [b"Lorg/a/B;::c"]
    text = sample(frames, comm=b"java") + sample(frames, comm=b"node") + sample(frames, comm=b"java2")
    profile = name_frames(decode_perf_script(text, dialect=style), style=style)
    assert stacks_of(profile) == {
        (b"java", b"org/a/B:::c"): 1,
        (b"node", b"Lorg/a/B:::c"): 1,
        (b"java2", b"org/a/B:::c"): 1,
    }


CHAIN = (
    (b"e", b"x", b"root;start;work;leaf", 5),
    (b"e", b"x", b"root;start", 1),
    (b"e", b"x", b"root;other", 2),
    (b"e", b"y", b"start;work;start;leaf", 3),
)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((), {(comm, stack): 1 for _, comm, stack, _ in CHAIN}),
        ((b"absent",), {(comm, stack): 1 for _, comm, stack, _ in CHAIN}),
        (
            (b"start",),
            # The callers go, and the label above them; of a name that comes twice, the innermost counts.
            {(None, b"start;work;leaf"): 1, (None, b"start"): 1, (b"x", b"root;other"): 1, (None, b"start;leaf"): 1},
        ),
        (
            (b"work", b"leaf", b"other"),
            {(None, b"leaf"): 2, (b"x", b"root;start"): 1, (None, b"other"): 1},
        ),
    ],
)
@pytest.mark.parametrize("timeline", [False, True])
def test_skip_after(names, expected, timeline):
    profile = name_frames(build(*CHAIN, timeline=timeline), skip_after=names)
    assert stacks_of(profile) == expected
    assert profile.samples.timeline_count == 4 * timeline
    assert profile.samples.samples_seen == 4


def test_skip_after_goes_by_the_name_as_printed_by_perf():
    text = sample([b"leaf", b"run(int)", b"main"])
    assert stacks_of(name_frames(decode_perf_script(text), skip_after=[b"run(int)"])) == {(None, b"run;leaf"): 1}
    assert stacks_of(name_frames(decode_perf_script(text), skip_after=[b"run"])) == {(b"app", b"main;run;leaf"): 1}
    unknown = sample([b"leaf", b"[unknown]", b"main"], module=b"/l/x.so")
    cut = name_frames(decode_perf_script(unknown), skip_after=[b"[unknown]"])
    assert stacks_of(cut) == {(None, b"[x.so];leaf"): 1}


ROWS = (
    (b"e", b"x", b"a;b;c", 1),
    (b"e", b"y", b"a;b", 2),
    (b"f", b"x", b"a", 4),
    (b"f", None, b"b;c", 8),
    (b"f", b"x", b"", 16),
)
FRAMES = (b"a", b"b", b"c")


def flags(*chosen: bytes) -> bytes:
    return bytes(name in chosen for name in FRAMES)


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, 31),
        ({"events": b"\1\0"}, 3),
        ({"events": b"\0\1"}, 28),
        ({"events": b"\0\0"}, 0),
        ({"threads": b"\1\1"}, 23),
        ({"threads": b"\1\0"}, 21),
        ({"threads": b"\0\0"}, 0),
        ({"wanted_frames": flags(b"b")}, 11),
        ({"wanted_frames": flags(b"c", b"a")}, 15),
        ({"wanted_frames": flags()}, 0),
        ({"unwanted_frames": flags(b"c")}, 22),
        ({"unwanted_frames": flags(b"a")}, 24),
        ({"unwanted_frames": flags(*FRAMES)}, 16),
        ({"needs_frames": True}, 15),
        ({"wanted_frames": flags(b"a"), "unwanted_frames": flags(b"c")}, 6),
        ({"wanted_frames": flags(b"a"), "threads": b"\1\0", "events": b"\1\0"}, 1),
    ],
)
@pytest.mark.parametrize("timeline", [False, True])
def test_select(options, kept, timeline):
    profile = select(build(*ROWS, timeline=timeline), **options)
    samples, period = profile.samples.held()
    assert period == kept
    assert samples == kept.bit_count()
    assert profile.samples.samples_seen == 5
    assert sum(profile.diagnostics.dropped.values()) == 5 - samples
    assert profile.diagnostics.dropped.get("filtered", 0) == 5 - samples
    assert profile.samples.timeline_count == samples * timeline


def test_selecting_twice_accounts_for_both():
    profile = select(select(build(*ROWS), events=b"\1\0"), threads=b"\1\0")
    assert profile.samples.held() == (1, 1)
    assert profile.diagnostics.dropped == {"filtered": 4}


def test_passes_keep_what_the_window_dropped():
    profile = Profile(SampleTable(from_ns=5))
    profile.events.add(profile.strings.add(b"e"))
    for time_ns in (1, 5, 9):
        profile.samples.add_row(0, NONE, NONE, time_ns=time_ns)
    profile.diagnostics.drop("outside the window", profile.samples.outside_window)
    for changed in (name_frames(profile), select(profile)):
        assert (changed.samples.samples_seen, changed.samples.held()[0]) == (3, 2)
        assert (changed.samples.first_time_ns, changed.samples.last_time_ns) == (1, 9)
        assert changed.diagnostics.dropped == {"outside the window": 1}


def test_rename_comms():
    profile = build(*ROWS)
    rename_comms(profile, lambda comm: comm * 2)
    assert {comm for _, comm, _ in spelled(profile)} == {b"xx", b"yy", None}


def test_empty_profiles_pass():
    for changed in (name_frames(Profile()), select(Profile(), events=b"", threads=b"", wanted_frames=b"")):
        assert changed.samples.held() == (0, 0)


NODE = (
    b"node 10/11 [000] 1.000000: 1 cycles:\n"
    b"\tffffffff81000001 do_syscall_64+0x5 ([kernel.kallsyms])\n"
    b"\t             400 Builtins_LdarHandler+0x1 (/usr/bin/node)\n"
    b"\t             401 JS:~step /app/node_modules/d/i.js:9:1+0x1 (/tmp/perf-10.map)\n"
    b"\t             402 Builtins_InterpreterEntryTrampoline+0x1 (/usr/bin/node)\n"
    b"\t             403 Builtins_InterpreterEntryTrampoline+0x1 (/usr/bin/node)\n"
    b"\t             404 JS:o*'tick /app/a.js:3:1+0x1 (/tmp/perf-10.map)\n"
    b"\t             405 Builtin:ArrayMap+0x1 (/tmp/perf-10.map)\n"
    b"\t             406 Builtins_LoadIC+0x1 (/usr/bin/node)\n"
    b"\t             407 Stub:CEntryStub (/tmp/perf-10.map)\n"
    b"\t             408 LoadIC:A load IC from the snapshot (/tmp/perf-10.map)\n"
    b"\t             409 v8::internal::Execution::Call(v8::Isolate*) (/usr/bin/node)\n"
    b"\t             40a [unknown] (/usr/bin/node)\n"
    b"\t             40b node::Start(int, char**) (/usr/bin/node)\n"
    b"\t             40c __libc_start_call_main+0x1 (/usr/lib/libc.so.6)\n"
    b"\t             40d _start+0x1 (/usr/bin/node)\n\n"
)
KERNEL = b"do_syscall_64"
HANDLER, TRAMPOLINE = b"Builtins_LdarHandler", b"Builtins_InterpreterEntryTrampoline"
STEP, TICK = b"JS:~step /app/node_modules/d/i.js:9:1", b"JS:o*'tick /app/a.js:3:1"
BUILTIN, ELF_IC, STUB, OLD_IC = (
    b"Builtin:ArrayMap",
    b"Builtins_LoadIC",
    b"Stub:CEntryStub",
    b"LoadIC:A load IC from the snapshot",
)
V8, UNKNOWN, CPP, LIBC, START = (
    b"v8::internal::Execution::Call",
    b"[node]",
    b"node::Start",
    b"__libc_start_call_main",
    b"_start",
)
ALL = [
    START,
    LIBC,
    CPP,
    UNKNOWN,
    V8,
    OLD_IC,
    STUB,
    ELF_IC,
    BUILTIN,
    TICK,
    TRAMPOLINE,
    TRAMPOLINE,
    STEP,
    HANDLER,
    KERNEL,
]


def reshaped(text: bytes, **options: object) -> list[bytes]:
    """The frames of a text's one stack, root first."""
    (((comm, stack), samples),) = stacks_of(reshape(name_frames(decode_perf_script(text)), **options)).items()
    assert (comm, samples) == (b"node", 1)
    return stack.split(b";")


@pytest.mark.parametrize(
    ("options", "gone"),
    [
        ({}, set()),
        ({"hide": ["kernel"]}, {KERNEL}),
        ({"hide": ["kernel", "libc"]}, {KERNEL, LIBC, START}),
        ({"hide": ["v8"]}, {V8, OLD_IC, STUB, ELF_IC, BUILTIN}),
        ({"hide": ["interpreter"]}, {TRAMPOLINE, HANDLER}),
        ({"only": ["app", "deps"]}, set(ALL) - {TICK, STEP}),
        ({"only": ["app", "deps"], "hide": ["deps"]}, set(ALL) - {TICK}),
        ({"hide": ["go", "jvm", "rust", "python", "init"]}, set()),
        ({"filters": ["libc-start"]}, {LIBC}),
        ({"filters": ["v8-internals"]}, {V8}),
        ({"filters": ["builtins"]}, {BUILTIN, ELF_IC, TRAMPOLINE}),
        ({"filters": ["stubs"]}, {STUB}),
        ({"filters": ["ics"]}, {OLD_IC, ELF_IC}),
        ({"filters": ["unknown"]}, {UNKNOWN}),
        ({"filters": ["stubs", "ics"], "hide": ["kernel"]}, {STUB, OLD_IC, ELF_IC, KERNEL}),
        ({"filters": ["0x"]}, {LIBC, V8, BUILTIN, STUB, OLD_IC, ELF_IC, TRAMPOLINE, UNKNOWN}),
    ],
)
def test_frames_hidden_by_class_and_preset(options: dict[str, list[str]], gone: set[bytes]) -> None:
    assert reshaped(NODE, **options) == [frame for frame in ALL if frame not in gone]


def test_the_interpreter_becomes_a_part_of_the_function() -> None:
    # The trampolines below compiled code are functions nobody named: one stands for the run.
    assert reshaped(NODE, collapse_interpreter=True)[9:] == [TICK, TRAMPOLINE, STEP, KERNEL]


@pytest.mark.parametrize(
    ("root_first", "collapsed"),
    [
        ([b"JS:~f /a.js:1:1", TRAMPOLINE], [b"JS:~f /a.js:1:1"]),
        ([b"JS:~f /a.js:1:1", TRAMPOLINE, HANDLER], [b"JS:~f /a.js:1:1"]),
        ([b"JS:*f /a.js:1:1", HANDLER], [b"JS:*f /a.js:1:1"]),
        ([b"JS:*f /a.js:1:1", TRAMPOLINE, HANDLER], [b"JS:*f /a.js:1:1", TRAMPOLINE]),
        ([TRAMPOLINE, TRAMPOLINE, TRAMPOLINE, HANDLER], [TRAMPOLINE]),
        ([b"main", TRAMPOLINE], [b"main", TRAMPOLINE]),
        ([b"main", HANDLER, HANDLER], [b"main", HANDLER]),
        ([TRAMPOLINE, b"main", TRAMPOLINE], [TRAMPOLINE, b"main", TRAMPOLINE]),
        ([b"JS:~f /a.js:1:1", HANDLER, b"uv_run"], [b"JS:~f /a.js:1:1", b"uv_run"]),
    ],
)
def test_collapsing(root_first: list[bytes], collapsed: list[bytes]) -> None:
    lines = b"".join(b"\t 1 %s (/usr/bin/x)\n" % frame for frame in reversed(root_first))
    text = b"node 10/11 [000] 1.000000: 1 cycles:\n" + lines + b"\n"
    assert reshaped(text, collapse_interpreter=True) == collapsed


@pytest.mark.parametrize(
    ("name", "merged", "stripped"),
    [
        (b"JS:*fib /app/cpu.js:4:14", b"JS:fib /app/cpu.js:4:14", b"fib /app/cpu.js:4:14"),
        (b"JS:o+'fib /app/cpu.js:4:14", b"JS:fib /app/cpu.js:4:14", b"fib /app/cpu.js:4:14"),
        (b"JS:fib /app/cpu.js:4:14", b"JS:fib /app/cpu.js:4:14", b"fib /app/cpu.js:4:14"),
        (b"JS:* /app/cpu.js:9:64", b"JS: /app/cpu.js:9:64", b"(anonymous) /app/cpu.js:9:64"),
        (b"JS:~ :1:20", b"JS: :1:20", b"(anonymous) :1:20"),
        (b"InterpretedFunction:fib /app/cpu.js:4", b"JS:fib /app/cpu.js:4", b"fib /app/cpu.js:4"),
        (b"LazyCompile:*fib /app/cpu.js:4", b"JS:fib /app/cpu.js:4", b"fib /app/cpu.js:4"),
        (b"Function:^fib /app/cpu.js:4", b"JS:fib /app/cpu.js:4", b"fib /app/cpu.js:4"),
        (b"Eval:~ node:crypto:1:1", b"Eval: node:crypto:1:1", b"(anonymous) node:crypto:1:1"),
        (b"Script:~ /app/a.js:1", b"Script: /app/a.js:1", b"(anonymous) /app/a.js:1"),
        (b"JS:wasm-function[0]-0-liftoff", b"JS:wasm-function[0]-0", b"wasm-function[0]-0"),
        (b"Function:wasm-function[0]-0-turbofan", b"JS:wasm-function[0]-0", b"wasm-function[0]-0"),
        (b"JS:*f", b"JS:f", b"f"),
        (b"RegExp:^a", b"RegExp:^a", b"RegExp:^a"),
        (b"Builtin:ArrayMap", b"Builtin:ArrayMap", b"Builtin:ArrayMap"),
        (b"BytecodeHandler:Ldar", b"BytecodeHandler:Ldar", b"BytecodeHandler:Ldar"),
        (b"*not_javascript", b"*not_javascript", b"*not_javascript"),
    ],
)
def test_tiers(name: bytes, merged: bytes, stripped: bytes) -> None:
    text = b"node 10/11 [000] 1.000000: 1 cycles:\n\t 1 %s (/tmp/perf-10.map)\n\n" % name
    assert reshaped(text) == reshaped(text, tiers="keep") == [name]
    assert reshaped(text, tiers="merge") == [merged]
    assert reshaped(text, tiers="strip") == [stripped]


def test_stacks_that_differ_only_in_tiers_become_one() -> None:
    text = b"".join(
        b"node 10/11 [000] 1.00000%d: 1 cycles:\n\t 1 JS:%sf /a.js:1:1 (/tmp/perf-10.map)\n\n" % (i, tier)
        for i, tier in enumerate((b"~", b"^", b"+", b"*", b"o*'"))
    )
    profile = reshape(name_frames(decode_perf_script(text)), tiers="merge")
    assert stacks_of(profile) == {(b"node", b"JS:f /a.js:1:1"): 5}
    assert len(profile.frames) == 1
    assert len(profile.stacks) == 1


def test_a_stack_of_hidden_frames_keeps_its_sample_and_thread() -> None:
    everything = [name for name in CLASSES if name != "none"]
    profile = reshape(name_frames(decode_perf_script(NODE, timeline=True)), hide=everything)
    assert stacks_of(profile) == {(b"node", b""): 1}
    assert profile.samples.held()[0] == 1


def test_reshaping_leaves_the_profile_it_is_given() -> None:
    profile = name_frames(decode_perf_script(NODE))
    before = spelled_raw(profile)
    reshape(profile, tiers="strip", filters=["0x"], collapse_interpreter=True)
    assert spelled_raw(profile) == before


@pytest.mark.parametrize("options", [{"hide": ["none"]}, {"only": ["nodeCore"]}, {"filters": ["v8"]}, {"tiers": "no"}])
def test_reshaping_refuses_what_it_does_not_know(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        reshape(name_frames(decode_perf_script(NODE)), **options)


def classes_of(document: Document) -> dict[bytes, str]:
    return {
        document.string(name): FrameClass.NAMES[frame_class]
        for name, frame_class in zip(document.frame_name, document.frame_class, strict=True)
    }


def test_what_only_the_kernel_calls_is_the_kernels(tmp_path: Path) -> None:
    """Folded text has no modules: of most kernel functions it says nothing but the name."""
    folded = tmp_path / "x.folded"
    folded.write_bytes(
        b"app;main;read;entry_SYSCALL_64_after_hwframe;do_syscall_64;filemap_read;memcpy 5\n"
        b"app;main;helper;memcpy 3\n"
        b"app;main;entry_SYSCALL_64_after_hwframe;helper;copy_page 2\n"
    )
    assert classes_of(load(folded)) == {
        b"app": "cpp", b"main": "cpp", b"read": "libc",
        b"entry_SYSCALL_64_after_hwframe": "kernel", b"do_syscall_64": "kernel", b"filemap_read": "kernel",
        b"copy_page": "kernel",
        # These are called from both halves.
        b"memcpy": "libc", b"helper": "cpp",
    }  # fmt: skip


@pytest.mark.parametrize(("start", "expected"), [(b"std::rt::lang_start_internal", "rust"), (b"_start", "cpp")])
def test_paths_in_a_program_that_starts_as_rust_does_are_rust(tmp_path: Path, start: bytes, expected: str) -> None:
    trace = tmp_path / "trace"
    trace.write_bytes(
        b"r 1/1 1.0: 7 cycles:\n\t4 words::count (/bin/r)\n\t3 frame_dummy (/bin/r)\n"
        b"\t2 words::count (/lib/libx.so)\n\t1 %s (/bin/r)\n\n" % start
    )
    document = load(trace)
    found = {
        (document.string(name), document.string(dso)): FrameClass.NAMES[frame_class]
        for name, dso, frame_class in zip(document.frame_name, document.frame_dso, document.frame_class, strict=True)
    }
    assert found[b"words::count", b"/bin/r"] == expected
    assert found[b"frame_dummy", b"/bin/r"] == found[b"words::count", b"/lib/libx.so"] == "cpp"
