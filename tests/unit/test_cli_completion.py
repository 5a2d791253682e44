"""The completion scripts: each shell accepts its own, and bash's answers are the parsers' options."""

from __future__ import annotations

import shutil

import pytest

import foreign
from flameparse.__main__ import main
from flameparse.cli.dispatch import COMMANDS
from flameparse.cli.options import build_parser

SHELLS = ("bash", "zsh", "fish")


def script(shell: str, capfdbinary: pytest.CaptureFixture[bytes]) -> str:
    assert main(["completion", shell]) == 0
    return capfdbinary.readouterr().out.decode()


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_parses_its_script(shell: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    done = foreign.run([shell, "-n"], input=script(shell, capfdbinary), text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_every_command_is_there(
    shell: str, command: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    lines = script(shell, capfdbinary).splitlines()
    text = "\n".join(line for line in lines if command in line) if shell == "fish" else "\n".join(lines)
    for action in build_parser(command, "")._actions:
        for option in action.option_strings:
            spelled = option if shell != "fish" else f"-l {option[2:]}" if option[1] == "-" else f"-s {option[1:]}"
            assert spelled in text


def complete_in_bash(text: str, line: str, capfdbinary: pytest.CaptureFixture[bytes]) -> list[str]:
    words = line.split(" ")
    probe = (
        f"{text}\nCOMP_WORDS=({' '.join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}; _flameparse\n"
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return foreign.run(["bash", "-c", probe], text=True, check=True).stdout.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("flameparse ", [*COMMANDS, "--help", "--version"]),
        ("flameparse re", ["render", "report"]),
        ("flameparse fold --format ", ["folded", "msgpack", "html", "svg"]),
        ("flameparse fold --format s", ["svg"]),
        ("flameparse report --sort ", ["self", "total"]),
        ("flameparse info --js", ["--json"]),
        ("flameparse completion f", ["fish"]),
        ("flameparse fold trace", []),  # left to file names
        ("flameparse fold -o ", []),
    ],
)
def test_bash_answers(line: str, expected: list[str], capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert complete_in_bash(script("bash", capfdbinary), line, capfdbinary) == expected
