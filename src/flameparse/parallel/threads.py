"""One function on several threads at once."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Callable
    from typing import TypeVar

    Share = TypeVar("Share")
    Progress = Callable[[int, int | None, int], None]

_PATIENCE_SECONDS = 0.05


def run_threads(work: Callable[[Share, list[BaseException]], None], shares: list[Share]) -> None:
    """Run a function for each of several shares, the first of them on this thread, and wait for all.

    Args:
        work: called with a share, and the failures so far: it should stop when there are any.
        shares: at least one.

    Raises:
        BaseException: the first failure, when all have ended; Ctrl-C, when all had the time to.
    """
    failures: list[BaseException] = []

    def run(share: Share) -> None:
        try:
            work(share, failures)
        except BaseException as error:
            failures.append(error)

    endings: list[LockType] = []
    try:
        for share in shares[1:]:
            endings.append(start_thread(run, share))  # noqa: PERF401  those that started must be known if one fails
    except BaseException as error:
        failures.append(error)
    run(shares[0])
    # A thread that waits for a pipe ends when that moves on; Ctrl-C is obeyed before.
    is_interrupted = any(isinstance(error, KeyboardInterrupt) for error in failures)
    for ending in endings:
        ending.acquire(timeout=_PATIENCE_SECONDS if is_interrupted else -1)
    if failures:
        raise failures[0]


def start_thread(work: Callable[..., None], *arguments: object) -> LockType:
    """Start a thread; a lock that is released when it ends.

    ``threading`` waits for ever for a thread that dies of a lack of memory before it runs.
    """
    from _thread import allocate_lock, start_new_thread

    started, ending = allocate_lock(), allocate_lock()
    started.acquire()
    ending.acquire()

    def run() -> None:
        try:
            started.release()
            work(*arguments)
        finally:
            ending.release()

    try:
        start_new_thread(run, ())
    except RuntimeError as error:
        raise MemoryError(str(error)) from error
    if not started.acquire(timeout=10):
        raise MemoryError("a thread did not start")
    return ending
