"""Every cap, named and with its reason; tests/unit/test_limits.py holds each at its edge."""

from __future__ import annotations

# perf lines are under 10 KB; more is binary junk or an attack. The excess of a line is dropped and counted.
MAX_LINE_BYTES = 1 << 20

# One printed name; C++ names of 10 KB exist. The rest is replaced by a hash, so distinct names stay distinct.
MAX_NAME_BYTES = 64 << 10

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
