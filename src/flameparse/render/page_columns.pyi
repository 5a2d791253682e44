from array import array

from _typeshed import ReadableBuffer

def pack_numbers(values: ReadableBuffer) -> bytes: ...
def number_frames(
    name: ReadableBuffer,
    kind: ReadableBuffer,
    frame_class: ReadableBuffer,
    tier: ReadableBuffer,
    presets: ReadableBuffer,
    *,
    place: ReadableBuffer,
    class_of_kind: ReadableBuffer,
) -> tuple[array[int], array[int], array[int], array[int], array[int]]: ...
def pack_shape(frame: ReadableBuffer, depth: ReadableBuffer, frame_count: int) -> tuple[bytes, bytes, bytes, int]: ...
