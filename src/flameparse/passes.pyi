from collections.abc import Callable, Collection, Iterable, Mapping

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
    modules: bool = False,
) -> Profile: ...
def classify_frames(profile: Profile) -> None: ...
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
def reshape(
    profile: Profile,
    *,
    tiers: str = "keep",
    hide: Collection[str] = (),
    only: Collection[str] = (),
    filters: Iterable[str] = (),
    collapse_interpreter: bool = False,
) -> Profile: ...
def hidden_classes(hide: Collection[str], only: Collection[str]) -> bytes: ...
def filter_bits(filters: Iterable[str]) -> int: ...
def shapes_of(
    names: Iterable[bytes], classes: Iterable[int], tiers: Iterable[int], *, mode: str
) -> tuple[list[bytes], bytes]: ...
