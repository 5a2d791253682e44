"""One input over as many decoders as there are threads."""

from __future__ import annotations

from flameparse.parallel.perf_script import decode_perf_script

__all__ = ["decode_perf_script"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flameparse.parallel.threads import Progress as Progress
