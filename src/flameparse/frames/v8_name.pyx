"""What the name says that V8 gave to a piece of generated code: kind, tier, function and place.

One parser reads what every V8 from 6.2 (Node 8) to 14.6 (Node 26) writes into perf maps and jitdumps, and the frames
of the DTrace helper that Node had up to version 18. What differs from version to version stands in one table.
"""

from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memchr, memcmp

from flameparse.frames.symbol_text cimport begins_with, ends_with

cdef extern from *:
    """
    struct fp_v8_tag { const char *text; unsigned char length, kind, has_tier; };
    #define FP_TAG(text, kind, has_tier) {text, sizeof(text) - 1, kind, has_tier}
    static const struct fp_v8_tag FP_V8_TAGS[] = {
        FP_TAG("JS", 1, 1),                   /* 20-26 */
        FP_TAG("LazyCompile", 1, 1),          /* 8-18 */
        FP_TAG("Function", 1, 1),             /* 8-18; WebAssembly too */
        FP_TAG("InterpretedFunction", 1, 1),  /* 10-14, without a marker */
        FP_TAG("Script", 2, 1),               /* 8-26 */
        FP_TAG("Eval", 3, 1),                 /* 8-26 */
        FP_TAG("RegExp", 5, 0),               /* 8-22; later RegExp.> and RegExp.< */
        FP_TAG("Builtin", 6, 0),              /* 8-26 */
        FP_TAG("BytecodeHandler", 7, 0),      /* 8-26 */
        FP_TAG("Stub", 8, 0),                 /* 8-26; old ones as code of V8, new ones as glue of WebAssembly */
        FP_TAG("Callback", 8, 0),
        FP_TAG("Handler", 9, 0),              /* 8, 10 */
        FP_TAG("LoadIC", 9, 0),               /* 8, as the rest */
        FP_TAG("StoreIC", 9, 0),
        FP_TAG("KeyedLoadIC", 9, 0),
        FP_TAG("KeyedStoreIC", 9, 0),
        FP_TAG("LoadGlobalIC", 9, 0),
        FP_TAG("StoreGlobalIC", 9, 0),
        FP_TAG("CallIC", 9, 0),
    };
    #define FP_V8_TAG_COUNT (sizeof(FP_V8_TAGS) / sizeof(FP_V8_TAGS[0]))

    struct fp_file_start { const char *text; unsigned char length; };
    #define FP_START(text) {text, sizeof(text) - 1}
    static const struct fp_file_start FP_FILE_STARTS[] = {
        FP_START("/"), FP_START("node:"), FP_START("file:"), FP_START("internal/"), FP_START("data:"),
        FP_START("http://"), FP_START("https://"), FP_START("webpack://"), FP_START("wasm://"),
        FP_START("evalmachine.<anonymous>"), FP_START("[eval"), FP_START("\\\\\\\\"),
    };
    #define FP_FILE_START_COUNT (sizeof(FP_FILE_STARTS) / sizeof(FP_FILE_STARTS[0]))
    """
    struct V8Tag "fp_v8_tag":
        const char* text
        unsigned char length
        unsigned char kind
        unsigned char has_tier
    const V8Tag* V8_TAGS "FP_V8_TAGS"
    const size_t V8_TAG_COUNT "FP_V8_TAG_COUNT"

    struct FileStart "fp_file_start":
        const char* text
        unsigned char length
    const FileStart* FILE_STARTS "FP_FILE_STARTS"
    const size_t FILE_START_COUNT "FP_FILE_START_COUNT"

cdef enum:
    MAX_TAG_BYTES = 32
    MAX_PLACE_DIGITS = 10

KINDS = (
    "none", "function", "script", "eval", "wasm", "regexp", "builtin", "bytecode-handler", "stub", "ic", "unknown-tag",
)


cdef bint parse_v8_name(const unsigned char* text, size_t size, V8Name* parsed) noexcept nogil:
    """Take a name apart.

    Layout, `TAG:[tier]NAME[ FILE:LINE[:COLUMN]]`; only tags of JavaScript have a tier::

        LazyCompile:*fib /app/cpu.js:4                          optimised, fib, /app/cpu.js, 4
        InterpretedFunction:main /app/cpu.js:17                 interpreted, said by the tag
        JS:o+'get gg /app/odd dir (x)/cpu.js:4:14               mid tier, on-stack replacement, context-specialised
        JS:* /app/cpu.js:9:64                                   a function without a name
        JS:~ :1:20                                              code made by eval: no file
        LazyCompile:~sort native array.js:748                   V8's own JavaScript, file `native array.js`
        JS:wasm-function[0]-0-turbofan                          WebAssembly
        RegExp:^a+$   RegExp.> src: 'a+' flags: 'i'             a regular expression
        Builtin:ArrayPush  BytecodeHandler:Wide  LoadIC:A load IC from the snapshot
        (anon) as exports.active at timers.js position 5243     the DTrace helper
        << adaptor >>

    The place is what a name ends with; the file begins at the first space before something that looks like a file, else
    at the last one. A name that V8 cut short has no place.

    Source: V8's src/logging/log.cc and src/objects/code-kind.cc; maps written by Node 8 to 26.

    Args:
        text: the name, without an offset behind it.
        size: its length in bytes.
        parsed: receives the parts as offsets into `text`.

    Returns:
        Whether V8 wrote it, by a tag known or not; `parsed.kind` says which.
    """
    cdef size_t tag_len
    cdef const V8Tag* tag
    cdef size_t i
    parsed.kind = V8_NONE
    parsed.tier = TIER_NONE
    parsed.tag_len = parsed.tier_at = parsed.tier_len = 0
    parsed.name_at = parsed.file_at = size
    parsed.name_len = parsed.file_len = 0
    parsed.line = parsed.column = NO_PLACE
    if begins_with(text, size, b"RegExp."):
        return parse_dotted_regexp(text, size, parsed)
    tag_len = find_tag(text, size)
    if tag_len == 0:
        return parse_helper_name(text, size, parsed)
    parsed.tag_len = tag_len
    parsed.tier_at = parsed.name_at = tag_len + 1
    for i in range(V8_TAG_COUNT):
        tag = V8_TAGS + i
        if tag.length == tag_len and memcmp(tag.text, text, tag_len) == 0:
            parsed.kind = tag.kind
            if tag.has_tier:
                parse_function(text, size, parsed)
            else:
                parsed.name_len = size - parsed.name_at
            return True
    # Another IC is an IC; anything else may be JavaScript if it has a place.
    parsed.kind = V8_IC if ends_with(text, tag_len, b"IC") else V8_UNKNOWN_TAG
    if parsed.kind == V8_UNKNOWN_TAG:
        parse_function(text, size, parsed)
    else:
        parsed.name_len = size - parsed.name_at
    return True


cdef bint parse_bare_function(const unsigned char* text, size_t size, V8Name* parsed) noexcept nogil:
    """Take apart the name of a JavaScript function whose tag somebody stripped: `*fib /app/cpu.js:4:14`, `fib :1:20`.

    Args:
        text: the name.
        size: its length in bytes.
        parsed: as `parse_v8_name` left it when it found no tag; the kind becomes V8_FUNCTION.

    Returns:
        Whether it is one: it must end in a place, and that in a file of JavaScript or in no file at all.
    """
    cdef const unsigned char* file
    parsed.kind = V8_FUNCTION
    parsed.tier = TIER_NONE
    parsed.tag_len = parsed.tier_at = parsed.tier_len = parsed.name_at = 0
    parsed.file_at = size
    parsed.file_len = 0
    parsed.line = parsed.column = NO_PLACE
    parse_function(text, size, parsed)
    file = text + parsed.file_at
    if parsed.line != NO_PLACE and parsed.file_at < size and (
        is_javascript_file(file, parsed.file_len) or (parsed.file_len == 0 and parsed.column != NO_PLACE)
    ):
        return True
    parsed.kind = V8_NONE
    parsed.tier = TIER_NONE
    return False


cdef bint is_javascript_file(const unsigned char* file, size_t size) noexcept nogil:
    """Tell a file of JavaScript by its ending, or of Node and V8 by its beginning."""
    return (
        ends_with(file, size, b".js") or ends_with(file, size, b".mjs") or ends_with(file, size, b".cjs")
        or ends_with(file, size, b".ts") or ends_with(file, size, b".mts") or ends_with(file, size, b".jsx")
        or ends_with(file, size, b".tsx") or begins_with(file, size, b"node:")
        or begins_with(file, size, b"internal/") or begins_with(file, size, b"evalmachine.<anonymous>")
    )


cdef size_t find_tag(const unsigned char* text, size_t size) noexcept nogil:
    """Measure a tag, `[A-Z][A-Za-z]*` before one colon; 0 where there is none. `Foo::bar` is C++."""
    cdef size_t i = 1
    if size < 2 or not c"A" <= text[0] <= c"Z":
        return 0
    while i < size and i < MAX_TAG_BYTES and c"a" <= text[i] | 0x20 <= c"z":
        i += 1
    if i == size or text[i] != c":" or (i + 1 < size and text[i + 1] == c":"):
        return 0
    return i


cdef int parse_function(const unsigned char* text, size_t size, V8Name* parsed) noexcept nogil:
    """Read tier, name and place behind the tag of a function."""
    cdef size_t end, file_at
    parse_tier(text, size, parsed)
    end = parse_place(text, parsed.name_at, size, parsed)
    file_at = find_file(text, parsed.name_at, end, parsed.line != NO_PLACE or end < size)
    if file_at == 0:
        end = size
        parsed.line = parsed.column = NO_PLACE
        parsed.name_len = end - parsed.name_at
    else:
        parsed.name_len = file_at - 1 - parsed.name_at
        parsed.file_at = file_at
        parsed.file_len = end - file_at
    if parsed.kind == V8_FUNCTION and parsed.tier == TIER_NONE:
        if is_wasm(text + parsed.name_at, parsed.name_len):
            parsed.kind = V8_WASM
        elif text[0] == c"I":
            parsed.tier = TIER_INTERPRETED
    return 0


cdef int parse_tier(const unsigned char* text, size_t size, V8Name* parsed) noexcept nogil:
    """Read `o?[~^+*-]'?`; the `o` is part of a name unless a marker follows it."""
    cdef size_t at = parsed.tier_at
    cdef uint8_t tier
    cdef uint8_t marks = 0
    if at + 1 < size and text[at] == c"o" and tier_of(text[at + 1]):
        marks = TIER_ON_STACK
        at += 1
    if at == size:
        return 0
    tier = tier_of(text[at])
    if tier == TIER_NONE:
        return 0
    at += 1
    if at < size and text[at] == c"'":
        marks |= TIER_SPECIALISED
        at += 1
    parsed.tier = tier | marks
    parsed.tier_len = at - parsed.tier_at
    parsed.name_at = at
    return 0


cdef uint8_t tier_of(unsigned char marker) noexcept nogil:
    """Give the tier of a marker; TIER_NONE for any other byte."""
    if marker == c"~":
        return TIER_INTERPRETED
    if marker == c"^":
        return TIER_BASELINE
    if marker == c"+":
        return TIER_MID
    if marker == c"*":
        return TIER_OPTIMISED
    return TIER_EXPERIMENTAL if marker == c"-" else TIER_NONE


cdef size_t parse_place(const unsigned char* text, size_t begin, size_t size, V8Name* parsed) noexcept nogil:
    """Read `:LINE` or `:LINE:COLUMN` off the end; returns where they begin, `size` where there is none."""
    cdef int64_t last, before
    cdef size_t at = number_before(text, begin, size, &last)
    cdef size_t at_line
    if at == size:
        return size
    at_line = number_before(text, begin, at, &before)
    if at_line == at:
        parsed.line = last
        return at
    parsed.line = before
    parsed.column = last
    return at_line


cdef size_t number_before(const unsigned char* text, size_t begin, size_t end, int64_t* value) noexcept nogil:
    """Read `:NUMBER` that ends at `end`; returns where its colon is, or `end`."""
    cdef size_t at = end
    cdef size_t i
    while at > begin and end - at < MAX_PLACE_DIGITS and c"0" <= text[at - 1] <= c"9":
        at -= 1
    if at == end:
        return end
    value[0] = 0
    for i in range(at, end):
        value[0] = 10 * value[0] + text[i] - c"0"
    if at > begin and text[at - 1] == c"-":
        value[0] = -value[0]
        at -= 1
    return at - 1 if at > begin and text[at - 1] == c":" else end


cdef size_t find_file(const unsigned char* text, size_t begin, size_t end, bint has_place) noexcept nogil:
    """Find where the file begins, one past the space before it; 0 where there is none."""
    cdef size_t at
    cdef size_t last = 0
    for at in range(begin, end):
        if text[at] == c" ":
            if looks_like_file(text + at + 1, end - at - 1):
                return at + 1
            last = at + 1
    # Without a place only a name that is empty ends for certain.
    if has_place:
        return last
    return begin + 1 if begin < end and text[begin] == c" " else 0


cdef bint looks_like_file(const unsigned char* text, size_t size) noexcept nogil:
    """Tell the beginning of a path, of a URL or of V8's own `native array.js`."""
    cdef size_t i
    for i in range(FILE_START_COUNT):
        if size >= FILE_STARTS[i].length and memcmp(text, FILE_STARTS[i].text, FILE_STARTS[i].length) == 0:
            return True
    if begins_with(text, size, b"native "):
        return memchr(text + 7, c" ", size - 7) is NULL
    return (
        size > 2 and c"a" <= text[0] | 0x20 <= c"z" and text[1] == c":" and (text[2] == c"\\" or text[2] == c"/")
    )


cdef bint is_wasm(const unsigned char* name, size_t size) noexcept nogil:
    """Tell WebAssembly by what its code is called: an index, or a name of the module's own and the compiler."""
    return (
        begins_with(name, size, b"wasm-function[") or begins_with(name, size, b"WASM_function#")
        or begins_with(name, size, b"wasm-to-js") or begins_with(name, size, b"js-to-wasm")
        or ends_with(name, size, b"-liftoff") or ends_with(name, size, b"-turbofan")
    )


cdef bint parse_dotted_regexp(const unsigned char* text, size_t size, V8Name* parsed) noexcept nogil:
    """Read `RegExp.> src: 'SOURCE' flags: 'FLAGS'` of Node 24 and later; the source may hold quotes."""
    cdef size_t end = size
    if size < 9 or text[8] != c" ":
        return False
    parsed.kind = V8_REGEXP
    parsed.tag_len = 8
    parsed.tier_at = 9
    parsed.name_at = 9
    if begins_with(text + 9, size - 9, b"src: '"):
        parsed.name_at = 15
        while end > 15 and not begins_with(text + end, size - end, b"' flags: '"):
            end -= 1
        if end == 15 and not begins_with(text + end, size - end, b"' flags: '"):
            end = size
    parsed.name_len = end - parsed.name_at
    return True


cdef bint parse_helper_name(const unsigned char* text, size_t size, V8Name* parsed) noexcept nogil:
    """Read a frame of the DTrace helper, `NAME at FILE position NUMBER` or `<< WHAT >>`."""
    cdef size_t end = size
    cdef size_t at
    if begins_with(text, size, b"<< ") and ends_with(text, size, b" >>"):
        parsed.kind = V8_BUILTIN
        parsed.name_at = 0
        parsed.name_len = size
        return True
    while end > 0 and c"0" <= text[end - 1] <= c"9":
        end -= 1
    if end == size or end < 10 or not ends_with(text, end, b" position "):
        return False
    end -= 10
    at = end
    while at > 0 and not begins_with(text + at, end - at, b" at "):
        at -= 1
    if at == 0:
        return False
    parsed.kind = V8_FUNCTION
    parsed.name_at = 0
    parsed.name_len = at
    parsed.file_at = at + 4
    parsed.file_len = end - parsed.file_at
    return True


def v8_name(bytes name):
    """Take a name apart; `parse_v8_name` for Python.

    Args:
        name: as in a perf map.

    Returns:
        ``(kind, tier, tag, function, file, line, column)``, kind one of `KINDS`, -1 for a line or column that is not
        there; None for a name that is not V8's.
    """
    cdef V8Name parsed
    cdef const unsigned char* text = name
    if not parse_v8_name(text, len(name), &parsed):
        return None
    return (
        KINDS[parsed.kind],
        parsed.tier,
        name[:parsed.tag_len],
        name[parsed.name_at : parsed.name_at + parsed.name_len],
        name[parsed.file_at : parsed.file_at + parsed.file_len],
        parsed.line,
        parsed.column,
    )
