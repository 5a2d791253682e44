"""The inputs in ``fixtures/dtrace`` and their goldens."""

from __future__ import annotations

from pathlib import Path

from oracle import dtrace_reference as reference

FOLDER = Path(__file__).parents[2] / "fixtures" / "dtrace"
FIXTURES = sorted(path.stem for path in FOLDER.glob("*.txt"))

# The reference's rule for arguments is too plain for these: their goldens are written by hand.
HAND_MADE = ("helper_frames", "names_with_signs")


def path_of(fixture: str) -> Path:
    return FOLDER / f"{fixture}.txt"


def folded_by_reference(fixture: str, names: str = "tidy") -> bytes:
    return reference.fold(reference.parse(path_of(fixture).read_bytes()), names=names)
