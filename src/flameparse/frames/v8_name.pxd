from libc.stdint cimport int64_t, uint8_t


cdef enum V8Kind:
    V8_NONE = 0             # no name that V8 wrote
    V8_FUNCTION = 1
    V8_SCRIPT = 2           # top-level code
    V8_EVAL = 3             # also the body of every CommonJS module
    V8_WASM = 4
    V8_REGEXP = 5
    V8_BUILTIN = 6
    V8_BYTECODE_HANDLER = 7
    V8_STUB = 8
    V8_IC = 9               # an inline cache or one of its handlers
    V8_UNKNOWN_TAG = 10     # shaped like the others; no version known when this was written has it


cdef enum V8Tier:
    # The column `frame_tier` of the document: one of these, and the two marks beside it.
    TIER_NONE = 0
    TIER_INTERPRETED = 1    # ~
    TIER_BASELINE = 2       # ^
    TIER_MID = 3            # +
    TIER_OPTIMISED = 4      # *
    TIER_EXPERIMENTAL = 5   # -
    TIER_MASK = 0x0F
    TIER_ON_STACK = 0x10    # o before the tier: entered in the middle of a loop
    TIER_SPECIALISED = 0x20 # ' behind the tier: compiled for one context


cdef enum:
    NO_PLACE = -1


cdef struct V8Name:
    uint8_t kind            # V8Kind
    uint8_t tier            # V8Tier
    size_t tag_len          # of `JS`, `RegExp.>` ..., without the colon
    size_t tier_at          # where the marker stands
    size_t tier_len
    size_t name_at          # the function's name, a regular expression's source; may be empty
    size_t name_len
    size_t file_at          # empty for code made by eval, and for a name that was cut short
    size_t file_len
    int64_t line            # NO_PLACE when not there, as `column`; V8 itself writes -1 for a line it does not know
    int64_t column


cdef bint parse_v8_name(const unsigned char* text, size_t size, V8Name* parsed) noexcept nogil
cdef bint parse_bare_function(const unsigned char* text, size_t size, V8Name* parsed) noexcept nogil
