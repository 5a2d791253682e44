from _typeshed import ReadableBuffer

from flameparse.symbolize.names.demangle import Demangler
from flameparse.symbolize.symbol_table import SymbolTable

def append_symbols(
    table: SymbolTable,
    symbols: ReadableBuffer,
    strings: ReadableBuffer,
    kinds: ReadableBuffer,
    biases: ReadableBuffer,
    loads: ReadableBuffer,
    *,
    is_64: bool,
    swaps: bool,
    machine: int,
    opd: ReadableBuffer,
    opd_number: int,
    opd_address: int,
    stops: bool,
) -> bool: ...
def append_plt(
    table: SymbolTable,
    relocations: ReadableBuffer,
    symbols: ReadableBuffer,
    strings: ReadableBuffer,
    demangler: Demangler,
    *,
    is_64: bool,
    swaps: bool,
    has_addends: bool,
    offset: int,
    entry_bytes: int,
) -> int: ...
def append_stubs(
    table: SymbolTable,
    sections: list[tuple[int, int, int, bytes]],
    relocations: ReadableBuffer,
    symbols: ReadableBuffer,
    strings: ReadableBuffer,
    demangler: Demangler,
    loads: ReadableBuffer,
    *,
    machine: int,
    swaps: bool,
) -> None: ...
