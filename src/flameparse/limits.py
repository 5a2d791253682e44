"""Every cap, named and with its reason; tests/unit/test_limits.py holds each at its edge."""

from __future__ import annotations

# perf lines are under 10 KB; more is binary junk or an attack. The excess of a line is dropped and counted.
MAX_LINE_BYTES = 1 << 20

# One printed name; C++ names of 10 KB exist. The rest is replaced by a hash, so distinct names stay distinct.
MAX_NAME_BYTES = 64 << 10

# A mangled name that is read; of a million of real programs none is longer than 2,300 bytes.
MAX_MANGLED_BYTES = 64 << 10

# How deep the parts of a mangled name may stand in each other, which is read recursively: 14 of a million pass 48.
MAX_MANGLED_DEPTH = 192

# Parts of a mangled name that may be visited to write its text, for each of its bytes: real names need up to 7.
MAX_STEPS_PER_MANGLED_BYTE = 64

# A comm is 15 bytes in the kernel; text made by other tools is longer.
MAX_COMM_BYTES = 4 << 10

# Frames of one sample in a text; perf's own records cannot hold more than about 8,190.
MAX_STACK_FRAMES = 262_144

# Bytes of a whole input's read buffer: 256 KiB to 1 MiB measured best.
READ_BLOCK_BYTES = 256 << 10

# Raw lines a decoder remembers before it forgets them all and starts again.
MAX_LINE_MEMO_BYTES = 24 << 20

# Line numbers kept of unknown lines, per input.
MAX_UNKNOWN_LINE_SITES = 5

# Tags of generated code that no known V8 writes, kept per document.
MAX_UNKNOWN_TAGS = 20

# Memory of the tables of distinct stacks before rare ones are folded into [other].
DEFAULT_MAX_MEMORY_BYTES = 2 << 30

# The document: msgpack nesting; its map is flat, so four levels are all a reader accepts.
MAX_DOCUMENT_DEPTH = 4

# Frames drawn in one SVG; browsers fail long before. What is pruned is counted.
MAX_SVG_FRAMES = 2_000_000

# One decompressed block of a compressed input: bounds memory whatever the ratio.
MAX_ZSTD_WINDOW_BYTES = 128 << 20

# What the xz decoder may allocate; `xz -9` needs 65 MiB, a hostile header asks for 4 GiB.
MAX_XZ_MEMORY_BYTES = 256 << 20

# One column of a document: the length of a msgpack bin has 32 bits.
MAX_DOCUMENT_COLUMN_BYTES = (1 << 32) - 1

# Keys of a document's map; version 1 knows 27, and each unknown one costs a step to pass over.
MAX_DOCUMENT_KEYS = 1024

# The packed meta map, and the packed diagnostics map: as Python objects they may take 64 times their size.
MAX_DOCUMENT_META_BYTES = 4 << 20

# The sum of one weight column; every sum a renderer makes is a part of it, so none can overflow.
MAX_TOTAL_WEIGHT = (1 << 63) - 1

# Whole stacks a decoder remembers, as frame ids, before it forgets them all.
MAX_CHAIN_MEMO_BYTES = 16 << 20

# A counter of the loss account; what an integer of a document can hold. It stays there when more is added.
MAX_COUNT = (1 << 64) - 1

# Decoders of one text at once; one thread cannot read fast enough for more.
MAX_THREADS = 64

# DSOs whose resolution a document tells of: their rows stay below the cap of its diagnostics.
MAX_MODULE_ROWS = 4096

# Modules of one kernel: real ones have hundreds, and each costs a table.
MAX_KERNEL_MODULES = 4096

# A perf map: a JIT that is busy for days writes a few hundred MiB.
MAX_PERF_MAP_BYTES = 1 << 30

# Lines of a perf map that name code: each costs about 100 bytes while they are sorted out.
MAX_PERF_MAP_ENTRIES = 16 << 20

# One record of a jitdump, the code itself included, which is stepped over.
MAX_JITDUMP_RECORD_BYTES = 64 << 20

# Processes that had one jitdump mapped: its writer and what that forked; each costs as much memory as all it says.
MAX_DUMP_PROCESSES = 16

# A file that names come from: it is read in parts, so this bounds nothing but nonsense.
MAX_SYMBOL_FILE_BYTES = 64 << 30

# kallsyms, read whole: 20 MB with all modules of a distribution.
MAX_KALLSYMS_BYTES = 256 << 20

# A bundle, decompressed: it goes to a temporary file.
MAX_BUNDLE_BYTES = 16 << 30
MAX_BUNDLE_MEMBERS = 1_000_000

# Headers of an ELF file's sections, or of its segments: programs have under 100, the kernel's under 200.
MAX_ELF_SECTIONS = 65_536

# All compressed sections of an ELF file, or the file within a file that MiniDebugInfo is; no honest ratio bounds it.
MAX_INFLATED_SECTION_BYTES = 512 << 20

# Bytes of notes read in search of a build id; they take a few hundred.
MAX_NOTE_BYTES = 1 << 20

# Loadable segments of an ELF file, of which each symbol may have to be compared with all; real ones have under 20.
MAX_LOAD_SEGMENTS = 256

# Events of a recording: each is a file descriptor of the recorder.
MAX_EVENTS = 65_536

# Bytes of one event's attr; the kernel takes a page at most, perf writes 64 to 144.
MAX_ATTR_BYTES = 4096

# Ids of all events of a recording together: one per event, processor and thread, each a file descriptor too.
MAX_EVENT_IDS = 4 << 20

# The features of a recording together: a few KiB each, but for the names of tracepoints and build ids.
MAX_FEATURE_BYTES = 256 << 20

# What is wrong with a recording's header, line by line.
MAX_DAMAGE_NOTES = 64

# What one zstd record may hold; perf puts in what one ring buffer has, 512 KiB unless asked for more.
MAX_ZSTD_RECORD_BYTES = 64 << 20

# Samples of a stream held until their time is settled; a round of perf's own is a few MiB per cpu at most.
MAX_HELD_BYTES = 256 << 20

# Addresses a decoder remembers the frames of, before it forgets them all: 16 bytes each, and room.
MAX_KNOWN_ADDRESSES = 2 << 20

# A section of an ELF file that is read whole; the names of a browser with all its symbols take some 300 MiB.
MAX_SECTION_BYTES = 1 << 30

# A CPU profile of V8's, which is read whole: an hour of a busy process is some 50 MiB. As objects it takes ten times
# its size, a hostile one 27 times.
MAX_CPU_PROFILE_BYTES = 128 << 20
