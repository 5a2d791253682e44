from collections.abc import Callable, Iterable, Mapping

from _typeshed import ReadableBuffer

from flameparse.model.profile import Profile

def name_frames(
    profile: Profile,
    *,
    style: str = "tidy",
    addrs: bool = False,
    annotate_kernel: bool = False,
    annotate_jit: bool = False,
    skip_after: Iterable[bytes] = (),
) -> Profile: ...
def select(
    profile: Profile,
    *,
    events: ReadableBuffer | None = None,
    threads: ReadableBuffer | None = None,
    wanted_frames: ReadableBuffer | None = None,
    unwanted_frames: ReadableBuffer | None = None,
    needs_frames: bool = False,
) -> Profile: ...
def rename_comms(profile: Profile, rename: Callable[[bytes], bytes]) -> None: ...
def relabel(
    profile: Profile, labels: Profile, meanings: Mapping[tuple[int, int], tuple[int, int, bool]]
) -> Profile: ...
