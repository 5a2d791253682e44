"""Forms of `perf script` text that no recording here shows, by hand: what reference and decoder must both say."""

from __future__ import annotations

from pathlib import Path

import pytest

from oracle import perf_script_reference as reference
from oracle.test_perf_script_reference import check_samples, reference_samples

Expected = list[tuple[bytes | None, int | None, int | None, int | None, int | None, int | None, bytes, list[bytes]]]

_STACK = b"\t            1190 leaf+0x5 (/app/x)\n\t            11c3 main+0x1 (/app/x)\n\n"
_FRAMES = [b"leaf", b"main"]
_OPEN_STACK = _STACK.removesuffix(b"\n")  # with no empty line to end it
_EVENTS = (b"cpu_core/cycles/P", b"cpu-clock:HppK", b"task-clock:ppp", b"mem:0x1234:rw", b"cpu/event=0x3c,umask=0/u")
_COMMS = (
    b"t", b"x 77 y", b"foo/12 3", b"  lead", b"", b"semi;colon", b"#hash", b"[000]", b"12 [001] 3", b"1.000001:",
    b"\xff\x00", b"PERF_RECORD_X",
)  # fmt: skip

# name: text; samples as (comm, pid, tid, cpu, time_ns, period, event, frames leaf first); unknown lines, optional, lost
FORMS: dict[str, tuple[bytes, Expected, list[int], int, int]] = {
    "simpleperf_tabs": (
        b"my app\t12 [003] 5.000001:\t77 cpu-cycles:u:\n"
        b"\t7fe1 art::Run() (/apex/lib art.so)\n\t10 [unknown] ([JIT app cache])\n\n",
        [(b"my app", None, 12, 3, 5_000_001_000, 77, b"cpu-cycles:u", [b"art::Run()", b"[[JIT app cache]]"])],
        [], 0, 0,
    ),
    "thread_gone": (
        b":-1    -1 [000] 1.500000:      9 cycles: \n" + _STACK,
        [(b":-1", None, -1, 0, 1_500_000_000, 9, b"cycles", _FRAMES)],
        [], 0, 0,
    ),
    "thread_gone_pid_and_tid": (
        b":-1    -1/-1    [001] 1.500000:      9 cycles: \n" + _STACK,
        [(b":-1", -1, -1, 1, 1_500_000_000, 9, b"cycles", _FRAMES)],
        [], 0, 0,
    ),
    "guest": (
        b"VM:  123 VCPU:002 qemu 44/45 [001] KGg    2.000000003:  4 cycles: \n" + _STACK,
        [(b"qemu", 44, 45, 1, 2_000_000_003, 4, b"cycles", _FRAMES)],
        [], 0, 0,
    ),
    "events_with_slashes_and_modifiers": (
        b"".join(b"x 1 1.000000: 2 %s: \n" % event + _STACK for event in _EVENTS),
        [(b"x", None, 1, None, 10**9, 2, event, _FRAMES) for event in _EVENTS],
        [], 0, 0,
    ),
    "period_zero_and_largest": (
        b"x 1 1.000000: 0 cycles: \n" + _STACK + b"x 1 1.000000: 9223372036854775807 cycles: \n" + _STACK,
        [
            (b"x", None, 1, None, 10**9, 0, b"cycles", _FRAMES),
            (b"x", None, 1, None, 10**9, 2**63 - 1, b"cycles", _FRAMES),
        ],
        [], 0, 0,
    ),
    "address_and_weight_before_a_chain": (
        b"x 1 1.000000: 10 cpu/mem-loads/P:     7ffe12345678               7 \n" + _STACK
        + b"x 1 2.000000: 10 cpu/mem-loads/P:     7ffe12345678     7ffe12345678 \n" + _STACK,
        [
            (b"x", None, 1, None, 10**9, 10, b"cpu/mem-loads/P", _FRAMES),
            (b"x", None, 1, None, 2 * 10**9, 10, b"cpu/mem-loads/P", _FRAMES),
        ],
        [], 0, 0,
    ),
    "comms": (
        b"".join(comm + b" 99 10.500000: 1 cycles: \n" + _STACK for comm in _COMMS),
        [(comm.strip() or None, None, 99, None, 10_500_000_000, 1, b"cycles", _FRAMES) for comm in _COMMS],
        [], 0, 0,
    ),
    "no_time_no_cpu_and_stack_at_column_0": (
        b"java 19983 cycles:\nffffffff8103d0ca native_write_msr_safe ([kernel.kallsyms])\n"
        b"      7f1 a b (x y) (/opt/My App/x.so)\n\n",
        [(b"java", None, 19983, None, None, None, b"cycles", [b"native_write_msr_safe", b"a b (x y)"])],
        [], 0, 0,
    ),
    "header_right_after_stack": (
        b"x 1 1.000000: 2 cycles: \n" + _OPEN_STACK + b"y 2 [000] 2.000000: 3 cycles: \n" + _STACK,
        [
            (b"x", None, 1, None, 10**9, 2, b"cycles", _FRAMES),
            (b"y", None, 2, 0, 2 * 10**9, 3, b"cycles", _FRAMES),
        ],
        [], 0, 0,
    ),
    "hex_comm_right_after_stack": (
        b"x 1 1.000000: 2 cycles: \n" + _OPEN_STACK + b"  dd 2 2.000000: 3 cycles:  7f58 main+0x1 (/app/x)\n",
        [
            (b"x", None, 1, None, 10**9, 2, b"cycles", _FRAMES),
            (b"dd", None, 2, None, 2 * 10**9, 3, b"cycles", [b"main"]),
        ],
        [], 0, 0,
    ),
    "blank_separator_of_blanks": (
        b"x 1 1.000000: 2 cycles: \n" + _OPEN_STACK + b" \t \n" + b"y 2 2.000000: 3 cycles: \n" + _STACK,
        [
            (b"x", None, 1, None, 10**9, 2, b"cycles", _FRAMES),
            (b"y", None, 2, None, 2 * 10**9, 3, b"cycles", _FRAMES),
        ],
        [], 0, 0,
    ),
    "crlf_and_byte_order_mark": (
        b"\xef\xbb\xbf# comment\r\n" + (b"x 1 1.000000: 2 cycles: \n" + _STACK).replace(b"\n", b"\r\n"),
        [(b"x", None, 1, None, 10**9, 2, b"cycles", _FRAMES)],
        [], 0, 0,
    ),
    "no_final_newline": (
        b"x 1 1.000000: 2 cycles: \n" + _STACK.removesuffix(b"\n\n"),
        [(b"x", None, 1, None, 10**9, 2, b"cycles", _FRAMES)],
        [], 0, 0,
    ),
    "headers_without_frames": (
        b"x 1 1.000000: 2 cycles: \n\ny 2 2.000000: 3 cycles: \n\n",
        [(b"x", None, 1, None, 10**9, 2, b"cycles", []), (b"y", None, 2, None, 2 * 10**9, 3, b"cycles", [])],
        [], 0, 0,
    ),
    "frames_without_header": (
        b"x 1 1.000000: 2 cycles: \n\n" + _STACK + b"y 2 2.000000: 3 cycles: \n" + _STACK,
        [(b"x", None, 1, None, 10**9, 2, b"cycles", []), (b"y", None, 2, None, 2 * 10**9, 3, b"cycles", _FRAMES)],
        [3, 4], 0, 0,
    ),
    "unknown_line_inside_and_between": (
        b"x 1 1.000000: 2 cycles: \n\t WHAT IS THIS\n" + _STACK
        + b"nothing known\n" + b"y 2 2.000000: 3 cycles: \n" + _STACK,
        [(b"x", None, 1, None, 10**9, 2, b"cycles", _FRAMES), (b"y", None, 2, None, 2 * 10**9, 3, b"cycles", _FRAMES)],
        [2, 6], 0, 0,
    ),
    "deleted_and_bracketed_modules": (
        b"x 1 1.000000: 2 cycles: \n\t  1190 f(int)+0x1 (/memfd:x (deleted))\n"
        b"\t  11c3 [unknown] (/a b/my (old).so (deleted))\n\t  5 g (inlined)\n"
        b"\t  6 [unknown] (//anon)\n\t  7 [unknown] ([unknown])\n\t  8 a+0x1+0x2 (/x)\n\n",
        [
            (
                b"x", None, 1, None, 10**9, 2, b"cycles",
                [b"f(int)", b"[my (old).so]", b"g", b"[anon]", b"[unknown]", b"a+0x1"],
            )
        ],
        [], 0, 0,
    ),
    "lost_records": (
        b"x 1 [000] 0.500000: PERF_RECORD_LOST lost 17\nx 1 1.000000: 2 cycles: \n" + _STACK
        + b"x 1 [001] 1.500000: PERF_RECORD_LOST_SAMPLES lost 3\n",
        [(b"x", None, 1, None, 10**9, 2, b"cycles", _FRAMES)],
        [], 2, 20,
    ),
    "untimed_records": (
        b"x 1 PERF_RECORD_MMAP2 1/1: [0x55(0x10) @ 0 fe:00 1 1]: r-xp /app/x\nx 1 2 cycles: \n" + _STACK,
        [(b"x", None, 1, None, None, 2, b"cycles", _FRAMES)],
        [], 1, 0,
    ),
    "branch_stack_lines": (
        b"x 1 1.000000: 2 cycles: \n" + _OPEN_STACK
        + b" 0x401b97/0x401b80/P/-/-/0  0x401b10/0x401b00/M/-/-/3 \n\n"
        b"y 2 2.000000: 3 cycles: \n" + _STACK,
        [(b"x", None, 1, None, 10**9, 2, b"cycles", _FRAMES), (b"y", None, 2, None, 2 * 10**9, 3, b"cycles", _FRAMES)],
        [], 1, 0,
    ),
    "processor_trace": (
        b"  main 7/8 9.000000001:   1 branches:uH:   call                     40b06c a::b+0x5 (/app/x)"
        b" =>   7ffff7327730 c+0x0 (/app/y)\n"
        b" instruction trace error type 1 time 9.000000824 cpu -1 pid 7 tid 8 ip 0x7f code 6: Overflow packet\n",
        [(b"main", 7, 8, None, 9_000_000_001, 1, b"branches:uH", [b"a::b"])],
        [], 1, 0,
    ),
    "comment_is_no_thread": (
        b"# captured on : 12 1.5\nx 1 1.000000: 2 cycles: \n" + _STACK + b"# x 1 2 cycles:\n",
        [(b"x", None, 1, None, 10**9, 2, b"cycles", _FRAMES)],
        [], 0, 0,
    ),
    "tracepoint_that_looks_like_much": (
        b"x 1 [000] 1.000000: ftrace:print: y 2 3.000000: 4 cycles: (a) (/app/x)\n" + _STACK,
        [(b"x", None, 1, 0, 10**9, None, b"ftrace:print", _FRAMES)],
        [], 0, 0,
    ),
    "empty": (b"", [], [], 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_reference(form: str) -> None:
    text, expected, unknown, optional, lost = FORMS[form]
    samples = reference.parse(text)
    assert [tuple(sample.values()) for sample in reference_samples(samples)] == [
        (*fields, 1 if period is None else period, event, frames) for *fields, period, event, frames in expected
    ]
    assert (samples.unknown_lines, samples.optional_lines, samples.lost) == (unknown, optional, lost)


@pytest.mark.parametrize("form", [form for form in FORMS if form != "empty"])
def test_decoder(form: str, tmp_path: Path) -> None:
    trace = tmp_path / "trace.txt"
    trace.write_bytes(FORMS[form][0])
    check_samples(trace, FORMS[form][0])
