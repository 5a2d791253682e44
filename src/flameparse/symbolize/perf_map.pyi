from _typeshed import ReadableBuffer

from flameparse.symbolize.symbol_table import SymbolTable

def read_perf_map(data: ReadableBuffer, *, rules: str = "precise") -> tuple[SymbolTable, dict[str, int]]: ...
