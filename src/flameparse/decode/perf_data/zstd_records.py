"""The records inside compressed records, whose payloads make one continuous zstd stream."""

from __future__ import annotations

import sys

from flameparse import limits
from flameparse.decode.perf_data.features import Fields
from flameparse.errors import LimitError, MalformedError, SourceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flameparse.decode.perf_data.header import Header

COMPRESSED = 81
COMPRESSED2 = 83

_FORMAT = "zstd record"
_STEP_BYTES = 1024  # of compressed data: 4 bytes of it can be a block of 128 KiB, so a step gives 32 MiB at most


class ZstdRecords:
    """Decompresses the payloads of one recording, in their order.

    Args:
        header: of the recording.

    Raises:
        SourceError: no zstd decoder is installed.
    """

    __slots__ = ("_decompress", "_order")

    def __init__(self, header: Header) -> None:
        self._order = header.order
        self._decompress = _new_decompress()

    def decompress(self, type: int, payload: bytes) -> bytes:
        """Decompress one payload.

        Layout: of type 81 all of it is zstd data; of type 83: u64 size, so many bytes of zstd data, zeros up to 8.
        Source: struct perf_record_compressed and perf_record_compressed2, tools/lib/perf/include/perf/event.h.

        Returns:
            What comes next of the records; the last one may go on in the next payload.

        Raises:
            TruncatedError: a size beyond the record.
            MalformedError: not zstd data, or a wider window than ``limits.MAX_ZSTD_WINDOW_BYTES``.
            LimitError: more than ``limits.MAX_ZSTD_RECORD_BYTES``. After an error nothing more can be decompressed.
        """
        if type == COMPRESSED2:
            fields = Fields(payload, self._order)
            payload = fields.take(fields.u64())
        return self._decompress(payload)


def _new_decompress() -> Callable[[bytes], bytes]:
    if sys.version_info >= (3, 14):
        from compression.zstd import DecompressionParameter, ZstdDecompressor, ZstdError

        error_type: type[Exception] = ZstdError
        options: dict[int, int] = {DecompressionParameter.window_log_max: limits.MAX_ZSTD_WINDOW_BYTES.bit_length() - 1}
        step = ZstdDecompressor(options=options).decompress
    else:
        try:
            import zstandard
        except ImportError as error:
            raise SourceError("a recording with zstd records: pip install flameparse[zstd] to read it") from error
        error_type = zstandard.ZstdError
        decompressor = zstandard.ZstdDecompressor(max_window_size=limits.MAX_ZSTD_WINDOW_BYTES)
        step = decompressor.decompressobj(read_across_frames=True).decompress

    def decompress(payload: bytes) -> bytes:
        pieces, count = [], 0
        for start in range(0, len(payload), _STEP_BYTES):
            try:
                pieces.append(step(payload[start : start + _STEP_BYTES]))
            except (error_type, EOFError) as error:
                raise MalformedError(str(error), format_name=_FORMAT) from error
            count += len(pieces[-1])
            if count > limits.MAX_ZSTD_RECORD_BYTES:
                raise LimitError(f"more than {limits.MAX_ZSTD_RECORD_BYTES} bytes in one", format_name=_FORMAT)
        return b"".join(pieces)

    return decompress
