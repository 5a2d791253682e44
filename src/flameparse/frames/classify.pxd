from libc.stdint cimport uint8_t

from flameparse.frames.v8_name cimport V8Name


cdef enum FrameClass:
    # The column `frame_class` of the document; CLASS_NONE is what nobody has classified.
    CLASS_NONE = 0
    CLASS_APP = 1
    CLASS_DEPS = 2
    CLASS_CORE = 3
    CLASS_NATIVE = 4
    CLASS_INLINED = 5
    CLASS_REGEXP = 6
    CLASS_WASM = 7
    CLASS_EVAL = 8
    CLASS_V8 = 9
    CLASS_INTERPRETER = 10
    CLASS_LIBUV = 11
    CLASS_OPENSSL = 12
    CLASS_LIBC = 13
    CLASS_CPP = 14
    CLASS_KERNEL = 15
    CLASS_INIT = 16
    CLASS_JVM = 17
    CLASS_GO = 18
    CLASS_RUST = 19
    CLASS_PYTHON = 20
    CLASS_UNRESOLVED = 21


cdef enum FrameFilter:
    # What `--filter` hides; one bit each.
    FILTER_NONE = 0
    FILTER_LIBC_START = 1
    FILTER_V8_INTERNALS = 2
    FILTER_BUILTINS = 4
    FILTER_STUBS = 8
    FILTER_ICS = 16
    FILTER_UNKNOWN = 32
    FILTER_PRELOAD = 64


cdef uint8_t classify_frame(
    const unsigned char* name, size_t size, const unsigned char* module, size_t module_len, bint has_module, int kind,
    V8Name* parsed,
) noexcept nogil
cdef uint8_t filter_of(
    const unsigned char* name, size_t size, uint8_t frame_class, const V8Name* parsed
) noexcept nogil
