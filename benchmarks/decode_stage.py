"""Decode one perf script text and print the seconds it took: the stage alone, without start-up, naming and output."""

from __future__ import annotations

import sys
import time

from flameparse import limits
from flameparse.model.profile import Profile
from flameparse.parallel import decode_perf_script
from flameparse.source import open_source


def main(path: str, threads: int) -> None:
    with open_source(path) as source:
        start = time.perf_counter()
        decode_perf_script(
            source,
            Profile(),
            dialect=None,
            keeps_addresses=False,
            threads=threads,
            max_memory=limits.DEFAULT_MAX_MEMORY_BYTES,
            progress=None,
        )
        print(time.perf_counter() - start)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
