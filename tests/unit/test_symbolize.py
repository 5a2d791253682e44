"""Frames that are addresses get names, and text that perf could not name is brought to that level."""

from __future__ import annotations

import time
from struct import pack

import pytest

from elf_parts import BytesFile, ElfParts, Symbol
from flameparse import limits
from flameparse.model.dso import Dso, DsoKind
from flameparse.model.profile import Profile
from flameparse.symbolize.elf import ElfFile, load_symbols
from flameparse.symbolize.perf_map import read_perf_map
from flameparse.symbolize.printed_modules import adopt_modules, dso_of_module
from flameparse.symbolize.symbol_table import SymbolTable
from flameparse.symbolize.symbolize import demangles, group_frames, settle

NONE = 0xFFFF_FFFF
KERNEL_IP = 0xFFFF_FFFF_8100_0000


class Found:
    def __init__(self, file: str = "", reason: str = "", table: SymbolTable | None = None) -> None:
        self.file, self.reason, self.table = file, reason, table


def table_of(*rows: tuple[int, int, bytes]) -> SymbolTable:
    table = SymbolTable()
    for start, end, name in rows:
        table.add(start, end, name)
    table.flatten("precise")
    return table


def profile_of(*stacks: tuple[int, list[tuple[int, int]]]) -> Profile:
    """Build a profile at address level: (samples, root-first (dso, address)) each."""
    profile = Profile()
    for samples, frames in stacks:
        stack = NONE
        for dso, address in frames:
            stack = profile.stacks.add(stack, profile.frames.add(NONE, dso, 0, address))
        for _ in range(samples):
            profile.samples.add_row(0, 0, stack)
    return profile


def names(profile: Profile) -> list[tuple[bytes | None, bytes | None, int]]:
    rows = [profile.frames.get(i) for i in range(profile.frames.count)]
    return [
        (
            None if name == NONE else profile.strings.get(name),
            None if dso == NONE else profile.strings.get(dso),
            address,
        )
        for name, dso, _, address in rows
    ]


def symbolize(
    profile: Profile, tables: dict[bytes, SymbolTable], *, keeps_addresses: bool = False, as_tool: bool = False
) -> None:
    groups = group_frames(profile)
    for group in groups:
        if as_tool:
            group.read_as_tool()
        if group.dso.path in tables:
            group.found = Found(file=f"{group.dso.path.decode()} here", table=tables[group.dso.path])
            group.resolve(tables[group.dso.path], demangles(group.dso.kind))
        else:
            group.found = Found(reason="not here")
    settle(profile, groups, keeps_addresses=keeps_addresses)


def test_addresses_become_names_and_modules() -> None:
    profile = profile_of((3, [(0, 0x110), (1, 0x50), (0, 0x205)]), (1, [(0, 0x110), (0, 0x300), (NONE, 0x77)]))
    assert profile.dsos.intern(Dso(b"/bin/app", DsoKind.FILE, build_id=b"\x01" * 20)) == 0
    assert profile.dsos.intern(Dso(b"/lib/gone.so", DsoKind.FILE)) == 1
    symbolize(profile, {b"/bin/app": table_of((0x100, 0x200, b"main"), (0x200, 0x210, b"_ZN4work4sortEi"))})
    assert names(profile) == [
        (b"main", b"/bin/app", 0),
        (None, b"/lib/gone.so", 0),
        (b"work::sort", b"/bin/app", 0),
        (None, b"/bin/app", 0),
        (None, None, 0),
    ]
    assert profile.diagnostics.counts == {"frames_seen": 12, "frames_unnamed": 5}
    assert profile.diagnostics.modules == {
        (b"/bin/app", "01" * 20): {
            "frames": 8, "named": 7, "ambiguous": 0, "file": "/bin/app here", "reason": "",
        },
        (b"/lib/gone.so", ""): {"frames": 3, "named": 0, "ambiguous": 0, "file": "", "reason": "not here"},
    }  # fmt: skip


@pytest.mark.parametrize(("rules", "ambiguous"), [("precise", 9), ("perf-6.1", 0)])
def test_frames_where_a_map_has_several_functions_are_counted(rules: str, ambiguous: int) -> None:
    path = b"/tmp/perf-7.map"
    profile = profile_of((3, [(0, 0x1000), (0, 0x2000), (0, 0x1004)]), (1, [(0, 0x1000)]), (2, [(0, 0x1018)]))
    profile.dsos.intern(Dso(path, DsoKind.PERF_MAP, pid=7))
    text = b"1000 10 JS:*a /a.js:1:1\n1000 10 JS:*b /a.js:2:2\n1018 8 fff\n1010 10 JS:^c /a.js:3:3\n2000 10 ggg\n"
    table, _ = read_perf_map(text, rules=rules)
    # What a jitdump named has its name from the start.
    decided = profile.frames.add(profile.strings.add(b"JS:*a /a.js:1:1"), 0, 0, 0x1000)
    profile.samples.add_row(0, 0, profile.stacks.add(NONE, decided))
    symbolize(profile, {path: table})
    assert profile.diagnostics.counts["frames_seen"] == 13
    assert profile.diagnostics.modules[path, ""]["ambiguous"] == ambiguous
    assert profile.diagnostics.counts.get("ambiguous_frames", 0) == ambiguous


def test_addresses_stay_where_they_are_asked_for() -> None:
    profile = profile_of((1, [(0, 0x110), (NONE, 0x77)]))
    profile.dsos.intern(Dso(b"/bin/app", DsoKind.FILE))
    symbolize(profile, {}, keeps_addresses=True)
    assert names(profile) == [(None, b"/bin/app", 0x110), (None, None, 0x77)]


def test_only_the_half_of_an_address_without_a_module_is_kept() -> None:
    profile = profile_of((1, [(NONE, KERNEL_IP + 5)]))
    symbolize(profile, {})
    assert names(profile) == [(None, None, 0xFFFF_0000_0000_0000)]


def test_newer_names_stay_mangled_by_the_rules_of_perf() -> None:
    for rules, name in (("precise", b"a::b"), ("perf-6.1", b"_ZN1aF1bEv")):
        profile = profile_of((1, [(0, 0x110)]))
        profile.dsos.intern(Dso(b"/bin/app", DsoKind.FILE))
        (group,) = group_frames(profile)
        group.found = Found()
        group.resolve(table_of((0x100, 0x200, b"_ZN1aF1bEv")), True, rules)
        settle(profile, [group])
        assert names(profile) == [(name, b"/bin/app", 0)]


def test_a_name_is_cut_at_the_cap_and_stays_distinct() -> None:
    names_in = [b"x" * limits.MAX_NAME_BYTES + tail for tail in (b"", b"a", b"b")]
    profile = profile_of((1, [(0, 10 * i) for i in range(3)]))
    profile.dsos.intern(Dso(b"[kernel.kallsyms]", DsoKind.KERNEL))
    symbolize(profile, {b"[kernel.kallsyms]": table_of(*((10 * i, 10 * i + 5, n) for i, n in enumerate(names_in)))})
    found = [name for name, *_ in names(profile)]
    assert found[0] == names_in[0]
    assert [name and len(name) for name in found] == [limits.MAX_NAME_BYTES] * 3
    assert len(set(found)) == 3
    assert len(profile.diagnostics.cut_names) == 2


def test_names_that_share_their_bytes_take_no_more_than_their_file() -> None:
    builder = ElfParts()
    builder.text(0x1000, 0x1000, 1 << 20)
    builder.symbols([Symbol(b"f" * 60_000, 0x1000, 16)])
    symbols = builder.sections[-1]
    for i in range(1, 5000):
        symbols.content += pack("<IBBHQQ", 1 + i, 0x12, 0, 1, 0x1000 + 16 * i, 16)
    symbols.size = len(symbols.content)
    table = load_symbols(ElfFile(BytesFile(builder.build())))
    profile = profile_of((1, [(0, 0x1000 + 16 * i) for i in range(5000)]))
    profile.dsos.intern(Dso(b"/bin/app", DsoKind.FILE))
    symbolize(profile, {b"/bin/app": table})
    written = sum(len(name) for name, *_ in names(profile) if name is not None)
    assert 500_000 < written < 16 * 60_000 + (1 << 20)
    assert profile.diagnostics.counts["frames_unnamed"] > 4900


def test_very_many_modules_take_linear_time() -> None:
    profile = profile_of((1, [(i, 1) for i in range(60_000)]))
    for i in range(60_000):
        profile.dsos.intern(Dso(b"/tmp/jitted-1-%d.so" % i, DsoKind.FILE))
    before = time.process_time()
    settle(profile, group_frames(profile))
    assert time.process_time() - before < 2
    assert names(profile)[-1] == (None, b"/tmp/jitted-1-59999.so", 0)


def test_kernel_names_are_not_demangled() -> None:
    profile = profile_of((1, [(0, KERNEL_IP)]))
    profile.dsos.intern(Dso(b"[kernel.kallsyms]", DsoKind.KERNEL))
    symbolize(profile, {b"[kernel.kallsyms]": table_of((KERNEL_IP, KERNEL_IP + 9, b"_ZN4work4sortEi"))})
    assert names(profile) == [(b"_ZN4work4sortEi", b"[kernel.kallsyms]", 0)]


@pytest.mark.parametrize("has_table", [True, False])
def test_an_address_past_the_kernel_is_nothing_of_it(has_table: bool) -> None:
    profile = profile_of((1, [(0, KERNEL_IP + 0x10), (0, KERNEL_IP + 0x40)]))
    kernel = Dso(b"[kernel.kallsyms]", DsoKind.KERNEL)
    kernel.start, kernel.end = KERNEL_IP, KERNEL_IP + 0x30
    profile.dsos.intern(kernel)
    symbolize(profile, {kernel.path: table_of((KERNEL_IP, KERNEL_IP + 0x20, b"f"))} if has_table else {})
    first = (b"f", kernel.path, 0) if has_table else (None, kernel.path, 0)
    assert names(profile) == [first, (None, None, 0xFFFF_0000_0000_0000)]


def test_a_tool_takes_a_bracket_in_a_module_for_the_modules_begin() -> None:
    profile = profile_of((1, [(0, 0x110), (0, 0x118), (0, 0x300)]))
    profile.dsos.intern(Dso(b"/tmp/my app (deleted)", DsoKind.FILE))
    symbolize(profile, {b"/tmp/my app (deleted)": table_of((0x100, 0x200, b"main"))}, as_tool=True)
    assert names(profile) == [
        (b"main+0x10 (/tmp/my app", b"deleted)", 0),
        (b"main+0x18 (/tmp/my app", b"deleted)", 0),
        (b"[unknown] (/tmp/my app", b"deleted)", 0x300),
    ]


@pytest.mark.parametrize(
    ("module", "kind", "pid"),
    [
        (b"/tmp/perf-8783.map", DsoKind.PERF_MAP, 8783),
        (b"/usr/lib/libc.so.6", DsoKind.FILE, -1),
        (b"/usr/lib/libc.so.6 (deleted)", DsoKind.FILE, -1),
        (b"/opt/a.kodak", DsoKind.FILE, -1),
        (b"/lib/modules/6.1.0/kernel/fs/ext4/ext4.ko.xz", DsoKind.MODULE, -1),
        (b"[ext4]", DsoKind.MODULE, -1),
        (b"[kernel.kallsyms]", DsoKind.KERNEL, -1),
        (b"[guest.kernel.kallsyms]", DsoKind.NO_FILE, -1),
        (b"[vdso]", DsoKind.VDSO, -1),
        (b"[heap]", DsoKind.NO_FILE, -1),
        (b"[unknown]", DsoKind.NO_FILE, -1),
        (b"//anon", DsoKind.NO_FILE, -1),
        (b"inlined", DsoKind.NO_FILE, -1),
    ],
)
def test_a_printed_module_says_its_kind(module: bytes, kind: int, pid: int) -> None:
    dso = dso_of_module(module)
    assert (dso.path, dso.kind, dso.pid) == (module, kind, pid)


def text_profile(module: bytes, address: int, lines: list[bytes]) -> Profile:
    profile = Profile()
    profile.mapping_lines += lines
    frame = profile.frames.add(NONE, profile.strings.add(module), 0, address)
    profile.samples.add_row(0, 0, profile.stacks.add(NONE, frame))
    return profile


def test_a_place_in_a_file_is_looked_up_as_it_is() -> None:
    lines = [b"PERF_RECORD_MMAP2 5/5: [0x7f0000001000(0x2000) @ 0x1000 fe:00 1 0]: r-xp /lib/a.so\n"]
    profile = text_profile(b"/lib/a.so", 0x1100, lines)
    adopt_modules(profile)
    symbolize(profile, {b"/lib/a.so": table_of((0x1100, 0x1200, b"f"))})
    assert names(profile) == [(b"f", b"/lib/a.so", 0)]


def test_an_actual_address_is_placed_by_the_mapping_lines() -> None:
    lines = [
        b"PERF_RECORD_MMAP2 5/5: [0x7f0000001000(0x2000) @ 0x1000 fe:00 1 0]: r-xp /lib/a b.so",
        b"PERF_RECORD_MMAP 6/6: [0x7e0000000000(0x1000) @ 0]: x /lib/a b.so",
        b"PERF_RECORD_MMAP torn",
    ]
    profile = text_profile(b"/lib/a b.so", 0x7F0000001100, lines)
    adopt_modules(profile)
    symbolize(profile, {b"/lib/a b.so": table_of((0x1100, 0x1200, b"f"))})
    assert names(profile) == [(b"f", b"/lib/a b.so", 0)]


def test_the_kernels_reference_symbol_comes_from_its_mapping_line() -> None:
    lines = [b"PERF_RECORD_MMAP -1/0: [0xffffffff81000000(0x1209988) @ 0xffffffff81000000]: x [kernel.kallsyms]_text"]
    profile = text_profile(b"[kernel.kallsyms]", KERNEL_IP, lines)
    adopt_modules(profile)
    [dso] = profile.dsos.rows
    assert (dso.reference_name, dso.reference_address) == (b"_text", 0xFFFF_FFFF_8100_0000)


def test_frames_that_perf_named_keep_their_names() -> None:
    profile = Profile()
    module = profile.strings.add(b"/lib/a.so")
    frame = profile.frames.add(profile.strings.add(b"g"), module)
    profile.samples.add_row(0, 0, profile.stacks.add(NONE, frame))
    adopt_modules(profile)
    symbolize(profile, {})
    assert names(profile) == [(b"g", b"/lib/a.so", 0)]
