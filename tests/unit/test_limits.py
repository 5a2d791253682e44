"""Every cap of limits.py at its edge: one below, at it, one above.

Those of documents, compressed inputs and pictures are held where the list at the end says.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from decoded_text import decode_folded, decode_perf_script, folded, named, sample
from flameparse import limits
from flameparse.document.account import damage
from flameparse.errors import LimitError
from flameparse.export.folded_text import folded_chunks
from flameparse.load_options import LoadOptions
from flameparse.model.diagnostics import Diagnostics
from flameparse.model.profile import Profile
from flameparse.pipeline import load
from flameparse.source import open_source

TESTS = Path(__file__).parents[1]
SELF = Path(__file__).read_text(encoding="utf-8")


def text_of(profile: Profile, **view: object) -> bytes:
    return b"".join(folded_chunks(folded(profile), **view))


@pytest.mark.parametrize("excess", [-1, 0, 1, 5_000])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b""])
def test_max_line_bytes_of_perf_script(excess, line_end):
    line = b"\t  1 f (/" + b"m" * (limits.MAX_LINE_BYTES + excess - 10) + b")"
    assert len(line) == limits.MAX_LINE_BYTES + excess
    text = sample(())[:-1] + line + line_end
    profile = decode_perf_script(text)
    assert profile.diagnostics.counts.get("long_lines", 0) == (excess > 0)
    # What is past the cap is dropped, and with it the parenthesis that makes a module.
    name = text_of(named(profile)).removeprefix(b"app;").removesuffix(b" 1\n")
    assert name == b"f" if excess <= 0 else name.startswith(b"f (/mmm")


@pytest.mark.parametrize("excess", [-1, 0, 1])
@pytest.mark.parametrize("line_end", [b"\n", b""])
def test_max_line_bytes_of_folded_text(excess, line_end):
    line = b"f" * (limits.MAX_LINE_BYTES + excess - 2) + b" 7"
    profile = decode_folded(b"a 1\n" + line + line_end)
    assert profile.samples.held() == ((8, 8) if excess <= 0 else (1, 1))
    assert profile.diagnostics.counts.get("long_lines", 0) == (excess > 0)
    assert profile.diagnostics.counts.get("unknown_lines", 0) == (excess > 0)
    assert profile.diagnostics.unknown_line_numbers == ([2] if excess > 0 else [])


@pytest.mark.parametrize("decode", [decode_perf_script, decode_folded])
def test_a_line_without_end_takes_no_memory(decode):
    text = (b"a 1\n" if decode is decode_folded else sample()) + b"x" * (3 * limits.MAX_LINE_BYTES) + b"\n"
    tail = b"b 2\n" if decode is decode_folded else sample((b"g",))
    profile = decode(text + tail, [100_000] * 60)
    assert profile.diagnostics.counts["long_lines"] == 1
    assert profile.samples.total_count == 2
    assert len(profile.strings) < 20


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("block", [7, 60, 200, 1 << 20])
@pytest.mark.parametrize("excess", [-1, 0, 1, 2, 120])
def test_place_of_blocks_does_not_move_the_line_cap(excess, block, threads, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_LINE_BYTES", 100)
    monkeypatch.setattr(limits, "READ_BLOCK_BYTES", block)
    line = b"\t  1 f (/" + b"m" * (100 + excess - 10) + b")\n"
    trace = tmp_path / "trace"
    trace.write_bytes((sample() + sample(())[:-1] + line + b"\n") * 3 + sample((b"last",)))
    document = load(trace, LoadOptions(threads=threads))
    assert document.diagnostics.get("long_lines", 0) == 3 * (excess > 0)
    assert sum(document.total_samples) == 7
    assert (damage(document) is None) == (excess <= 0)
    monkeypatch.setattr(limits, "READ_BLOCK_BYTES", 5_000)
    assert load(trace) == document


@pytest.mark.parametrize(("excess", "cut"), [(-1, 0), (0, 0), (1, 1)])
@pytest.mark.parametrize("where", ["frame", "module", "event"])
def test_max_name_bytes(where, excess, cut):
    name = b"n" * (limits.MAX_NAME_BYTES + excess)
    text = sample(**{"frame": {"frames": [name]}, "module": {"module": name}, "event": {"event": name}}[where])
    profile = decode_perf_script(text * 3)
    assert len(profile.diagnostics.cut_names) == cut
    found = [profile.strings.get(i) for i in range(len(profile.strings)) if len(profile.strings.get(i)) > 100]
    assert len(found) == 1
    assert len(found[0]) == min(len(name), limits.MAX_NAME_BYTES)
    assert (found[0] == name) == (not cut)


def test_names_that_differ_past_the_cap_stay_distinct():
    start = b"n" * limits.MAX_NAME_BYTES
    profile = decode_perf_script(sample([start + b"1"]) + sample([start + b"2"]) + sample([start + b"1"]))
    weights = sorted(int(line.rsplit(b" ", 1)[1]) for line in text_of(named(profile)).splitlines())
    assert weights == [1, 2]
    assert len(profile.diagnostics.cut_names) == 2


@pytest.mark.parametrize(("excess", "cut"), [(-1, 0), (0, 0), (1, 1)])
def test_max_comm_bytes(excess, cut):
    comm = b"c" * (limits.MAX_COMM_BYTES + excess)
    profile = decode_perf_script(sample(comm=comm))
    assert len(profile.diagnostics.cut_names) == cut
    label = text_of(named(profile)).split(b";")[0]
    assert len(label) == min(len(comm), limits.MAX_COMM_BYTES)
    assert (label == comm) == (not cut)


@pytest.mark.parametrize("cap", [1, 2, 64, 100, limits.MAX_STACK_FRAMES])
@pytest.mark.parametrize("excess", [-1, 0, 1, 9])
def test_max_stack_frames(cap, excess, monkeypatch):
    monkeypatch.setattr(limits, "MAX_STACK_FRAMES", cap)
    deep = sample([b"f"] * (cap + excess))
    profile = decode_perf_script(deep + sample([b"g"]) + deep)
    assert profile.diagnostics.counts.get("cut_stacks", 0) == 2 * (excess > 0)
    assert profile.samples.held() == (3, 3)
    # Below a cap the leaves are kept, and those of both samples alike.
    assert len(profile.stacks) == min(cap, cap + excess) + 1


def test_read_block_bytes_bounds_each_read(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "READ_BLOCK_BYTES", 1_000)
    trace = tmp_path / "trace"
    trace.write_bytes(sample() * 100)
    asked = []
    with open_source(trace) as source:

        class Watched:
            name, size, consumed = source.name, source.size, 0

            def readinto(self, buffer):
                asked.append(len(buffer))
                return source.readinto(buffer)

        from flameparse.parallel import decode_perf_script as decode

        profile = decode(
            Watched(), Profile(), dialect=None, keeps_addresses=False, threads=1, max_memory=1 << 30, progress=None
        )
    assert max(asked) == 1_000
    assert profile.samples.held() == (100, 100)


def memo_text():
    """Distinct lines and distinct stacks, more than small memos hold, each coming back twice."""
    once = b"".join(sample([b"leaf%d" % i, b"mid%d" % (i % 7), b"main"], period=i) for i in range(2_000))
    return once + once


@pytest.mark.parametrize("cap", [2_000, 5_000, 50_000])
@pytest.mark.parametrize("name", ["MAX_LINE_MEMO_BYTES", "MAX_CHAIN_MEMO_BYTES"])
def test_full_memos_change_nothing(name, cap, monkeypatch):
    text = memo_text()
    expected = folded(named(decode_perf_script(text)))
    monkeypatch.setattr(limits, name, cap)
    assert folded(named(decode_perf_script(text))) == expected
    assert folded(named(decode_perf_script(text, [997] * 10_000))) == expected


@pytest.mark.parametrize("cap", [0, 1, 16, 40, 100])
def test_a_memo_too_small_for_one_record_changes_nothing(cap, monkeypatch):
    text = memo_text()
    expected = folded(named(decode_perf_script(text)))
    monkeypatch.setattr(limits, "MAX_LINE_MEMO_BYTES", cap)
    monkeypatch.setattr(limits, "MAX_CHAIN_MEMO_BYTES", cap)
    assert folded(named(decode_perf_script(text))) == expected


@pytest.mark.parametrize("count", [4, 5, 6, 50])
@pytest.mark.parametrize("threads", [1, 2])
def test_max_unknown_line_sites(count, threads, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "READ_BLOCK_BYTES", 100)
    trace = tmp_path / "trace"
    trace.write_bytes(sample() * 5 + b"".join(b"what is this\n" + sample() for _ in range(count)))
    found = load(trace, LoadOptions(threads=threads)).diagnostics
    assert found["unknown_lines"] == count
    assert found["unknown_line_numbers"] == [21 + 5 * i for i in range(min(count, 5))]


def test_max_unknown_line_sites_of_several_inputs(tmp_path):
    traces = []
    for number in range(3):
        traces.append(tmp_path / f"{number}")
        traces[-1].write_bytes((sample() + b"what is this\n") * 4)
    found = load(traces).diagnostics
    assert found["unknown_lines"] == 12
    assert len(found["unknown_line_numbers"]) == limits.MAX_UNKNOWN_LINE_SITES


@pytest.mark.parametrize(("value", "excess"), [(limits.MAX_COUNT - 1, 0), (limits.MAX_COUNT, 0), (limits.MAX_COUNT, 1)])
def test_max_count(value, excess):
    account = Diagnostics()
    for count in (account.count, account.drop):
        count("x", value)
        count("x", excess)
    assert account.counts == account.dropped == {"x": value}


@pytest.mark.parametrize("excess", [-1, 0, 1])
@pytest.mark.parametrize("lines", [b"a %d\nb 1\n", b"a %d\na 1\n", b"a;b %d\na;b;c 1\n"])
def test_max_total_weight_of_folded_text(lines, excess, tmp_path):
    trace = tmp_path / "trace"
    trace.write_bytes(lines % (limits.MAX_TOTAL_WEIGHT - 1 + excess))
    if excess > 0:
        with pytest.raises(LimitError, match=r"sum past 2\*\*63 - 1"):
            load(trace)
    else:
        assert sum(load(trace).total_period) == limits.MAX_TOTAL_WEIGHT + excess


@pytest.mark.parametrize("excess", [-1, 0, 1])
@pytest.mark.parametrize("other", [{}, {"frames": [b"g"]}, {"event": b"faults"}, {"comm": b"b"}])
def test_max_total_weight_of_periods(other, excess, tmp_path):
    trace = tmp_path / "trace"
    trace.write_bytes(sample(period=limits.MAX_TOTAL_WEIGHT - 1 + excess) + sample(**other, period=1))
    if excess > 0:
        with pytest.raises(LimitError, match=r"sum past 2\*\*63 - 1"):
            load(trace)
    else:
        assert sum(load(trace).total_period) == limits.MAX_TOTAL_WEIGHT + excess


ELSEWHERE = {
    "MAX_MODULE_ROWS": "unit/test_module_account.py",
    "DEFAULT_MAX_MEMORY_BYTES": "fuzz/test_memory_limits.py",
    "MAX_ATTR_BYTES": "unit/test_perf_data_header.py",
    "MAX_BUNDLE_BYTES": "unit/test_collect.py",
    "MAX_BUNDLE_MEMBERS": "unit/test_collect.py",
    "MAX_CPU_PROFILE_BYTES": "unit/test_cpuprofile.py",
    "MAX_DAMAGE_NOTES": "unit/test_perf_data_header.py",
    "MAX_DOCUMENT_COLUMN_BYTES": "unit/test_document_writer.py",
    "MAX_DOCUMENT_DEPTH": "unit/test_document_reader.py",
    "MAX_DOCUMENT_KEYS": "unit/test_document_reader.py",
    "MAX_DOCUMENT_META_BYTES": "unit/test_document_reader.py",
    "MAX_DUMP_PROCESSES": "unit/test_finder.py",
    "MAX_ELF_SECTIONS": "unit/test_elf.py",
    "MAX_EVENTS": "unit/test_perf_data_header.py",
    "MAX_EVENT_IDS": "unit/test_perf_data_header.py",
    "MAX_FEATURE_BYTES": "unit/test_perf_data_header.py",
    "MAX_HELD_BYTES": "unit/test_perf_data_records.py",
    "MAX_INFLATED_SECTION_BYTES": "unit/test_elf.py",
    "MAX_JITDUMP_RECORD_BYTES": "unit/test_jitdump.py",
    "MAX_KALLSYMS_BYTES": "unit/test_finder.py",
    "MAX_KERNEL_MODULES": "unit/test_kallsyms.py",
    "MAX_KNOWN_ADDRESSES": "unit/test_perf_data_records.py",
    "MAX_LOAD_SEGMENTS": "unit/test_elf.py",
    "MAX_MANGLED_BYTES": "unit/test_demangle.py",
    "MAX_MANGLED_DEPTH": "unit/test_demangle.py",
    "MAX_NOTE_BYTES": "unit/test_elf.py",
    "MAX_PERF_MAP_BYTES": "unit/test_perf_map.py",
    "MAX_PERF_MAP_ENTRIES": "unit/test_perf_map.py",
    "MAX_SECTION_BYTES": "unit/test_elf.py",
    "MAX_STEPS_PER_MANGLED_BYTE": "unit/test_demangle.py",
    "MAX_SVG_FRAMES": "unit/test_svg.py",
    "MAX_SYMBOL_FILE_BYTES": "unit/test_symbol_file.py",
    "MAX_THREADS": "unit/test_parallel.py",
    "MAX_UNKNOWN_TAGS": "unit/test_unknown_tags.py",
    "MAX_XZ_MEMORY_BYTES": "unit/test_source.py",
    "MAX_ZSTD_RECORD_BYTES": "unit/test_perf_data_header.py",
    "MAX_ZSTD_WINDOW_BYTES": "unit/test_source.py",
}


def test_no_cap_is_forgotten():
    caps = {name for name in vars(limits) if name.isupper() and name != "TYPE_CHECKING"}
    here = {name for name in caps if f"limits.{name}" in SELF or f'"{name}"' in SELF.partition("ELSEWHERE")[0]}
    assert here | set(ELSEWHERE) == caps
    assert not here & set(ELSEWHERE)
    for file in ELSEWHERE.values():
        assert (TESTS / file).exists()
