"""Names as inferno-collapse-perf prints them, where that tool is installed, and as the corpus has them."""

from __future__ import annotations

import random
import re
import shutil
from pathlib import Path

import pytest

from flameparse.frames.tidy import FrameNamer
from foreign import run

SCRAPS = (
    b"(", b")", b"<", b">", b"{", b"}", b"[", b"]", b"->", b".", b".(", b"..", b"::", b";", b"L", b"/", b"a", b"foo",
    b" ", b"operator", b"'", b'"', b"-", b"$LT$", b"$GT$", b"$RF$", b"$BP$", b"$SP$", b"$C$", b"$u20$", b"$u7b$",
    b"$u3b$", b"$u3d$", b"$u41$", b"$u0$", b"$u07b$", b"$", b"_", b"_$", b"_[i]", b"_[k]", b"_[j]", b"[unknown]",
    b"::h0123456789abcdef", b"h0123456789ABCDEF", b"(anonymous namespace)", b"(anonymous namespace", b"(anonymous",
    b"const", b"JS:*x", b"L/x;",
)  # fmt: skip
MODULES = (
    b"/usr/bin/x", b"[unknown]", b"[unknown1]", b"[kernel.kallsyms]", b"[vdso]", b"/boot/vmlinux-5.4",
    b"/boot/vmlinux-5.4+", b"vmlinux/x", b"vmlinuxvmlinux", b"/vmlinux$", b"a.ko", b"a.ko.xz", b"/tmp/perf-1.map",
    b"/tmp/perf-x.map", b"/tmp/perf-.map", b"/x/tmp/perf-1.map", b"/x/jitted-1-2.so", b"jitted-1.so", b"inlined",
    b"//anon", b"/a/b/", b"", b"/x/a;b", b"/x/(a)b", b"/x/a->b", b"L/x", b"/Lx",
)  # fmt: skip
SWITCHES: dict[str, dict[str, bool]] = {
    "": {},
    "--kernel": {"annotate_kernel": True},
    "--jit": {"annotate_jit": True},
    "--all --addrs": {"annotate_kernel": True, "annotate_jit": True, "addrs": True},
}
SAMPLES = 4_000


@pytest.fixture(scope="session")
def inferno() -> str:
    program = shutil.which("inferno-collapse-perf") or shutil.which(
        "inferno-collapse-perf", path=str(Path.home() / ".cargo" / "bin")
    )
    if not program:
        pytest.skip("inferno-collapse-perf is not installed: no name is compared with it")
    return program


def random_symbol(rng: random.Random) -> bytes:
    """A symbol that a stack line can carry: not blank at the ends, and without an offset of its own."""
    while True:
        symbol = b"".join(rng.choice(SCRAPS) for _ in range(rng.randint(1, 9)))
        if rng.random() < 0.3:
            symbol += b"::h%016x" % rng.getrandbits(64)
        if symbol == symbol.strip():
            return symbol


@pytest.mark.parametrize("comm", [b"c", b"java"])
@pytest.mark.parametrize("switch", SWITCHES)
def test_random_names(inferno: str, comm: bytes, switch: str) -> None:
    rng = random.Random(f"{switch} {comm!r}")
    frames = [(random_symbol(rng), rng.choice(MODULES), b"%x" % rng.getrandbits(48)) for _ in range(SAMPLES)]
    text = b"".join(
        b"%b%d 1 1.000000: 1 cycles: \n\t%b %b+0x1 (%b)\n\n" % (comm, number, address, symbol, module)
        for number, (symbol, module, address) in enumerate(frames)
    )
    ended = run([inferno, "-q", "-n", "1", *switch.split()], input=text, timeout=120)
    assert ended.returncode == 0, ended.stderr

    namer = FrameNamer("inferno", **SWITCHES[switch])
    expected = []
    for number, (symbol, module, address) in enumerate(frames):
        parts = namer.name_parts(symbol, module, java_root=comm == b"java", address_text=address)
        if parts:  # nothing is printed for a sample without frames
            expected.append(b";".join([b"%b%d" % (comm, number), *(name for name, _ in parts)]) + b" 1")
    assert len(expected) > SAMPLES // 2
    assert ended.stdout.splitlines() == sorted(expected)


def test_every_escape(inferno: str) -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    words = [f"u{number:{width}{case}}" for number in range(0x100) for width in ("", "02") for case in "xX"]
    words += [*letters, *(a + b for a in letters for b in letters)]
    symbols = [f"a${word}$b::h0123456789abcdef".encode() for word in words]
    text = b"".join(b"c%d 1 1.000000: 1 cycles: \n\t1 %b (m)\n\n" % pair for pair in enumerate(symbols))
    ended = run([inferno, "-q", "-n", "1"], input=text, timeout=60)
    assert ended.returncode == 0, ended.stderr
    namer = FrameNamer("inferno")
    assert ended.stdout.splitlines() == sorted(
        b"c%d;%b 1" % (number, namer.name_parts(symbol, b"m")[0][0]) for number, symbol in enumerate(symbols)
    )


CORPUS_SWITCHES: dict[str, dict[str, bool]] = {
    "default": {},
    "kernel": {"annotate_kernel": True},
    "jit": {"annotate_jit": True},
    "all": {"annotate_kernel": True, "annotate_jit": True},
    "addrs": {"addrs": True},
}
HEADER = re.compile(rb"(\S.+?)\s+\d+(?:/\d+)?\s")
STACK_LINE = re.compile(rb"\s*(\w+)\s*(.+) \((.*)\)$")


@pytest.mark.parametrize("switch", CORPUS_SWITCHES)
def test_stackcollapse_perf_in_the_corpus(corpus: Path, switch: str) -> None:
    """Every stack the tool printed is one we name alike; which events it drops is not a matter of names."""
    namer = FrameNamer("stackcollapse-perf", **CORPUS_SWITCHES[switch])
    traces = sorted((corpus / "flamegraph").glob("*.txt"))
    assert len(traces) == 7
    for trace in traces:
        stacks = set()
        for paragraph in re.split(rb"\n[ \t]*\n", trace.read_bytes()):
            header, *lines = [line for line in paragraph.split(b"\n") if line and line[:1] != b"#"] or [b""]
            if not header:
                continue
            match = HEADER.match(header)
            assert match
            comm = match[1].replace(b" ", b"_")
            stack = []
            for line in lines:
                frame = STACK_LINE.match(line)
                assert frame
                parts = namer.name_parts(
                    re.sub(rb"\+0x[0-9a-f]+$", b"", frame[2]),
                    frame[3],
                    java_root=comm.startswith(b"java"),
                    address_text=frame[1],
                )
                stack[:0] = [name for name, _ in parts]
            stacks.add(b";".join([comm, *stack]))
        printed = trace.with_suffix(f".{switch}.folded").read_bytes().splitlines()
        assert printed
        assert {line.rpartition(b" ")[0] for line in printed} <= stacks
