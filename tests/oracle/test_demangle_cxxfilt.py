"""Demangled names against GNU's demangler: names kept with its answers, and live where `c++filt` is installed.

`mangled_names.tsv` has, on each line, a mangled name of a real program or one made to reach a rule of the ABI, and what
`c++filt -p -i` (2.40) makes of it: neither parameters nor details that GNU calls verbose, as in `perf script`.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from flameparse.symbolize.names.demangle import Demangler, demangle
from foreign import environment, run

LINES = (Path(__file__).parent / "mangled_names.tsv").read_text(encoding="utf-8").splitlines()
NAMES = dict(line.split("\t") for line in LINES)

RUST_SOURCE = """
pub mod shapes {
    pub trait Area { fn area(&self) -> u64; }
    pub struct Square<const N: usize, T>(pub [T; N]);
    impl<const N: usize, T: Copy + Into<u64>> Area for Square<N, T> {
        #[inline(never)]
        fn area(&self) -> u64 { self.0.iter().map(|side| (*side).into() * 2).sum() }
    }
}
#[inline(never)]
pub fn apply<F: Fn(&str) -> usize>(f: F, words: &[&str]) -> usize { words.iter().map(|word| f(word)).sum() }
pub fn run(shape: &dyn shapes::Area) -> u64 {
    use shapes::Area;
    let f: fn(u8, &mut [u8]) -> Option<u8> = |a, _| Some(a);
    apply(|word| word.len(), &["a", "b"]) as u64 + shapes::Square([1u8, 2]).area() + shape.area() + holds(f)
}
#[inline(never)]
pub fn holds<T>(value: T) -> u64 { std::mem::size_of_val(&value) as u64 }
"""


def filtered(names: list[str]) -> list[str]:
    program = shutil.which("c++filt")
    if not program:
        pytest.skip("c++filt is not installed: nothing is compared with it")
    ended = run(
        [program, "-p", "-i"], input="".join(f"{name}\n" for name in names), text=True, encoding="utf-8", timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    texts: list[str] = ended.stdout.splitlines()
    assert len(texts) == len(names)
    return texts


def assert_alike(names: list[str], at_least: int) -> None:
    """Compare names with what c++filt makes of them, which has to know some."""
    texts = filtered(names)
    demangler = Demangler("perf-6.1")
    for name, text in zip(names, texts, strict=True):
        assert demangler.text_of(name.encode()).decode() == text, name
    assert sum(text != name for name, text in zip(names, texts, strict=True)) >= at_least


def test_there_are_names_enough() -> None:
    assert len(NAMES) == len(LINES) > 500


@pytest.mark.parametrize("name", NAMES)
def test_kept_names_are_spelled_as_gnu_spells_them(name: str) -> None:
    assert demangle(name.encode()).decode() == NAMES[name]
    assert Demangler("perf-6.1").text_of(name.encode()).decode() == NAMES[name]


def test_the_kept_names_are_those_of_the_installed_tool() -> None:
    # c++filt takes what no symbol has (`@VERSION`, `!`) off before it looks at a name, and puts it back.
    assert_alike([name for name in NAMES if re.fullmatch(r"[\w.$]+", name)], 500)


def test_the_symbols_of_a_real_library() -> None:
    compiler, reader = shutil.which("g++"), shutil.which("nm")
    if not compiler or not reader:
        pytest.skip("g++ or nm is not installed: no library is looked for")
    library = run([compiler, "-print-file-name=libstdc++.so.6"], text=True).stdout.strip()
    if not Path(library).is_absolute():
        pytest.skip("g++ has no shared library: none is compared")
    symbols = run([reader, "-D", "--format=posix", library], text=True).stdout.splitlines()
    assert_alike(sorted({re.split("[ @]", line)[0] for line in symbols if line.startswith("_Z")}), 3000)


@pytest.mark.parametrize("mangling", ["v0", "legacy"])
def test_the_symbols_of_a_rust_program(mangling: str, tmp_path: Path) -> None:
    compiler, reader = shutil.which("rustc"), shutil.which("nm")
    if not compiler or not reader:
        pytest.skip("rustc or nm is not installed: no Rust program is compiled")
    (tmp_path / "shapes.rs").write_text(RUST_SOURCE, encoding="utf-8")
    options = ["-C", f"symbol-mangling-version={mangling}", "--crate-type=lib", "--emit=obj", "-o", "shapes.o"]
    if mangling == "legacy":
        options += ["-Z", "unstable-options"]
    bootstrap = {**environment(), "RUSTC_BOOTSTRAP": "1"}
    ended = run([compiler, *options, "shapes.rs"], cwd=tmp_path, env=bootstrap, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    symbols = run([reader, "--format=posix", "shapes.o"], cwd=tmp_path, text=True).stdout.splitlines()
    prefix = "_R" if mangling == "v0" else "_ZN"
    assert_alike(sorted({line.split(" ", 1)[0] for line in symbols if line.startswith(prefix)}), 10)
