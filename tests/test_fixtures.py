"""Every fixture is told of in ``fixtures/README.md``, and everything told of there is a fixture."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "fixtures"
README = (FOLDER / "README.md").read_text()
LIMIT_BYTES = 2_000_000

_SECTION = re.compile(r"^## `(?P<folder>[a-z_0-9]+)/`.*?(?=^## |\Z)", re.S | re.M)
_FIRST_CELL = re.compile(r"^\| `(?P<name>[^`]+)` \| (?P<cells>.*) \|$", re.M)


def is_fixture(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts and path.name != "README.md"


def fixtures() -> list[Path]:
    return sorted(path for path in FOLDER.rglob("*") if is_fixture(path))


def is_golden(path: Path) -> bool:
    ends = {"perf_data": (".txt.gz",), "v8": (".classes",)}.get(path.parent.name, (".folded", ".folded.gz"))
    return path.name.endswith(ends)


def told() -> dict[str, list[str]]:
    """File name with its folder -> the other cells of its table row."""
    rows = {}
    for section in _SECTION.finditer(README):
        for row in _FIRST_CELL.finditer(section[0]):
            rows[f"{section['folder']}/{row['name']}"] = [cell.strip() for cell in row["cells"].split(" | ")]
    return rows


def test_readme_tells_of_every_fixture_and_of_nothing_else() -> None:
    inputs = {path.relative_to(FOLDER).as_posix() for path in fixtures() if not is_golden(path)}
    in_folders = {name for name in inputs if "/" in name}
    assert set(told()) == in_folders
    for name in inputs - in_folders:
        assert f"`{name}`" in README


def test_every_entry_says_how_what_and_how_it_was_checked() -> None:
    for name, cells in told().items():
        wanted = 1 if name.startswith("workloads/") else 3
        assert len(cells) == wanted, name
        assert all(cells), name


def test_every_golden_has_its_input() -> None:
    names = {path.relative_to(FOLDER).as_posix().partition(".")[0] for path in fixtures() if not is_golden(path)}
    for path in fixtures():
        if is_golden(path):
            behaviour = path.relative_to(FOLDER).as_posix().partition(".")[0].partition("__")[0]
            assert behaviour in names, f"{path.name} belongs to no input"


def test_fixtures_stay_small() -> None:
    assert sum(path.stat().st_size for path in fixtures()) < LIMIT_BYTES


def test_no_fixture_names_the_machine_it_was_made_on() -> None:
    for path in fixtures():
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        assert not re.search(rb"/(?:root|home|work)/|hostname : (?!example)", content), path.name
