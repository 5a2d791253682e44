"""DTrace's text, row by row: where the reference collapsers go wrong, and every form of the output."""

from __future__ import annotations

from pathlib import Path

import pytest

from decoded_text import sample
from flameparse.decode.dtrace.decoder import DTraceDecoder
from flameparse.decode.dtrace.text import find_cut, looks_like_dtrace
from flameparse.decode.sniff import DTRACE, FOLDED_TEXT, PERF_SCRIPT, sniff
from flameparse.document.account import damage, warnings
from flameparse.document.document import Document
from flameparse.errors import LimitError, UsageError
from flameparse.export.folded_text import folded_chunks
from flameparse.frames.tidy import FrameNamer
from flameparse.load_options import LoadOptions
from flameparse.model.profile import Profile
from flameparse.pipeline import load
from flameparse.symbolize.options import SymbolOptions
from unit.cli_runs import run_here

HEADING = b"CPU     ID                    FUNCTION:NAME\n"
BANNER = b"  0  64091                        :tick-60s \n"
HEADER = HEADING + BANNER + b"\n"
SYMBOLS = Path(__file__).parents[2] / "fixtures" / "perf_data" / "symbols"


def stack(*frames: bytes, count: bytes = b"                1") -> bytes:
    return b"".join(b" " * 14 + frame + b"\n" for frame in frames) + count + b"\n\n"


@pytest.fixture
def read(tmp_path):
    def read_text(text: bytes, **options: object) -> Document:
        path = tmp_path / "trace"
        path.write_bytes(text)
        return load([str(path)], LoadOptions(**options))

    return read_text


def folded(document: Document, **options: object) -> bytes:
    return b"".join(folded_chunks(document, **options))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # the same stack twice, with other offsets
        (HEADER + stack(b"m`f+0x1", b"m`g+0x2") + stack(b"m`f+0x11", b"m`g"), b"m`g;m`f 2\n"),
        # no header
        (stack(b"m`f") + stack(b"m`g"), b"m`f 1\nm`g 1\n"),
        # blanks around a count
        (HEADER + stack(b"m`f", count=b"   7  \t"), b"m`f 7\n"),
        (HEADER + stack(b"m`f", count=b"7"), b"m`f 7\n"),
        # a banner, or heading and banner, between intervals and at the end
        (HEADER + stack(b"m`f") + BANNER + b"\n" + stack(b"m`f") + HEADER, b"m`f 2\n"),
        (HEADER + stack(b"m`f") + HEADER + stack(b"m`f") + HEADING + BANNER, b"m`f 2\n"),
        # a count without frames
        (HEADER + b"\n                3\n\n" + stack(b"m`f"), b"[unknown] 3\nm`f 1\n"),
        # a sign in the name
        (HEADER + stack(b"libstdc++.so.6`foo"), b"libstdc++.so.6`foo 1\n"),
        (HEADER + stack(b"m`A::operator+(A const&)", b"m`A::operator++"), b"m`A::operator++;m`A::operator+ 1\n"),
        (HEADER + stack(b"m`f+0x1f+0x2"), b"m`f+0x1f 1\n"),
        (HEADER + stack(b"m`g", b"m`f+0x1f") + stack(b"m`g", b"m`f+0x1f+0x2"), b"m`f+0x1f;m`g 1\nm`f;m`g 1\n"),
        (
            HEADER + 2 * stack(b"m`g", b"m`f+0x123456789a") + stack(b"m`g", b"m`f+0x123456789a+0x2"),
            b"m`f+0x123456789a;m`g 1\nm`f;m`g 2\n",
        ),
        (HEADER + stack(b"m`f+1", b"m`f+0x", b"m`f+0xfg"), b"m`f+0xfg;m`f+0x;m`f+1 1\n"),
        # brackets
        (HEADER + stack(b"m`Foo::bar(std::function<void (int)>)"), b"m`Foo::bar 1\n"),
        (HEADER + stack(b"m`Foo::bar(int) const+0x1"), b"m`Foo::bar 1\n"),
        (HEADER + stack(b"m`f(int, char)"), b"m`f 1\n"),
        (
            HEADER + stack(b"m`std::vector<int, std::allocator<int> >::size()"),
            b"m`std::vector<int, std::allocator<int> >::size 1\n",
        ),
        (HEADER + stack(b"Foundation`-[NSRunLoop(NSRunLoop) run]+0x12"), b"Foundation`-[NSRunLoop(NSRunLoop) run] 1\n"),
        # a leading L
        (HEADER + stack(b"Ljava/io/X;::m"), b"java/io/X::m 1\n"),
        (HEADER + stack(b"Lock", b"m`Lock"), b"m`Lock;Lock 1\n"),
        # not UTF-8
        (HEADER + stack(b"m`caf\xe9"), b"m`caf\xe9 1\n"),
        # halves of one stack
        (HEADER + stack(b"unix`a", b"", b"libc`b"), b"libc`b;unix`a 1\n"),
        (HEADER + b"\n\n" + stack(b"libc`b"), b"libc`b 1\n"),
        # keys before, after, both; of several columns
        (b"  bash" + b" " * 46 + b"\n" + stack(b"m`f"), b"bash;m`f 1\n"),
        (b"     1234\n" + stack(b"m`f"), b"1234;m`f 1\n"),
        (b"     1234\n\n" + stack(b"m`f"), b"1234;m`f 1\n"),
        (b"  bash" + b" " * 46 + b"     1234\n" + stack(b"m`f"), b"bash;1234;m`f 1\n"),
        (
            HEADER + b"  a b" + b" " * 45 + b"  c\n" + stack(b"Func.main(I)V", b"StubRoutines (1)"),
            b"a b;c;StubRoutines (1);Func.main(I)V 1\n",
        ),
        (stack(b"m`f", count=b"  bash                                                5"), b"bash;m`f 5\n"),
        (b"     1234\n" + stack(b"m`f", count=b"  bash                         5"), b"1234;bash;m`f 5\n"),
        (b"  bash \n                5\n" + stack(b"m`f"), b"bash 5\nm`f 1\n"),
        (b"     1234\n                5\n" + stack(b"m`f"), b"1234 5\nm`f 1\n"),
        (b"bash\n" + stack(b"m`f"), b"bash;m`f 1\n"),
        # one frame that names no module
        (HEADER + stack(b"main"), b"main 1\n"),
        (HEADER + stack(b"main", count=b"-0"), b"main 0\n"),
        # keys of 64 bits, before and behind; of several columns; of an empty stack
        (b"                5\n" + stack(b"m`f", b"m`g", count=b"  6"), b"5;m`g;m`f 6\n"),
        (stack(b"m`f", b"m`g", count=b"                5                6"), b"5;m`g;m`f 6\n"),
        (b"  bash" + b" " * 46 + b"     1234                5\n" + stack(b"m`f"), b"bash;1234;5;m`f 1\n"),
        (HEADER + b"                5                6\n\n" + stack(b"m`f"), b"5 6\nm`f 1\n"),
        (b"  main" + b" " * 46 + b"\n                5                6\n" + stack(b"m`f"), b"m`f 1\nmain;5 6\n"),
        # tabs, and lines of DOS
        (HEADING + b"\t\tm`f+0x1\n\t\tm`g+0x2\n\t5\n\n\t\tm`f+0x3\n\t\tm`g\n\t5\n", b"m`g;m`f 10\n"),
        ((HEADER + stack(b"m`f+0x1", b"m`g")).replace(b"\n", b"\r\n"), b"m`g;m`f 1\n"),
        # modules of Darwin
        (
            HEADER + stack(b"libsystem_kernel.dylib`kevent+0xa", b"Google Chrome Framework`v8::f(int)+0x1"),
            b"Google Chrome Framework`v8::f;libsystem_kernel.dylib`kevent 1\n",
        ),
        # arrows
        (
            HEADER + stack(b"Ljava/io/X;::m->Ljava/io/Y;::n", b"m`T::operator->", b"a->b"),
            b"a->b;m`T::operator->;java/io/X::m;java/io/Y::n 1\n",
        ),
        # a text that ends in a count
        (HEADER + stack(b"m`f") + b"              m`g\n                4", b"m`f 1\nm`g 4\n"),
        # frames of helpers, and addresses
        (
            HEADER + stack(b"<< adaptor >>", b"(anon) as foo at path position 360"),
            b"(anon) as foo at path position 360;<< adaptor >> 1\n",
        ),
        (HEADER + stack(b"[ ./f.py:3 (func_c) ]"), b"[ ./f.py:3 (func_c) ] 1\n"),
        (HEADER + stack(b"0x7FFF5fc01000", b"unix`0xfffffffffb8001d6"), b"unix`0xfffffffffb8001d6;0x7fff5fc01000 1\n"),
        # what dtrace says of itself
        (b"dtrace: description 'profile-997 ' matched 1 probe\n^C\n" + HEADER + stack(b"m`f"), b"m`f 1\n"),
    ],
)
def test_forms(text, expected, read):
    document = read(text)
    assert folded(document) == expected
    assert damage(document) is None


@pytest.mark.parametrize("end", [b"", b"              m`tail+0x1\n", b"              m`tail", HEADING + BANNER])
def test_a_text_that_ends_in_a_stack_keeps_all_before_it(end, read):
    document = read(HEADER + stack(b"m`f") + b"              m`g\n" + end)
    assert folded(document) == b"m`f 1\n"
    assert damage(document) == "1 stacks without a count, dropped"
    assert document.diagnostics["dropped"] == {"without a count": 1}


def test_negative_values_are_kept_and_said(read):
    document = read(HEADER + stack(b"m`free", count=b"            -4096") + stack(b"m`malloc", count=b"   8192"))
    assert folded(document) == b"m`malloc 8192\n"
    assert folded(document, event=b"negative values") == b"m`free 4096\n"
    assert warnings(document)[0] == "1 values are below zero: by their size, they are the event 'negative values'"
    assert damage(document) is None


@pytest.mark.parametrize(
    ("note", "lost"),
    [
        (b"32 drops on CPU 0", 32),
        (b"1 drop on CPU 0", 1),
        (b"5 aggregation drops on CPU 1", 5),
        (b"error on enabled probe ID 1 (ID 7: profile:::profile-97): invalid address (0x0) in action #1", 1),
        (b"3 dynamic variable drops", 0),
        (b"pid 123 has exited", 0),
        (b"99999999999999999999 drops on CPU 0", 0),
    ],
)
def test_lost_samples_are_counted(note, lost, read):
    document = read(HEADER + stack(b"m`f") + b"              m`f\ndtrace: " + note + b"\n              m`g\n   3\n")
    assert document.diagnostics.get("lost", 0) == lost
    assert folded(document) == b"m`f 1\nm`g;m`f 3\n"
    assert any("were lost" in line for line in warnings(document)) == (lost > 0)
    assert damage(document) is None


DISTRIBUTION = (
    b"           value  ------------- Distribution ------------- count    \n"
    b"             < 0 |                                         0        \n"
    b"               4 |@@@@@@@@@@@@@@@@@@@@                     12       \n"
    b"          >= 100 |@@@@@@@@@@@@@@@@@@@@                     12       \n\n"
)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (b"  read" + b" " * 46 + b"\n" + DISTRIBUTION, 5),
        (b"     1234\n" + DISTRIBUTION + DISTRIBUTION, 9),
        (DISTRIBUTION.replace(b"             < 0 |  ", b"              -8 |@@"), 4),
        (b"Tracing... Hit Ctrl-C to end.\n^C\n\n", 1),
        (b"Tracing... Hit Ctrl-C to end.\nNow.\n\n", 2),
    ],
)
def test_what_is_no_stack_is_counted_and_said(text, count, read):
    document = read(text + HEADER + stack(b"m`f"))
    assert folded(document) == b"m`f 1\n"
    assert document.diagnostics["other_lines"] == count
    assert warnings(document) == [f"{count} lines are no stacks: distributions, or what the script itself printed"]
    assert damage(document) is None


def test_a_stack_with_a_distribution_has_no_count(read):
    document = read(HEADER + b"              m`f\n              m`g\n" + DISTRIBUTION + stack(b"m`f"))
    assert folded(document) == b"m`f 1\n"
    assert damage(document) == "1 stacks without a count, dropped"


def test_a_line_printed_into_a_stack_is_not_understood(read):
    document = read(HEADER + b"              m`f\nhello\n              m`g\n                2\n")
    assert folded(document) == b"m`g;m`f 2\n"
    assert damage(document) == "1 lines not understood (line 5)"


def test_a_cut_text_ends_with_its_own_exit_code():
    cut = HEADER + stack(b"m`f") + b"              m`g\n"
    assert run_here("fold", "-q", stdin=cut)[:2] == (3, b"m`f 1\n")
    assert run_here("fold", "-q", stdin=HEADER + stack(b"m`f")) == (0, b"m`f 1\n", b"")


def test_output_of_bpftrace_is_not_read():
    code, out, err = run_here("fold", stdin=b"Attaching 1 probe...\n\n@[\n    foo+12\n    0x7f1234\n]: 5\n")
    assert (code, out) == (4, b"")
    assert b"not a format flameparse knows" in err


@pytest.mark.parametrize("threads", [1, 2])
def test_rare_stacks_are_folded_at_the_memory_cap(threads, read, monkeypatch):
    monkeypatch.setattr("flameparse.limits.READ_BLOCK_BYTES", 64 << 10)
    rare = b"".join(stack(*(b"m`f%d_%d" % (number, depth) for depth in range(30))) for number in range(3000))
    document = read(HEADER + rare + stack(b"m`often", count=b"  100000"), max_memory=2 << 20, threads=threads)
    assert document.diagnostics["rare_samples"] > 1000
    assert sum(int(line.rpartition(b" ")[2]) for line in folded(document).splitlines()) == 103_000
    assert b"m`often 100000\n" in folded(document)


def test_counts_past_what_can_be_counted(read):
    text = HEADER + stack(b"m`f", count=b"9223372036854775808") + stack(b"m`g", count=b"9" * 30) + stack(b"m`h")
    document = read(text)
    assert folded(document) == b"m`h 1\n"
    assert document.diagnostics["impossible_periods"] == 2
    with pytest.raises(LimitError, match=r"the counts sum past 2\*\*63 - 1"):
        read(HEADER + 2 * stack(b"m`f", count=b"9223372036854775807"))


TICKS = (
    b"node 8783 1477263: profile-1ms:\n              node`uv_run+0x12c\n              0x3cd5f8a04d20\n\n"
    b"my node 8784 1477264: profile-1ms:\n              node`uv_run+0x3\n              0x3cd5f8a04d20\n\n"
    b"idle 9 1477265: profile-1ms:\n\n"
)


def test_stacks_as_they_were_taken(read):
    document = read(TICKS)
    assert folded(document) == (b"idle 1\nmy node;0x3cd5f8a04d20;node`uv_run 1\nnode;0x3cd5f8a04d20;node`uv_run 1\n")
    assert [document.string(name) for name in document.event_name] == [b"profile-1ms"]
    assert (document.meta["first_time_ns"], document.meta["last_time_ns"]) == (1477263 * 10**6, 1477265 * 10**6)
    assert folded(read(TICKS, include=[("pid", b"^8784$")])) == b"my node;0x3cd5f8a04d20;node`uv_run 1\n"
    assert folded(read(TICKS, time_to="1477.265")).count(b"\n") == 2


def test_a_tick_of_no_process(read):
    assert folded(read(b"sched -1 7: profile-1ms:\n              0x3cd5f8a04d20\n\n")) == b"sched;0x3cd5f8a04d20 1\n"


def test_ticks_of_long_names_and_times(read):
    text = b"Google Chrome He 12 1477: profile-1ms:\n              IOKit`IOObject::release() const+0x5\n\n"
    assert folded(read(text, time_from="1.477", time_to="1.478")) == b"Google Chrome He;IOKit`IOObject::release 1\n"
    assert folded(read(text, time_from="1.478")) == b""


def test_stacks_that_a_probe_printed(read):
    text = HEADING + b"".join(
        b"  %d  64091                      :profile-97 \n              unix`idle+0x%d\n\n" % (cpu, cpu)
        for cpu in (0, 1, 0)
    )
    document = read(text, timeline=True)
    assert folded(document) == b"unix`idle 3\n"
    assert list(document.timeline["cpu"]) == [0, 1, 0]
    assert folded(read(text, include=[("cpu", b"^1$")])) == b"unix`idle 1\n"


def test_kernel_frames_are_told_by_what_calls_them(read):
    text = HEADER + stack(b"zfs`read", b"genunix`read", b"ufs`x", b"", b"zfs`main", b"0x7f00") + stack(b"zfs`read")
    kernel = folded(read(text, annotate_kernel=True))
    assert kernel == b"0x7f00;zfs`main;ufs`x;genunix`read_[k];zfs`read_[k] 1\nzfs`read 1\n"


def test_addresses_get_the_names_of_a_perf_map(read, tmp_path):
    # The last entry too; an address past a function's end stays one; native frames keep long offsets.
    perf_map = tmp_path / "perf-8783.map"
    perf_map.write_text("3cd5f8a04d00 40 LazyCompile:*foo /a.js:1:2\n3cd5f8a05000 10 LazyCompile:~last /a.js:3:4\n")
    text = b"node 8783 1: profile-1ms:\n" + b"".join(
        b"              %s\n" % frame
        for frame in (b"0x3cd5f8a05004", b"0x3cd5f8a05010", b"0x3cd5f8a04d3f", b"node`uv_run+0x12c")
    )
    expected = b"node`uv_run;LazyCompile:*foo /a.js:1:2;0x3cd5f8a05010;LazyCompile:~last /a.js:3:4 1\n"
    for symbols in (
        SymbolOptions(perf_maps={8783: str(perf_map)}),
        SymbolOptions(perf_map_dir=str(tmp_path)),
    ):
        assert folded(read(text, symbols=symbols)) == b"node;" + expected
        aggregated = text.partition(b"\n")[2] + b"                1\n"
        assert folded(read(aggregated, symbols=symbols)) == expected
    # Another process's map, or no telling whose of two.
    other = SymbolOptions(perf_maps={1: str(perf_map)})
    assert folded(read(text, symbols=other)) == b"node;node`uv_run;0x3cd5f8a04d3f;0x3cd5f8a05010;0x3cd5f8a05004 1\n"
    two = SymbolOptions(perf_maps={1: str(perf_map), 2: str(perf_map)})
    assert b"LazyCompile" not in folded(read(aggregated, symbols=two))


def test_addresses_of_a_module_get_the_names_of_its_file(read):
    frames = (b"0x7000150", b"0x7000190", b"0x1", b"_start+0x3")
    text = HEADER + stack(*(b"tiny_non_pie`" + frame for frame in frames))
    assert folded(read(text, symbols=SymbolOptions(symfs=str(SYMBOLS)))) == (
        b"tiny_non_pie`_start;tiny_non_pie`0x1;tiny_non_pie`outer;tiny_non_pie`spin 1\n"
    )


def test_options_that_do_not_fit(read):
    text = HEADER + stack(b"m`f")
    with pytest.raises(UsageError, match="stackcollapse-perf does not read DTrace text"):
        read(text, compat="stackcollapse-perf")
    with pytest.raises(UsageError, match="stackcollapse does not read perf script text"):
        read(sample(), compat="stackcollapse")
    with pytest.raises(UsageError, match="frames of DTrace text keep the names they have"):
        read(text, compat="inferno", symbols=SymbolOptions(perf_maps={1: __file__}))
    with pytest.raises(UsageError, match="does not say comm, pid and tid"):
        read(text, include=[("comm", b"x")])
    with pytest.raises(UsageError, match="does not say when a stack was taken"):
        read(text, time_from="1")


@pytest.mark.parametrize(
    "head",
    [
        HEADING,
        HEADER + stack(b"m`f"),
        stack(b"0x7fff5fc01000"),
        TICKS,
        b"dtrace: script 'x' matched 1 probe\n\n" + stack(b"main", b"Google Chrome`main"),
        b"  bash  \n" + stack(b"libc.so.1`read+0x7"),
        (HEADER + stack(b"m`f")).replace(b"\n", b"\r\n"),
    ],
)
def test_dtrace_is_recognised(head):
    assert looks_like_dtrace(head)
    assert sniff(head, "x") == DTRACE


@pytest.mark.parametrize(
    ("head", "format_name"),
    [
        (sample([b"a`b", b"main"]), PERF_SCRIPT),
        (b"\t    7f4461 LazyCompile:~a`b x.js:1 (/tmp/perf-1.map)\n", PERF_SCRIPT),
        (b"node 8783 1477.263: cycles:\n\t  7f4461 main (/bin/app)\n", PERF_SCRIPT),
        (b"node 8783 1477: cycles:\n\t    7f4461 main+0x1 (/bin/app)\n", PERF_SCRIPT),
        (b"m`f;m`g 5\n", FOLDED_TEXT),
        (b"0x7fff 5\n", FOLDED_TEXT),
    ],
)
def test_other_texts_are_not_taken_for_dtrace(head, format_name):
    assert not looks_like_dtrace(head)
    assert sniff(head, "x") == format_name


ONE = stack(b"m`f")


@pytest.mark.parametrize(
    ("block", "place"),
    [
        (b"", 0),
        (b"no line end", 0),
        (b"                1\n", 0),
        (ONE, len(ONE) - 1),
        (ONE + ONE[:-20], len(ONE) - 1),
        (ONE + HEADING, len(ONE)),
        (ONE + BANNER + b"              m`f\n", len(ONE)),
        (TICKS[:-1], TICKS.rindex(b"idle")),
        # Whether such a number is a key or a count is told by what follows.
        (b"  bash         1\n      1234\n", 0),
    ],
)
def test_find_cut(block, place):
    assert find_cut(block, len(block)) == place
    assert find_cut(block + b"\n" + ONE, len(block)) == place


def test_lengths_past_the_block_are_refused():
    decoder = DTraceDecoder(Profile())
    for call in (lambda: decoder.feed(b"x", 2, 0), lambda: decoder.finish(b"x", -1, 0), lambda: find_cut(b"x", 2)):
        with pytest.raises(ValueError, match="length past the end"):
            call()


def test_names_carry_their_module():
    namer = FrameNamer("tidy", modules=True)
    assert namer.name_parts(b"f(int)", b"/usr/lib/libc.so.1") == [(b"libc.so.1`f", 0)]
    assert namer.name_parts(b"", b"unix", 0xFB8001D6) == [(b"unix`0xfb8001d6", 0)]
    assert namer.name_parts(b"", None, 0x10) == [(b"0x10", 0)]
    assert namer.name_parts(b"JS:*f /a.js:1:2", b"/tmp/perf-1.map", 0, 2) == [(b"JS:*f /a.js:1:2", 2)]


def test_stacks_deeper_than_the_cap_are_cut(monkeypatch, read):
    monkeypatch.setattr("flameparse.limits.MAX_STACK_FRAMES", 3)
    document = read(HEADER + stack(b"m`a", b"m`b", b"m`c", b"m`d") + stack(b"m`a"))
    assert folded(document) == b"m`a 1\nm`c;m`b;m`a 1\n"
    assert document.diagnostics["cut_stacks"] == 1
