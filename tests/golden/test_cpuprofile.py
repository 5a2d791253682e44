"""Every CPU profile folds to its golden, however it is packed, and keeps its times and classes."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from flameparse.decode.cpuprofile import decode_cpu_profile
from flameparse.document.reader import unpack
from flameparse.document.writer import pack
from flameparse.export.folded_text import folded_chunks
from flameparse.frames.classify import CLASSES
from flameparse.load_options import LoadOptions
from flameparse.model.profile import Profile
from flameparse.model.sample_table import SampleTable
from flameparse.pipeline import load
from oracle import cpuprofile_reference as reference

FOLDER = Path(__file__).parents[2] / "fixtures" / "cpuprofile"
PATHS = sorted(FOLDER.glob("*.cpuprofile*"))
FIXTURES = [path.name.partition(".")[0] for path in PATHS]

# By hand: what a class has of the frames in all fixtures, without those of Node's own files.
OF_CLASS = {
    "app": {"fib file:///app/cpu.js:4:14", "work file:///app/mod.mjs:1:22", "b https://example.org/b.js?v=1;2:1:10"},
    "deps": {"pad file:///app/node_modules/leftpad-like/index.js:1:31"},
    "eval": {"evaluated :1:21", "f [eval]:1:11", "v evalmachine.<anonymous>:1:12", "(anonymous) :1:20"},
    "regexp": {"RegExp: (x|y);z"},
    "v8": {"(garbage collector)", "GenericJSToWasmWrapper"},
    "wasm": {"js-to-wasm", "wasm-function[0] wasm://wasm/72138f06:1:34", "js-to-wasm:i:i", "fib wasm "},
    "cpp": {"now", "readFileUtf8", "runInContext", "Module"},
    "unresolved": {"(program)", "(idle)"},
    "core": {
        "(anonymous) node:internal/main/run_main_module:1:1",
        "EventEmitter events.js:87:22",
        "statSync fs.js:1124:18",
        "Module._load internal/modules/cjs/loader.js:753:24",
    },
}


def content_of(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content


def golden_of(path: Path) -> Path:
    return FOLDER / f"{path.name.partition('.')[0]}.folded"


def folded(path: Path, **options: object) -> bytes:
    return b"".join(folded_chunks(load(str(path), LoadOptions(**options))))


@pytest.mark.parametrize("path", PATHS, ids=FIXTURES)
def test_golden(path: Path, bless: bool) -> None:
    if bless:
        golden_of(path).write_bytes(reference.fold(content_of(path)))
    assert folded(path) == golden_of(path).read_bytes()


@pytest.mark.parametrize("path", PATHS, ids=FIXTURES)
def test_reference_agrees(path: Path) -> None:
    assert reference.fold(content_of(path)) == golden_of(path).read_bytes()


@pytest.mark.parametrize("path", PATHS, ids=FIXTURES)
def test_packing_name_and_order_of_keys_do_not_matter(path: Path, tmp_path: Path) -> None:
    content = content_of(path)
    profile = json.loads(content)
    for name, changed in (
        ("profile.gz", gzip.compress(content)),
        ("profile.folded", b"\xef\xbb\xbf" + content),
        ("profile", json.dumps(profile, indent=4).encode()),
        ("profile.txt", json.dumps(dict(sorted(profile.items(), reverse=True)), ensure_ascii=False).encode()),
        ("answer", json.dumps({"id": 1, "result": {"profile": profile}}).encode()),
    ):
        (tmp_path / name).write_bytes(changed)
        assert folded(tmp_path / name) == golden_of(path).read_bytes(), name


@pytest.mark.parametrize("path", PATHS, ids=FIXTURES)
def test_document_keeps_it(path: Path) -> None:
    again = unpack(pack(load(str(path))))
    assert b"".join(folded_chunks(again)) == golden_of(path).read_bytes()
    assert [again.string(name) for name in again.event_name] == [b"cpu-profile"]
    assert list(again.event_unit) == [2]


@pytest.mark.parametrize("path", PATHS, ids=FIXTURES)
def test_every_sample_has_its_time_and_weight(path: Path) -> None:
    expected = reference.samples(content_of(path))
    document = load(str(path), LoadOptions(timeline=True))
    assert document.timeline is not None
    assert list(document.timeline["time_ns"]) == [time for time, _, _ in expected]
    assert list(document.timeline["period"]) == [weight for _, weight, _ in expected]
    assert document.meta["first_time_ns"] == expected[0][0]
    assert document.meta["last_time_ns"] == expected[-1][0]


@pytest.mark.parametrize("path", PATHS, ids=FIXTURES)
def test_weights_sum_to_the_time_that_was_sampled(path: Path) -> None:
    profile = json.loads(content_of(path))
    scale = 1_000_000 if "head" in profile else 1
    whole = round((profile["endTime"] - profile["startTime"]) * scale) * 1000
    table = Profile(SampleTable())
    decode_cpu_profile(content_of(path), table)
    assert table.samples.held() == (len(profile["samples"]), whole - table.diagnostics.counts["unsampled_ns"])


def test_a_window_takes_the_samples_in_it() -> None:
    path = FOLDER / "late_samples.cpuprofile"
    document = load(str(path), LoadOptions(time_from="+0.001", time_to="1.006"))
    assert b"".join(folded_chunks(document)) == (
        b"(anonymous) /app/a.js:1:1;a /app/a.js:1:10 2500000\n"
        b"(anonymous) /app/a.js:1:1;a /app/a.js:1:10;RegExp: (x|y):z 1000000\n"
        b"(anonymous) /app/a.js:1:1;b https://example.org/b.js?v=1:2:1:10 500000\n"
    )
    assert document.diagnostics["dropped"] == {"outside the window": 3}
    assert document.diagnostics["late_samples"] == 1


def test_frames_are_of_their_class() -> None:
    found: dict[str, set[str]] = {}
    for path in PATHS:
        document = load(str(path))
        for name, frame_class in zip(document.frame_name, document.frame_class, strict=True):
            found.setdefault(CLASSES[frame_class], set()).add(document.string(name).decode())
    for frame_class, names in OF_CLASS.items():
        assert names <= found[frame_class], frame_class
    assert set(found) == set(OF_CLASS)
    # A file of the core has its scheme or, up to Node 14, no folder but its own.
    of_core = re.compile(r" (node:[a-z0-9_/]+|[a-z_][a-z_/]*\.js):[0-9]+:[0-9]+$")
    assert all(of_core.search(name) for name in found["core"])
    assert not any(of_core.search(name) for frame_class in found.keys() - {"core"} for name in found[frame_class])


def test_several_profiles_are_one() -> None:
    paths = [str(FOLDER / f"{name}.cpuprofile") for name in ("node20", "node24", "node26")]
    total = sum(int(line.rpartition(b" ")[2]) for path in paths for line in folded(Path(path)).splitlines())
    joined = b"".join(folded_chunks(load(paths)))
    assert sum(int(line.rpartition(b" ")[2]) for line in joined.splitlines()) == total
