"""What README.md tells a newcomer to type works as it stands there."""

from __future__ import annotations

import glob
import gzip
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flameparse.__main__ import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
RECORDINGS = ROOT / "fixtures" / "perf_data"
DTRACE = (ROOT / "fixtures" / "dtrace" / "helper_frames.txt").read_bytes()
TRACE = gzip.decompress((ROOT / "fixtures" / "perf_script" / "node_demo.txt.gz").read_bytes())


def blocks(language: str) -> list[str]:
    """List the fenced blocks of a language, "" for the plain ones."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [text for name, text in found if name == language]


LINES = [line.partition("#")[0].strip() for text in blocks("") for line in text.splitlines()]
COMMANDS = list(dict.fromkeys(line for line in LINES if re.search(r"(^|\| )flameparse ", line)))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("bundle") / "bundle.tar.gz"
    assert main(["collect", "--quiet", str(RECORDINGS / "plain.data"), "-o", str(path)]) == 0
    return path.read_bytes()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundle: bytes) -> Path:
    """Make a folder with the inputs that the examples name, and go there."""
    monkeypatch.chdir(tmp_path)
    Path("big.perf.txt").write_bytes(TRACE)
    Path("big.perf.txt.gz").write_bytes(gzip.compress(TRACE))
    Path("perf.data").write_bytes((RECORDINGS / "plain.data").read_bytes())
    Path("bundle.tar.gz").write_bytes(bundle)
    shutil.copytree(ROOT / "fixtures" / "0x_folder", "12345.0x")
    for thread, profile in enumerate(("node20", "node24")):
        shutil.copy(ROOT / "fixtures" / "cpuprofile" / f"{profile}.cpuprofile", f"CPU.1.{thread}.cpuprofile")
    for host in ("host1", "host2"):
        assert main(["fold", "big.perf.txt", "-o", f"{host}.msgpack"]) == 0
    return tmp_path


def test_the_examples_are_found() -> None:
    assert {shlex.split(command.rpartition("|")[2])[1] for command in COMMANDS} == {
        "fold", "render", "info", "report", "merge", "collect",
    }  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_command(desk: Path, command: str) -> None:
    before, _, own = command.rpartition("|")
    piped = {
        "": b"",
        "perf script": TRACE,
        "perf record -g -o - -- ./my-program": (RECORDINGS / "pipe.data").read_bytes(),
        # The one tool that cannot be here: a text made by hand.
        "dtrace -n 'profile-997 /pid == $target/ { @[ustack(100)] = count(); }' -p PID": DTRACE,
    }[before.strip()]
    own, _, redirected = own.partition(">")
    words = [name for word in shlex.split(own) for name in (sorted(glob.glob(word)) or [word])]
    assert words[0] == "flameparse"
    result = subprocess.run([sys.executable, "-m", *words], input=piped, cwd=desk, capture_output=True, check=False)
    assert result.returncode == 0
    if "perf.data" in words or "-" in words:  # the fixture was recorded elsewhere: what has no name is said
        assert re.fullmatch(rb"(flameparse: [^\n]+\n)+", result.stderr)
    else:
        assert re.fullmatch(rb"(flameparse: JavaScript in [^\n]+\n)?", result.stderr)
    if redirected or "-o" in words:
        written = result.stdout if redirected else (desk / words[words.index("-o") + 1]).read_bytes()
        assert len(written) > (1_000 if piped == TRACE or "big.perf.txt" in own else 40)
    else:
        assert result.stdout.count(b"\n") > 3


def test_python_example(desk: Path) -> None:
    (example,) = blocks("python")
    result = subprocess.run([sys.executable, "-c", example], cwd=desk, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    weight = sum(int(line.rpartition(b" ")[2]) for line in Path("big.folded").read_bytes().splitlines())
    assert result.stdout == f"{weight} period cpu-clock\n"
    assert {path.name for path in desk.iterdir()} >= {"big.msgpack", "big.folded", "big.html"}


def test_exit_codes_are_those_of_the_program() -> None:
    from flameparse.cli import exit_codes

    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    assert documented == {value for name, value in vars(exit_codes).items() if name.isupper()}


def test_links_lead_somewhere() -> None:
    for document in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / document).read_text(encoding="utf-8")):
            assert "://" in target or os.path.exists(ROOT / target), f"{document}: {target}"


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for document in ("README.md", "CONTRIBUTING.md"):
        named = set(
            re.findall(r"(?:^|`|&& )make ([a-z]+)\b", (ROOT / document).read_text(encoding="utf-8"), re.MULTILINE)
        )
        assert named
        assert named <= targets
