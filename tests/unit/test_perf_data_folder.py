"""A recording that is a folder, as ``perf record --kcore`` leaves one."""

from __future__ import annotations

from pathlib import Path

import pytest

from flameparse.decode.perf_data import kernel_copy, recording_file
from flameparse.errors import SourceError, UnsupportedError


def test_a_file_is_itself(tmp_path: Path) -> None:
    assert recording_file(str(tmp_path / "perf.data")) == str(tmp_path / "perf.data")


def test_a_folder_holds_its_records_and_the_kernels_symbols(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"")
    file = recording_file(str(tmp_path))
    assert file == str(tmp_path / "data")
    assert kernel_copy(file) is None
    (tmp_path / "kcore_dir").mkdir()
    (tmp_path / "kcore_dir" / "kallsyms").write_bytes(b"")
    assert kernel_copy(file) == str(tmp_path / "kcore_dir" / "kallsyms")
    assert kernel_copy(str(tmp_path / "perf.data")) is None


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="folder without a recording"):
        recording_file(str(tmp_path))
    for name in ("data", "data.0"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(UnsupportedError, match="several threads"):
        recording_file(str(tmp_path))
