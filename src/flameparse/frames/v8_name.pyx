"""What the name says that V8 gave to a piece of generated code: kind, tier, function and place.

One parser reads what every V8 from 6.2 (Node 8) to 14.6 (Node 26) writes into perf maps and jitdumps, and the frames
of the DTrace helper that Node had up to version 18. What differs from version to version stands in one table.
"""

from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memchr, memcmp

from flameparse.frames.symbol_text cimport begins_with, contains, ends_with

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
    """
    struct V8Tag "fp_v8_tag":
        const char* text
        unsigned char length
        unsigned char kind
        unsigned char has_tier
    const V8Tag* V8_TAGS "FP_V8_TAGS"
    const size_t V8_TAG_COUNT "FP_V8_TAG_COUNT"

cdef enum:
    MAX_TAG_BYTES = 32
    MAX_SCHEME_BYTES = 32
    MAX_PLACE_DIGITS = 10


cdef enum FileStart:
    NO_FILE = 0
    FILE_ABSOLUTE = 1   # a path or a URL
    FILE_OF_DATA = 2    # a URL that is the source itself, blanks and slashes and all
    FILE_OF_NODE = 3    # a name that only Node or V8 gives, and that may be a part of a path as well

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
        JS:wasm-function[0]-0-turbofan                          WebAssembly, all of it the name
        RegExp:^a+$   RegExp.> src: 'a+' flags: 'i'             a regular expression
        Builtin:ArrayPush  BytecodeHandler:Wide  LoadIC:A load IC from the snapshot
        (anon) as exports.active at timers.js position 5243     the DTrace helper
        << adaptor >>

    The place is what a name ends with; where the file begins is a matter of its looks, since both names and files may
    hold blanks. A name that V8 cut short has no place.

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
    if ends_with(text, tag_len, b"IC"):
        parsed.kind = V8_IC
        parsed.name_len = size - parsed.name_at
        return True
    parsed.kind = V8_UNKNOWN_TAG
    parse_function(text, size, parsed)
    # `Program:Main (string[])` of Mono's maps, `DFG: sort` of JavaScriptCore's.
    if parsed.line == NO_PLACE and (text[size - 1] == c")" or begins_with(text + tag_len, size - tag_len, b": ")):
        parsed.kind = V8_NONE
    return parsed.kind == V8_UNKNOWN_TAG


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
    if parsed.kind == V8_WASM and contains(text, size, b" wasm://"):
        return True
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
        or ends_with(file, size, b".ts") or ends_with(file, size, b".mts") or ends_with(file, size, b".cts")
        or ends_with(file, size, b".jsx") or ends_with(file, size, b".tsx") or ends_with(file, size, b".vue")
        or begins_with(file, size, b"node:") or begins_with(file, size, b"internal/")
        or begins_with(file, size, b"webpack://") or begins_with(file, size, b"evalmachine.<anonymous>")
        or begins_with(file, size, b"[eval") or begins_with(file, size, b"wasm://")
    )


cdef size_t find_tag(const unsigned char* text, size_t size) noexcept nogil:
    """Measure a tag, `[A-Z][A-Za-z]*` before a colon; 0 where there is none.

    `Foo::bar` is C++, but a regular expression may begin with a colon, and so may a function without a tier before it.
    """
    cdef size_t i = 1
    if size < 2 or not c"A" <= text[0] <= c"Z":
        return 0
    while i < size and i < MAX_TAG_BYTES and c"a" <= text[i] | 0x20 <= c"z":
        i += 1
    if i == size or text[i] != c":":
        return 0
    if i + 1 < size and text[i + 1] == c":" and not (
        (i == 6 and begins_with(text, i, b"RegExp")) or (i == 19 and begins_with(text, i, b"InterpretedFunction"))
    ):
        return 0
    return i


cdef int parse_function(const unsigned char* text, size_t size, V8Name* parsed) noexcept nogil:
    """Read tier, name and place behind the tag of a function."""
    cdef size_t end, file_at
    if parsed.kind == V8_FUNCTION and is_wasm(text + parsed.name_at, size - parsed.name_at):
        parsed.kind = V8_WASM
        parsed.name_len = size - parsed.name_at
        return 0
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
    if parsed.kind == V8_FUNCTION and parsed.tier == TIER_NONE and text[0] == c"I":
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
    """Find where the file begins, one past the space before it; 0 where there is none.

    A path or a URL begins at the last space that one may follow: names hold slashes behind a space (`GET /users`) more
    often than paths do. Without either, it is a name that Node gives, else what follows the last space.
    """
    cdef size_t at
    cdef size_t absolute = 0
    cdef size_t of_node = 0
    cdef size_t last = 0
    cdef FileStart start
    for at in range(begin, end):
        if text[at] != c" ":
            continue
        last = at + 1
        start = file_start(text + last, end - last)
        if start == FILE_ABSOLUTE:
            absolute = last
        elif start == FILE_OF_DATA and not absolute:
            return last
        elif start == FILE_OF_NODE and not of_node:
            of_node = last
    if absolute:
        return absolute
    if of_node:
        return of_node
    # Without a place only a name that is empty ends for certain.
    if has_place:
        return last
    return begin + 1 if begin < end and text[begin] == c" " else 0


cdef FileStart file_start(const unsigned char* text, size_t size) noexcept nogil:
    """Say whether a file may begin here.

    Layout::

        /app/a.js   node:fs   file:///app/a.mjs   webpack:///src/a.vue   ext:core/01.js   C:\\app\\a.js   \\\\srv\\a.js
        data:text/javascript,export default 1 / 2
        internal/util.js   native array.js   evalmachine.<anonymous>   [eval]-wrapper   [worker eval]
    """
    cdef const unsigned char* space
    if size == 0:
        return NO_FILE
    if (
        text[0] == c"/" or begins_with(text, size, b"node:") or begins_with(text, size, b"ext:")
        or begins_with(text, size, b"\\\\") or is_drive_or_url(text, size)
    ):
        return FILE_ABSOLUTE
    if begins_with(text, size, b"data:"):
        space = <const unsigned char*> memchr(text, c" ", size)
        size = size if space is NULL else space - text
        return FILE_OF_DATA if memchr(text, c",", size) is not NULL else NO_FILE
    if begins_with(text, size, b"native "):
        return FILE_OF_NODE if memchr(text + 7, c" ", size - 7) is NULL else NO_FILE
    if (
        begins_with(text, size, b"internal/") or begins_with(text, size, b"evalmachine.<anonymous>")
        or begins_with(text, size, b"[eval]") or begins_with(text, size, b"[worker eval]")
    ):
        return FILE_OF_NODE
    return NO_FILE


cdef bint is_drive_or_url(const unsigned char* text, size_t size) noexcept nogil:
    """Tell `c:/`, `C:\\` and `scheme://`."""
    cdef size_t i = 0
    while i < size and i < MAX_SCHEME_BYTES and (
        c"a" <= text[i] | 0x20 <= c"z" or (i > 0 and (c"0" <= text[i] <= c"9" or text[i] == c"-" or text[i] == c"+"))
    ):
        i += 1
    if i == 0 or i + 1 >= size or text[i] != c":":
        return False
    if i == 1:
        return size > 2 and (text[2] == c"\\" or text[2] == c"/")
    return begins_with(text + i, size - i, b"://")


cdef bint is_wasm(const unsigned char* name, size_t size) noexcept nogil:
    """Tell WebAssembly by what its code is called.

    Layout, a number or any name of the module's own, the index, since Node 16 the compiler::

        wasm-function[0]-0   my fun: (x)-12   wasm-function[0]-0-liftoff   my fun: (x)-12-turbofan
        WASM_function#0:module: (wasm):0   js-to-wasm#0:export:js-to-wasm#0 (wasm):0                Node 8
    """
    cdef size_t i = size
    while i > 0 and c"0" <= name[i - 1] <= c"9":
        i -= 1
    if 1 < i < size and name[i - 1] == c"-" and name[i - 2] != c":" and not tier_of(name[0]):
        return True
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
