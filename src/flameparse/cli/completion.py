"""``flameparse completion``: a static script per shell, made from the very parsers that will read the arguments."""

from __future__ import annotations

from argparse import SUPPRESS, Action

from flameparse.cli.dispatch import COMMANDS
from flameparse.cli.options import build_parser
from flameparse.cli.terminal import write_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from flameparse.cli.options import Parser
    from flameparse.cli.terminal import Console

USAGE = "bash|zsh|fish"
EPILOG = """examples:
  flameparse completion bash > ~/.local/share/bash-completion/completions/flameparse
  flameparse completion zsh > ~/.zfunc/_flameparse        (a folder in $fpath)
  flameparse completion fish > ~/.config/fish/completions/flameparse.fish
"""


def add_arguments(parser: Parser) -> None:
    """Add what ``completion`` takes."""
    parser.add_argument("shell", choices=sorted(_WRITERS))


def run(args: Namespace, console: Console) -> int:
    """Print the script for one shell."""
    write_out(_WRITERS[args.shell]())
    return 0


def _actions(command: str) -> list[Action]:
    return [action for action in build_parser(command, "")._actions if action.help != SUPPRESS]


def _options(command: str) -> list[str]:
    return [option for action in _actions(command) for option in action.option_strings]


def _choices(action: Action) -> list[str]:
    return [str(choice) for choice in action.choices or ()]


def _bash() -> str:
    cases = []
    for command in COMMANDS:
        for action in _actions(command):
            if action.choices and action.option_strings:
                patterns = "|".join(f"{command}:{option}" for option in action.option_strings)
                cases.append(f'        {patterns}) words="{" ".join(_choices(action))}" ;;\n')
        words = [word for a in _actions(command) if not a.option_strings for word in _choices(a)] + _options(command)
        cases.append(f'        {command}:*) words="{" ".join(words)}" ;;\n')
    return (
        "_flameparse() {\n"
        '    local current="${COMP_WORDS[COMP_CWORD]}" place="${COMP_WORDS[1]}:${COMP_WORDS[COMP_CWORD-1]}" words=""\n'
        "    ((COMP_CWORD == 1)) && place=commands\n"
        '    case "$place" in\n'
        f'        commands) words="{" ".join(COMMANDS)} --help --version" ;;\n'
        f"{''.join(cases)}"
        "    esac\n"
        '    if [[ $current == -* || $words != -* ]]; then COMPREPLY=($(compgen -W "$words" -- "$current")); fi\n'
        "}\n"
        "complete -o default -F _flameparse flameparse\n"
    )


def _zsh() -> str:
    commands = "".join(f"        {_quoted(f'{name}:{summary}')}\n" for name, summary in COMMANDS.items())
    cases = []
    for command in COMMANDS:
        specs = "".join(f" \\\n            {spec}" for action in _actions(command) for spec in _zsh_specs(action))
        cases.append(f"        {command}) _arguments -s{specs} ;;\n")
    return (
        "#compdef flameparse\n"
        "_flameparse() {\n"
        "    local -a commands=(\n"
        f"{commands}"
        "    )\n"
        "    if ((CURRENT == 2)); then _describe command commands; return; fi\n"
        "    shift words; ((CURRENT--))\n"
        '    case "$words[1]" in\n'
        f"{''.join(cases)}"
        "    esac\n"
        "}\n"
        'if [[ $funcstack[1] == _flameparse ]]; then _flameparse "$@"; else compdef _flameparse flameparse; fi\n'
    )


def _zsh_specs(action: Action) -> list[str]:
    values = f"({' '.join(_choices(action))})" if action.choices else "_files"
    if not action.option_strings:
        return [_quoted(f"*:{action.dest}:{values}")]
    help_text = (action.help or "").replace("[", "(").replace("]", ")").replace(":", "\\:")
    argument = "" if action.nargs == 0 else f":{action.dest}:{values}"
    return [_quoted(f"*{option}[{help_text}]{argument}") for option in action.option_strings]


def _fish() -> str:
    lines = [
        f"complete -c flameparse -n __fish_use_subcommand -f -a {name} -d {_quoted(summary)}\n"
        for name, summary in COMMANDS.items()
    ]
    for command in COMMANDS:
        condition = f"-n '__fish_seen_subcommand_from {command}'"
        for action in _actions(command):
            names = " ".join(
                f"-l {option[2:]}" if option.startswith("--") else f"-s {option[1:]}"
                for option in action.option_strings
            )
            values = f" -x -a '{' '.join(_choices(action))}'" if action.choices else "" if action.nargs == 0 else " -r"
            if names:
                lines.append(f"complete -c flameparse {condition} {names}{values} -d {_quoted(action.help or '')}\n")
            elif action.choices:
                lines.append(f"complete -c flameparse {condition}{values}\n")
    return "".join(lines)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


_WRITERS = {"bash": _bash, "zsh": _zsh, "fish": _fish}
