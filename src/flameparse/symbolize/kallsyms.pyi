from _typeshed import ReadableBuffer

from flameparse.symbolize.symbol_table import SymbolTable

def read_kallsyms(
    data: ReadableBuffer, *, reference_name: bytes = b"", reference_address: int = 0, rules: str = "precise"
) -> dict[bytes, SymbolTable]: ...
