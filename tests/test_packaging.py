"""The source archive builds everywhere, and the wheel holds what is needed and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.packaging


def run_hook(hook: str, folder: Path, out: Path) -> Path:
    """Call a build hook of setuptools as pip would, in ``folder``, and return the file it wrote."""
    out.mkdir()
    code = f"import setuptools.build_meta as b, sys; sys.stderr.write('built ' + b.{hook}({str(out)!r}))"
    result = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    (built,) = out.iterdir()
    assert result.stderr.endswith(f"built {built.name}")
    return built


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_hook("build_sdist", ROOT, tmp_path_factory.mktemp("sdist") / "out")


@pytest.fixture(scope="module")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # as an argument it is too new for 3.10.0
        archive.extractall(folder)
    (top,) = folder.iterdir()
    return top


@pytest.fixture(scope="module")
def wheel(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_hook("build_wheel", unpacked, tmp_path_factory.mktemp("wheel") / "out")


def files_under(folder: Path) -> set[str]:
    """List the files below a folder that belong to the project, not to a tool's cache."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".so"
    }


def test_the_source_archive_holds_every_source_and_nothing_generated(sdist: Path, unpacked: Path) -> None:
    packed = files_under(unpacked)
    for folder in ("src/flameparse", "tests", "fixtures"):
        expected = {f"{folder}/{name}" for name in files_under(ROOT / folder)}
        assert expected
        assert {name for name in packed if name.startswith(f"{folder}/")} == expected
    assert {"LICENSE", "README.md", "CHANGELOG.md", "Makefile", "setup.py", "pyproject.toml", ".ci/run"} <= packed
    assert [name for name in packed if name.startswith("src/") and name.endswith((".c", ".cpp", ".so"))] == []
    assert [name for name in packed if name.startswith(("build/", "dist/", ".venv", "benchmarks/data/"))] == []


def test_the_wheel_holds_the_package_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    source = files_under(ROOT / "src")
    extensions = {name.removesuffix(".pyx") for name in source if name.endswith(".pyx")}
    compiled = {name.partition(".")[0] for name in names if name.endswith((".so", ".pyd"))}
    assert compiled == extensions
    shipped = {name for name in source if not name.endswith(".pyx") and ".egg-info/" not in name}
    assert {name for name in names if not name.endswith((".so", ".pyd"))} == shipped
    assert {"flameparse/py.typed", "flameparse/document/schema.md"} <= shipped
    assert any(name.startswith("flameparse/render/viewer/") for name in shipped)


def test_the_wheel_says_nothing_of_the_machine_it_was_built_on(wheel: Path, unpacked: Path) -> None:
    places = [os.fsencode(unpacked.parent), os.fsencode(ROOT)]
    with zipfile.ZipFile(wheel) as archive:
        found = [(name, place) for name in archive.namelist() for place in places if place in archive.read(name)]
    assert found == []


def test_the_wheel_works_with_no_checkout_near(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    result = subprocess.run(
        [sys.executable, "-m", "flameparse", "fold", "-"],
        input=b"app 1/1 [000] 1.500000: 3 cycles:\n\t1 leaf (/bin/app)\n\t2 main (/bin/app)\n\n",
        cwd=tmp_path,
        env={"PATH": os.defpath, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        check=False,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, b"app;main;leaf 3\n", b"")
    where = subprocess.run(
        [sys.executable, "-c", "import flameparse; print(flameparse.__file__)"],
        env={"PATH": os.defpath, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(where.stdout.strip()) == tmp_path / "site" / "flameparse" / "__init__.py"
