class FrameNamer:
    def __init__(
        self,
        style: str,
        *,
        addrs: bool = False,
        annotate_kernel: bool = False,
        annotate_jit: bool = False,
        modules: bool = False,
    ) -> None: ...
    def name_parts(
        self,
        symbol: bytes,
        module: bytes | None,
        address: int = 0,
        kind: int = 0,
        java_root: bool = False,
        address_text: bytes = b"",
    ) -> list[tuple[bytes, int]]: ...
