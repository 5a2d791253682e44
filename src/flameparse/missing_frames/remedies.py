"""What a survey of JavaScript means: why frames have no name or no callers, and which flag or command mends it.

Which version of Node takes which flag, and what the flags cost, was tried with Node 8 to 26. Costs are iterations of
one program of four seconds, 132 of them without any flag.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# What the kernel keeps of a stack unless it was told otherwise.
_USUAL_MAX_STACK = 127

# Less than this share of the samples is not worth another recording.
_LEAST_SHARE = 0.01

# The one line names so many findings, fewer where what follows the number of samples has more characters.
_MOST_IN_LINE = 3
_LONGEST_LINE = 170

_INTERPRETED_FLAG = "--interpreted-frames-native-stack"
_SNAPSHOT_FLAG = "--no-node-snapshot"
_SPARKPLUG_FLAG = "--always-sparkplug"
_MAP_FLAGS = ("--perf-basic-prof", "--perf-basic-prof-only-functions")
_DUMP_FLAG = "--perf-prof"

_FIRST_WITH_INTERPRETED_FLAG = 10
_FIRST_WITH_SPARKPLUG_FLAG = 16
_FIRST_WITH_WARM_SNAPSHOT = 22  # its functions share one trampoline whatever the flag says
_FIRST_TO_FALL_BACK_UNNAMED = 24  # what is deoptimised goes on in the shared trampoline whatever the flag says
_LAST_WITH_TORN_MAPS = 18

_BASIC_PROF = (
    "add --perf-basic-prof to node's flags (no cost seen: 141 iterations against 132 without, "
    "measured on one program of 4 s)"
)
_SNAPSHOT_COST = "starting took 0.17 s instead of 0.07 s"
_DUMP_REMEDY = "a dump has none of this: perf record -k mono -g -- node --perf-prof ..., flameparse reads jit-PID.dump"


class Finding:
    """Something that is missing from the JavaScript of a profile.

    Attributes:
        kind: ``interpreted``, ``handlers``, ``unresolved``, ``truncated``, ``broken`` or ``no_call_graph``.
        samples: how many are concerned.
        of: of so many: those with JavaScript, or, where callers are missing, those of the threads that run it.
        what: what these samples are, to be read after a share.
        why: one sentence or two.
        remedy: what to do, with the exact flags; says what a flag that was given implies, and never repeats it.
        mend: the flag or command alone, or empty; ``add`` stands before flags that go with those that were given.
        gist: samples and what they are where one line has room for one figure only.
    """

    __slots__ = ("gist", "kind", "mend", "of", "remedy", "samples", "what", "why")

    def __init__(
        self, kind: str, samples: int, of: int, what: str, *, why: str, remedy: str, mend: str = "",
        gist: tuple[int, str] | None = None,
    ) -> None:  # fmt: skip
        self.kind = kind
        self.samples = samples
        self.of = of
        self.what = what
        self.why = why
        self.remedy = remedy
        self.mend = mend
        self.gist = gist or (samples, what)

    @property
    def share(self) -> str:
        """The share as it is printed."""
        return _percent(self.samples, self.of)

    def to_json(self) -> dict[str, object]:
        """All of it, as JSON can hold."""
        return {key: getattr(self, key) for key in ("kind", "samples", "of", "share", "what", "why", "remedy", "mend")}


class _Recording:
    """What is known of how a profile was made.

    Attributes:
        first, last: major versions of Node that it may be; 0 for an open end.
        says_flags: whether the flags of Node are known.
        asked_for: frames of a stack that perf was told to record; 0 where it was not.
    """

    def __init__(self, counts: Mapping[str, object], meta: Mapping[str, object]) -> None:
        self.first, self.last = _count(counts, "node_first"), _count(counts, "node_last")
        words = str(meta.get("command") or "").split()
        self.says_flags = any(word.rpartition("/")[2] in ("node", "nodejs") for word in words)
        # V8 takes either sign between the words of a flag.
        self._flags = {word.partition("=")[0].replace("_", "-") for word in words if word.startswith("--")}
        self._words = words
        self.asked_for = _count(meta, "max_stack")
        arch = str(meta.get("arch") or "")
        self.is_arm_of_32_bits = arch.startswith("arm") and not arch.startswith("arm64")

    def has(self, *flags: str) -> bool:
        """Whether the command line has one of the flags."""
        return not self._flags.isdisjoint(flags)

    def unwinds_by(self, method: str) -> bool:
        """Whether perf was told to find callers so: ``--call-graph dwarf,8192``, ``--call-graph=dwarf``."""
        return any(word.removeprefix("--call-graph=").partition(",")[0] == method for word in self._words)

    def is_from(self, version: int) -> bool:
        """Whether it is this version or a later one for certain."""
        return self.first >= version

    def is_before(self, version: int) -> bool:
        """Whether it is an earlier version for certain."""
        return 0 < self.last < version

    def from_version(self, version: int, text: str) -> str:
        """Say something that holds from a version on: as it is, or with that condition, or not at all."""
        if self.is_before(version):
            return ""
        return text if self.is_from(version) else f"Node {version} and later: {text}"


def findings(
    counts: Mapping[str, object], meta: Mapping[str, object], modules: Sequence[Mapping[str, Any]] = ()
) -> list[Finding]:
    """Say what more than one percent of the samples lack, the most frequent first.

    Args:
        counts: as ``survey`` gives them.
        meta: of the document: ``command`` and ``arch`` are looked at, where they are.
        modules: rows as ``document.account.modules`` gives them; what a map is not read for stands there.
    """
    recording = _Recording(counts, meta)
    found = [
        _interpreted(counts, recording),
        _handlers(counts, recording),
        _unresolved(counts, recording, modules),
        *((_no_call_graph(counts),) if _count(counts, "deepest") == 1 else _callers(counts, recording)),
    ]
    told = [each for each in found if each.samples and each.samples >= _LEAST_SHARE * each.of]
    return sorted(told, key=lambda each: -each.samples / each.of)


def foremost(found: Sequence[Finding]) -> list[Finding]:
    """Choose the findings that the one line has room for, the most frequent first.

    Args:
        found: as ``findings`` gives them.
    """
    ranked = sorted(found, key=lambda each: -each.gist[0] / each.of)
    count = min(len(ranked), _MOST_IN_LINE)
    while count > 1 and len(_line(ranked[:count])) > _LONGEST_LINE:
        count -= 1
    return ranked[:count]


def summary_line(
    counts: Mapping[str, object], meta: Mapping[str, object], modules: Sequence[Mapping[str, Any]] = ()
) -> str:
    """Say in one line what is missing most and what mends it.

    Args:
        counts, meta, modules: as for ``findings``.
    """
    return f"JavaScript in {_count(counts, 'samples'):,} samples: {_line(foremost(findings(counts, meta, modules)))}"


def _line(found: Sequence[Finding]) -> str:
    if not found:
        return "its frames have names and callers"
    parts = []
    for each in found:
        samples, what = each.gist
        parts.append(f"{_percent(samples, each.of)} {what}" + (f" ({each.mend})" if each.mend else ""))
    return ", ".join(parts) + "; flameparse info says more"


def node_versions(counts: Mapping[str, object]) -> str:
    """Name the versions that may have run.

    Args:
        counts: as for ``findings``.
    """
    first, last = _count(counts, "node_first"), _count(counts, "node_last")
    if not first and not last:
        return "a Node of unknown version"
    if first and last:
        return f"Node {first}" if first == last else f"Node {first} to {last}"
    return f"Node {first} or later" if first else f"Node {last} or earlier"


def _interpreted(counts: Mapping[str, object], recording: _Recording) -> Finding:
    """Functions that the interpreter ran in the frame that all of them share."""
    samples, of = _count(counts, "interpreted"), _count(counts, "samples")
    innermost = _count(counts, "interpreted_innermost")
    is_flag_on = _count(counts, "interpreted_named") > 0 or recording.has(_INTERPRETED_FLAG)
    why, remedy, mend = _name_leftovers(recording) if is_flag_on else _name_interpreted(recording)
    is_innermost_told = innermost >= _LEAST_SHARE * of
    return Finding(
        "interpreted", samples, of,
        f"pass through interpreted functions without a name, {_percent(innermost, of)} are in one",
        why=why, remedy=remedy, mend=mend,
        gist=(innermost, "are in unnamed interpreted functions") if is_innermost_told
        else (samples, "pass through unnamed interpreted functions"),
    )  # fmt: skip


def _name_interpreted(recording: _Recording) -> tuple[str, str, str]:
    """What gives interpreted functions a name: why they have none, what to do in words, and the flags alone."""
    why = "the interpreter runs every function in the frame of one trampoline, so nothing tells them apart"
    if recording.is_before(_FIRST_WITH_INTERPRETED_FLAG):
        remedy = (
            f"Node 8 has no flag for it: functions have names once they are compiled, and from Node "
            f"{_FIRST_WITH_INTERPRETED_FLAG} on {_INTERPRETED_FLAG} names the others"
        )
        return why, remedy, ""
    ways, mend = [], ""
    if not recording.is_arm_of_32_bits:
        mend = f"add {_INTERPRETED_FLAG}{_with_snapshot_flag(recording)}"
        ways.append(
            recording.from_version(_FIRST_WITH_INTERPRETED_FLAG, f"add {_INTERPRETED_FLAG}")
            + " (no cost seen: 140 iterations against 132 without, measured on one program of 4 s)"
        )
        if not recording.has(_SNAPSHOT_FLAG):
            with_snapshot = f"{_SNAPSHOT_FLAG} with it names those of Node's start-up snapshot too ({_SNAPSHOT_COST})"
            ways.append(recording.from_version(_FIRST_WITH_WARM_SNAPSHOT, with_snapshot))
    if recording.has(_SPARKPLUG_FLAG):
        ways.append(f"{_SPARKPLUG_FLAG} was given: what is left is what it does not compile")
    else:
        sparkplug = f"add {_SPARKPLUG_FLAG}: it compiles most functions before they run (135 against 132, same program)"
        ways.append(recording.from_version(_FIRST_WITH_SPARKPLUG_FLAG, sparkplug))
        mend = mend or (f"add {_SPARKPLUG_FLAG}" if recording.is_from(_FIRST_WITH_SPARKPLUG_FLAG) else "")
    return why, "; ".join(way for way in ways if way), mend


def _name_leftovers(recording: _Recording) -> tuple[str, str, str]:
    """What gives a name to functions that the flag for it left without one: as ``_name_interpreted``."""
    causes, ways, mend = [], [], ""
    if not recording.has(_SNAPSHOT_FLAG):
        causes.append(_cause(recording, _FIRST_WITH_WARM_SNAPSHOT, "come from Node's start-up snapshot"))
        ways.append(recording.from_version(_FIRST_WITH_WARM_SNAPSHOT, f"add {_SNAPSHOT_FLAG} ({_SNAPSHOT_COST})"))
    fell_back = "fell back from optimised code, after which they share the interpreter's frame again"
    causes.append(_cause(recording, _FIRST_TO_FALL_BACK_UNNAMED, fell_back))
    if not any(causes) or not recording.is_from(_FIRST_WITH_WARM_SNAPSHOT):
        causes.insert(0, "had been compiled before it took effect")
    if recording.has(_SPARKPLUG_FLAG):
        ways.append(f"{_SPARKPLUG_FLAG} was given: what is left is what it does not compile")
    else:
        sparkplug = (
            f"add {_SPARKPLUG_FLAG}: it compiles most functions before they run (135 iterations against 132 without, "
            "measured on one program of 4 s); with all these flags less than 1 % was left in 11 of 12 recordings"
        )
        ways.append(recording.from_version(_FIRST_WITH_SPARKPLUG_FLAG, sparkplug))
    snapshot = _with_snapshot_flag(recording)
    is_snapshot_enough = recording.is_before(_FIRST_TO_FALL_BACK_UNNAMED) and snapshot == f" {_SNAPSHOT_FLAG}"
    if recording.has(_SPARKPLUG_FLAG) or is_snapshot_enough:
        mend = f"add{snapshot}" if snapshot.startswith(" ") else ""
    elif recording.is_from(_FIRST_WITH_SPARKPLUG_FLAG):
        mend = f"add {_SPARKPLUG_FLAG}{snapshot}"
    cause = ", or ".join(cause for cause in causes if cause)
    why = f"{_INTERPRETED_FLAG} was given: functions it left without a name most likely {cause}"
    return why, "; ".join(way for way in ways if way) or "no other flag of these versions names them", mend


def _cause(recording: _Recording, version: int, text: str) -> str:
    """Say a cause that exists from a version on: as ``_Recording.from_version``, within a sentence."""
    if recording.is_before(version) or recording.is_from(version):
        return recording.from_version(version, text)
    return f"(Node {version} and later) {text}"


def _with_snapshot_flag(recording: _Recording) -> str:
    """The flag that goes with others where Node has a start-up snapshot with functions in it."""
    if recording.is_before(_FIRST_WITH_WARM_SNAPSHOT) or recording.has(_SNAPSHOT_FLAG):
        return ""
    if recording.is_from(_FIRST_WITH_WARM_SNAPSHOT):
        return f" {_SNAPSHOT_FLAG}"
    return f", from Node {_FIRST_WITH_WARM_SNAPSHOT} on with {_SNAPSHOT_FLAG}"


def _handlers(counts: Mapping[str, object], recording: _Recording) -> Finding:
    """The interpreter's own code at the leaf."""
    if recording.is_before(_FIRST_WITH_INTERPRETED_FLAG):
        remedy = "--collapse-interpreter counts them as part of the frame that called them, which has no name here"
    elif _count(counts, "interpreted_named") or recording.has(_INTERPRETED_FLAG):
        remedy = "--collapse-interpreter counts them as part of the function they work for"
    else:
        remedy = (
            "name the functions as for interpreted ones; --collapse-interpreter then counts handlers as part of them"
        )
    return Finding(
        "handlers", _count(counts, "handlers"), _count(counts, "samples"), "are in bytecode handlers",
        why="these are parts of the interpreter, one for each kind of instruction: the time is that of the function "
        "whose instructions they are",
        remedy=remedy,
        mend="--collapse-interpreter" if _count(counts, "interpreted_named") else "",
    )  # fmt: skip


def _unresolved(counts: Mapping[str, object], recording: _Recording, modules: Sequence[Mapping[str, Any]]) -> Finding:
    """Code that V8 made and no map or dump names."""
    pids = counts.get("unresolved_pids")
    pid = str(pids[0]) if isinstance(pids, list) and pids else "PID"
    reason = _reason(modules, pid)
    is_unasked = recording.says_flags and not recording.has(*_MAP_FLAGS, _DUMP_FLAG) and not _count(counts, "named")
    why, remedy, mend = _read_reason(reason, pid, is_unasked=is_unasked) or (
        _unasked(pid) if is_unasked else _explain_map(counts, recording, reason, pid)
    )
    return Finding(
        "unresolved", _count(counts, "unresolved"), _count(counts, "samples"), "have compiled code without a name",
        why=why, remedy=remedy, mend=mend,
    )  # fmt: skip


def _reason(modules: Sequence[Mapping[str, Any]], pid: str) -> str:
    """What was said of the map of a process, or of a dump, that was not read or not whole."""
    for row in modules:
        name = row["path"].rpartition(b"/")[2]
        is_of_dump = name.endswith(b".dump") or name.startswith(b"jitted-")
        if row["reason"] and (is_of_dump or name == f"perf-{pid}.map".encode()):
            return str(row["reason"])
    return ""


def _read_reason(reason: str, pid: str, *, is_unasked: bool) -> tuple[str, str, str] | None:
    """What to do about a map that is there and was not read: why, in words, and the command alone."""
    if "--force-map" in reason:
        return reason, "--force-map reads it all the same, if you trust its owner", "--force-map"
    if "ermission denied" in reason:
        command = f"chmod a+r /tmp/perf-{pid}.map"
        return reason, f"run flameparse as its owner, or make it readable: {command}", command
    if "/jitted-" in reason:
        remedy = "fold where the files are that perf inject --jit wrote, or what was recorded, where jit-PID.dump is"
        return reason, remedy, ""
    if is_unasked:
        return None
    if "not this machine" in reason or "does not say where" in reason:
        collect = "on that machine flameparse collect perf.data -o B.tar.gz, then here --symfs B.tar.gz"
        return reason, f"{collect}; or copy the map and give --perf-map {pid}=FILE", "flameparse collect"
    return None


def _unasked(pid: str) -> tuple[str, str, str]:
    """No map, and nothing on the command line that asks for one."""
    why = f"--perf-basic-prof is not on Node's command line (NODE_OPTIONS may have it), and no perf-{pid}.map was read"
    return why, f"{_BASIC_PROF}; {_map_elsewhere(pid)}", "add --perf-basic-prof"


def _map_elsewhere(pid: str) -> str:
    """How to hand over a map that is not where perf and flameparse look for it."""
    return (
        f"of a map that is elsewhere, give --perf-map {pid}=FILE; a container's is in its own /tmp, under its own pid: "
        f"docker cp CONTAINER:/tmp/perf-INNERPID.map FILE; flameparse collect keeps the maps of living processes"
    )


def _explain_map(counts: Mapping[str, object], recording: _Recording, reason: str, pid: str) -> tuple[str, str, str]:
    """Why a map that Node was perhaps asked for does not name its code; what is certain comes first."""
    if recording.has(_MAP_FLAGS[1]) and not recording.is_before(16) and not recording.is_from(17):
        return f"Node 16 lists only regular expressions with {_MAP_FLAGS[1]}", _BASIC_PROF, "add --perf-basic-prof"
    if recording.has(_DUMP_FLAG):
        remedy = "record with perf record -k mono, and fold perf.data, not perf's text, where jit-PID.dump still is"
        return reason or "V8 was told to write a dump, which was not read", remedy, "perf record -k mono"
    # Names of other processes say nothing of one whose map is missing.
    is_missing = reason.startswith(f"no perf-{pid}.map")
    if _count(counts, "threads") > 1 and not is_missing and not recording.is_from(_LAST_WITH_TORN_MAPS + 1):
        certain = recording.is_before(_LAST_WITH_TORN_MAPS + 1)
        why = (
            ("" if certain else f"up to Node {_LAST_WITH_TORN_MAPS} ")
            + "each worker thread empties the process's map and writes over it, "
            "so that names of the main thread are gone and lines are torn"
        )
        return why, f"Node 20 or later; or {_DUMP_REMEDY}", "perf record -k mono ... node --perf-prof"
    if _count(counts, "named") and not is_missing:
        remedy = f"fold the recording once the process has ended and its map is whole; {_DUMP_REMEDY}"
        return reason or "the map has no line for this code", remedy, ""
    why = reason or f"no /tmp/perf-{pid}.map was found"
    if recording.has(*_MAP_FLAGS):
        return why, _map_elsewhere(pid), f"--perf-map {pid}=FILE"
    return why, f"{_BASIC_PROF}; {_map_elsewhere(pid)}", "add --perf-basic-prof"


def _no_call_graph(counts: Mapping[str, object]) -> Finding:
    samples = _count(counts, "thread_samples")
    return Finding(
        "no_call_graph", samples, samples, "have no callers",
        why="the recording was made without call graphs", remedy="perf record -g", mend="perf record -g",
    )  # fmt: skip


def _callers(counts: Mapping[str, object], recording: _Recording) -> tuple[Finding, Finding]:
    """Stacks that begin in the middle."""
    of, max_stack = _count(counts, "thread_samples"), _count(counts, "max_stack")
    more = 1024 if max_stack < 1024 else 8 * max_stack
    sysctl = f"sysctl kernel.perf_event_max_stack={more}"
    if recording.asked_for == max_stack or max_stack < _USUAL_MAX_STACK:
        told = recording.asked_for == max_stack
        why = (
            f"the event was recorded with max-stack={max_stack}"
            if told
            else f"fewer than the kernel's usual {_USUAL_MAX_STACK}: max-stack={max_stack} of perf's event or of perf "
            f"script, or a lower kernel.perf_event_max_stack"
        )
        remedy = f"leave that out; for more than {_USUAL_MAX_STACK} frames {sysctl}, while no other perf records"
        mend = f"leave out max-stack={max_stack}" if told else ""
    else:
        why = f"the kernel keeps no more than {max_stack} frames of a stack"
        remedy, mend = (
            f"{sysctl} before recording, while no other perf records; text needs perf script --max-stack {more} too"
        ), sysctl  # fmt: skip
    truncated = Finding(
        "truncated", _count(counts, "truncated"), of, f"lost their callers at {max_stack} frames",
        why=why, remedy=remedy, mend=mend,
    )  # fmt: skip
    if recording.unwinds_by("dwarf"):
        why = "--call-graph dwarf finds no callers of code that V8 made, which has no unwind tables"
        remedy, mend = "V8 keeps frame pointers: perf record --call-graph fp", "perf record --call-graph fp"
    else:
        why = "functions that keep no frame pointer, most often the C library's, hide who called them"
        remedy, mend = (
            "no flag of Node mends it: record where the C library keeps frame pointers (Fedora 38, Ubuntu 24.04 and "
            "later); --call-graph dwarf makes it worse, since code that V8 made has no unwind tables: "
            "3 of 4 stacks stopped there, measured"
        ), ""  # fmt: skip
    return truncated, Finding(
        "broken", _count(counts, "broken"), of, "begin nowhere", why=why, remedy=remedy, mend=mend
    )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0 %"


def _count(counts: Mapping[str, object], key: str) -> int:
    value = counts.get(key)
    return value if isinstance(value, int) else 0
