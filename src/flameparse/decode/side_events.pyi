from typing import final

from _typeshed import ReadableBuffer

from flameparse.model.string_table import StringTable

@final
class SideEvents:
    count: int
    def __len__(self) -> int: ...
    def get(self, index: int) -> tuple[int, int, int, int, int, int, int]: ...
    def add_map(
        self,
        time: int,
        sequence: int,
        pid: int,
        start: int,
        size: int,
        file_offset: int,
        name: int,
        *,
        device: int = 0,
        inode: int = 0,
        build_id: int = ...,
        flags: int = 0,
        cpumode: int = 2,
        tid: int = 0,
    ) -> None: ...
    def add_comm(self, time: int, sequence: int, pid: int, tid: int, name: int, flags: int = 0) -> None: ...
    def add_fork(
        self, time: int, sequence: int, pid: int, tid: int, parent_pid: int, parent_tid: int, flags: int = 0
    ) -> None: ...
    def add_kernel_symbol(self, time: int, sequence: int, start: int, size: int, name: int, flags: int = 0) -> None: ...
    def add_code_load(
        self, time: int, sequence: int, pid: int, start: int, size: int, name: int, path: int
    ) -> None: ...
    def add_code_loads(
        self,
        pid: int,
        path: int,
        times: ReadableBuffer,
        starts: ReadableBuffer,
        sizes: ReadableBuffer,
        names: ReadableBuffer,
    ) -> None: ...
    def mapped_files(self, strings: StringTable, most: int) -> list[tuple[bytes, int, int]]: ...
    def jitdumps(self, strings: StringTable) -> list[tuple[bytes, int, int, int]]: ...
    @property
    def memory_bytes(self) -> int: ...
