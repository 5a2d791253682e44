"""What an address is relative to: one mapped file, the kernel, or memory that a JIT filled."""

from __future__ import annotations


class DsoKind:
    """What a DSO's addresses mean and where its names come from."""

    KERNEL = 0  # actual addresses; kallsyms or vmlinux
    MODULE = 1  # a kernel module; actual addresses; kallsyms
    FILE = 2  # an ELF file; file offsets; its symbol tables
    PERF_MAP = 3  # anonymous executable memory; actual addresses; /tmp/perf-PID.map
    CODE = 4  # code whose name came with the recording (jitdump, BPF): its frames have names already
    VDSO = 5  # the kernel's page of user code; offsets into its image
    NO_FILE = 6  # stack, heap, shared memory: never has names


class Dso:
    """One DSO; two mappings share it when path, kind and identity agree.

    Attributes:
        path: as the recording gives it, and as it is printed.
        kind: a ``DsoKind``.
        build_id: 8 to 20 bytes, or empty where the recording has none.
        pid: process that mapped it first; of a perf map the one it belongs to; -1 for the kernel.
        device, inode: ``major << 32 | minor`` and number of the mapped file; 0 where the recording has none.
        start, end: of the kernel, the addresses its own record gives; 0 of all others. Its mapping reaches further: an
            address outside belongs to it only if one of its symbols covers it (code that is dropped after boot).
        reference_name, reference_address: of the kernel, the symbol whose address at recording time is known
            (``_text``), and that address; empty and 0 where it is not known.
    """

    __slots__ = (
        "build_id", "device", "end", "inode", "kind", "path", "pid", "reference_address", "reference_name", "start",
    )  # fmt: skip

    def __init__(
        self, path: bytes, kind: int, *, build_id: bytes = b"", pid: int = -1, device: int = 0, inode: int = 0
    ) -> None:
        self.path = path
        self.kind = kind
        self.build_id = build_id
        self.pid = pid
        self.device = device
        self.inode = inode
        self.start = 0
        self.end = 0
        self.reference_name = b""
        self.reference_address = 0

    def __repr__(self) -> str:
        return f"Dso({self.path!r}, kind={self.kind}, build_id={self.build_id.hex()!r}, pid={self.pid})"


class DsoTable:
    """Interns DSOs; ids are places in ``rows``."""

    __slots__ = ("_index", "rows")

    def __init__(self) -> None:
        self.rows: list[Dso] = []
        self._index: dict[tuple[object, ...], int] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def intern(self, dso: Dso) -> int:
        """Find or add a DSO; its id.

        Perf maps are told apart by process, files by build id where there is one, else by device and inode.
        """
        identity: tuple[object, ...] = (dso.build_id,) if dso.build_id else (dso.device, dso.inode)
        if dso.kind in (DsoKind.PERF_MAP, DsoKind.CODE):
            identity = (dso.pid,)
        key = (dso.path, dso.kind, *identity)
        id = self._index.get(key)
        if id is None:
            id = self._index[key] = len(self.rows)
            self.rows.append(dso)
        return id
