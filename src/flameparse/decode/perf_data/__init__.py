"""perf.data: the container, its records and their samples."""

from __future__ import annotations

from flameparse.errors import SourceError, UnsupportedError


def recording_file(path: str) -> str:
    """Name the file to read of a recording that may be a folder, as ``perf record --kcore`` leaves one.

    Args:
        path: what the user gave.

    Returns:
        ``path`` itself unless it is a folder, else the file ``data`` in it.

    Raises:
        SourceError: a folder that holds no recording.
        UnsupportedError: a folder of ``perf record --threads``, where each thread wrote a file of its own.
    """
    import os

    if not os.path.isdir(path):
        return path
    file = os.path.join(path, "data")
    if not os.path.isfile(file):
        raise SourceError(f"{path}: is a folder without a recording, which would be a file named data")
    if os.path.exists(file + ".0"):
        raise UnsupportedError(
            f"{path}: this is a recording of several threads, which is not read; "
            f"print it with: perf script -i {path} | flameparse fold"
        )
    return file


def kernel_copy(file: str) -> str | None:
    """Name the kernel's symbols that ``perf record --kcore`` put beside the recording, or None.

    Args:
        file: what ``recording_file`` gave.
    """
    import os

    copy = os.path.join(os.path.dirname(file), "kcore_dir", "kallsyms")
    return copy if os.path.basename(file) == "data" and os.path.isfile(copy) else None
