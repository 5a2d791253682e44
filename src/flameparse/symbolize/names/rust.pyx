"""Rust's mangled names as text: the grammar of its own that Rust calls v0, and the older names like those of C++."""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcmp, memmove

from flameparse.symbolize.names.name_text cimport NameText, put, put_number, put_word, step
from flameparse.symbolize.names.symbol_bytes cimport hex_digit, is_digit, is_word


cdef extern from *:
    """
    #include <stddef.h>

    static const char *const fp_rust_types[26] = {
        "i8", "bool", "char", "f64", "str", "f32", NULL, "u8", "isize", "usize", NULL, "i32", "u32", "i128", "u128",
        "_", NULL, NULL, "i16", "u16", "()", "...", NULL, "i64", "u64", "!",
    };
    """
    const char** BASIC_TYPES "fp_rust_types"

cdef enum:
    HASH_DIGITS = 16  # behind an older name
    MAX_POINTS = 256  # of an identifier in Punycode, whose decoding takes the square of that


cdef struct Reader:
    const unsigned char* start     # what the references to what stood before count from
    const unsigned char* at
    const unsigned char* end
    NameText* out
    uint32_t depth
    uint64_t lifetimes             # that are bound where the reader stands
    bint is_silent                 # read and write nothing


cdef struct Identifier:
    const unsigned char* text
    uint64_t length
    const unsigned char* points    # where Punycode puts other characters in, or NULL
    uint64_t points_length


cdef bint print_rust_v0(const unsigned char* name, uint64_t length, NameText* out) noexcept nogil:
    """Write a name of the newer mangling, without hashes and without the types of constants.

    Layout: `_R`, a path, the path of the crate that made an instance of it or none, then `.llvm.123` or the like.
    Source: The rustc book, "v0 Symbol Format".

    Args:
        name: the mangled name.
        length: its length in bytes.
        out: an empty text; what is in it after a failure means nothing.

    Returns:
        False where it is not such a name.
    """
    cdef Reader r
    cdef uint64_t i
    if length < 3 or name[0] != c"_" or name[1] != c"R" or not c"A" <= name[2] <= c"Z":
        return False
    r.start = r.at = name + 2
    r.end = name + length
    r.out = out
    r.depth = 0
    r.lifetimes = 0
    r.is_silent = False
    for i in range(2, length):
        if name[i] == c".":
            r.end = name + i
            break
        if not is_word(name[i]):
            return False
    if not show_path(&r, True):
        return False
    r.is_silent = True
    return (r.at == r.end or show_path(&r, False)) and r.at == r.end and not out.failed


cdef bint enter(Reader* r) noexcept nogil:
    """Go one level down; the caller takes the level back, unless reading failed."""
    r.depth += 1
    return r.depth <= r.out.max_depth and step(r.out)


cdef inline void show(Reader* r, const char* word) noexcept nogil:
    """Write a word of ours."""
    if not r.is_silent:
        put_word(r.out, word)


cdef inline unsigned char peek(Reader* r) noexcept nogil:
    """The next byte; 0 at the end."""
    return r.at[0] if r.at < r.end else 0


cdef inline bint take(Reader* r, unsigned char byte) noexcept nogil:
    """Step over a byte, if it is this one."""
    if r.at < r.end and r.at[0] == byte:
        r.at += 1
        return True
    return False


cdef bint read_base62(Reader* r, uint64_t* value) noexcept nogil:
    """Read `_` as 0, `0_` as 1 and so on, with digits, small and capital letters; False where none stands."""
    cdef uint64_t digit
    cdef unsigned char byte
    value[0] = 0
    if take(r, c"_"):
        return True
    while not take(r, c"_"):
        byte = peek(r)
        if is_digit(byte):
            digit = byte - c"0"
        elif c"a" <= byte <= c"z":
            digit = byte - c"a" + 10
        elif c"A" <= byte <= c"Z":
            digit = byte - c"A" + 36
        else:
            return False
        if value[0] > (<uint64_t> -2 - digit) // 62:
            return False
        value[0] = value[0] * 62 + digit
        r.at += 1
    value[0] += 1
    return True


cdef bint read_tagged(Reader* r, unsigned char tag, uint64_t* value) noexcept nogil:
    """Read a tag and a number, which counts from 1; 0 where there is no tag."""
    value[0] = 0
    if not take(r, tag):
        return True
    if not read_base62(r, value):
        return False
    value[0] += 1
    return True


cdef bint read_identifier(Reader* r, Identifier* name) noexcept nogil:
    """Read [`u`] length [`_`] bytes; `u` says that Punycode stands behind the last underscore."""
    cdef bint has_points = take(r, c"u")
    cdef uint64_t length = 0
    if not is_digit(peek(r)):
        return False
    if not take(r, c"0"):
        while is_digit(peek(r)):
            length = length * 10 + (r.at[0] - c"0")
            if length > <uint64_t> (r.end - r.at):
                return False
            r.at += 1
    take(r, c"_")
    if length > <uint64_t> (r.end - r.at):
        return False
    name.text = r.at
    name.length = length
    name.points = NULL
    name.points_length = 0
    r.at += length
    if has_points:
        name.points = r.at
        while name.points > name.text and name.points[-1] != c"_":
            name.points -= 1
        name.points_length = <uint64_t> (r.at - name.points)
        name.length = <uint64_t> (name.points - name.text)
        if name.length:
            name.length -= 1
        return name.points_length > 0
    return True


cdef bint show_identifier(Reader* r, Identifier* name) noexcept nogil:
    """Write an identifier; False where its Punycode is none."""
    cdef uint32_t points[MAX_POINTS]
    cdef uint64_t count
    cdef uint64_t i
    if r.is_silent:
        return True
    if name.points is NULL:
        put(r.out, name.text, name.length)
        return True
    count = decode_punycode(name, points)
    for i in range(count):
        put_point(r.out, points[i])
    return count != 0


cdef void put_point(NameText* out, uint32_t point) noexcept nogil:
    """Write a code point as UTF-8."""
    cdef unsigned char encoded[4]
    cdef uint32_t count = 0 if point < 0x80 else 1 if point < 0x800 else 2 if point < 0x10000 else 3
    cdef uint32_t i
    for i in range(count):
        encoded[count - i] = <unsigned char> (0x80 | point >> 6 * i & 0x3F)
    encoded[0] = <unsigned char> (point >> 6 * count | (0xF0 << 3 - count & 0xFF if count else 0))
    put(out, encoded, count + 1)


cdef uint64_t decode_punycode(Identifier* name, uint32_t* points) noexcept nogil:
    """Decode an identifier into code points.

    Source: RFC 3492, section 6.2, with the digits of Rust: a to z, then 0 to 9.

    Returns:
        How many there are; 0 where it is malformed or has more than MAX_POINTS.
    """
    cdef const unsigned char* at = name.points
    cdef const unsigned char* end = name.points + name.points_length
    cdef uint64_t count = name.length
    cdef uint64_t point = 0x80
    cdef uint64_t i = 0
    cdef uint64_t bias = 72
    cdef uint64_t damp = 700
    cdef uint64_t delta, weight, k, t, digit
    if count >= MAX_POINTS:
        return 0
    for k in range(count):
        points[k] = name.text[k]
    while at < end:
        delta = 0
        weight = 1
        k = 36
        while True:
            if at == end:
                return 0
            if c"a" <= at[0] <= c"z":
                digit = at[0] - c"a"
            elif is_digit(at[0]):
                digit = at[0] - c"0" + 26
            else:
                return 0
            at += 1
            delta += digit * weight
            if delta > 0x10FFFF * MAX_POINTS:
                return 0
            t = 1 if k <= bias else 26 if k >= bias + 26 else k - bias
            if digit < t:
                break
            weight *= 36 - t
            if weight > 0x10FFFF * MAX_POINTS:
                return 0
            k += 36
        if count == MAX_POINTS:
            return 0
        i += delta
        count += 1
        point += i // count
        i %= count
        if point > 0x10FFFF or 0xD800 <= point < 0xE000:
            return 0
        memmove(points + i + 1, points + i, (count - 1 - i) * sizeof(uint32_t))
        points[i] = <uint32_t> point
        i += 1
        delta //= damp
        damp = 2
        delta += delta // count
        k = 0
        while delta > 455:
            delta //= 35
            k += 36
        bias = k + 36 * delta // (delta + 38)
    return count


cdef bint show_path(Reader* r, bint in_value) noexcept nogil:
    """Read and write a path; in a value the arguments of a generic one follow `::`."""
    cdef unsigned char tag = peek(r)
    cdef bint is_read = False
    if not enter(r):
        return False
    r.at += r.at < r.end
    if tag == c"C":
        is_read = show_crate(r)
    elif tag == c"N":
        is_read = show_nested(r, in_value)
    elif tag == c"M" or tag == c"X" or tag == c"Y":
        is_read = show_implementation(r, tag)
    elif tag == c"I":
        is_read = show_path(r, in_value)
        if is_read:
            show(r, <const char*> b"::<" if in_value else <const char*> b"<")
            is_read = show_items(r)
            show(r, b">")
    elif tag == c"B":
        is_read = show_again(r, c"p", in_value)
    r.depth -= 1
    return is_read


cdef bint show_crate(Reader* r) noexcept nogil:
    """Write the name of a crate."""
    cdef uint64_t disambiguator
    cdef Identifier name
    return read_tagged(r, c"s", &disambiguator) and read_identifier(r, &name) and show_identifier(r, &name)


cdef bint show_nested(Reader* r, bint in_value) noexcept nogil:
    """Write a name and the path it stands in; closures and the like have a number."""
    cdef unsigned char space = peek(r)
    cdef uint64_t disambiguator
    cdef Identifier name
    r.at += r.at < r.end
    if not show_path(r, in_value) or not read_tagged(r, c"s", &disambiguator) or not read_identifier(r, &name):
        return False
    if c"a" <= space <= c"z":
        if name.length == 0 and name.points is NULL:
            return True
        show(r, b"::")
        return show_identifier(r, &name)
    if not c"A" <= space <= c"Z":
        return False
    show(r, b"::{")
    if space == c"C":
        show(r, b"closure")
    elif space == c"S":
        show(r, b"shim")
    elif not r.is_silent:
        put(r.out, &space, 1)
    if name.length or name.points is not NULL:
        show(r, b":")
        if not show_identifier(r, &name):
            return False
    show(r, b"#")
    if not r.is_silent:
        put_number(r.out, disambiguator)
    show(r, b"}")
    return True


cdef bint show_implementation(Reader* r, unsigned char tag) noexcept nogil:
    """Write `<type>` or `<type as trait>`; where the implementation stands is not said."""
    cdef bint is_silent = r.is_silent
    cdef uint64_t disambiguator
    if tag != c"Y":
        r.is_silent = True
        if not read_tagged(r, c"s", &disambiguator) or not show_path(r, False):
            return False
        r.is_silent = is_silent
    show(r, b"<")
    if not show_type(r):
        return False
    if tag != c"M":
        show(r, b" as ")
        if not show_path(r, False):
            return False
    show(r, b">")
    return True


cdef bint show_again(Reader* r, unsigned char kind, bint in_value) noexcept nogil:
    """Read and write once more what stood before: a path (`p`), type (`t`) or constant (`c`)."""
    cdef const unsigned char* after
    cdef const unsigned char* tag = r.at - 1
    cdef uint64_t offset
    cdef bint is_read
    if not read_base62(r, &offset) or offset >= <uint64_t> (tag - r.start):
        return False
    if r.is_silent:
        return True
    after = r.at
    r.at = r.start + offset
    if kind == c"p":
        is_read = show_path(r, in_value)
    elif kind == c"t":
        is_read = show_type(r)
    else:
        is_read = show_constant(r)
    r.at = after
    return is_read


cdef bint show_items(Reader* r) noexcept nogil:
    """Write generic arguments with commas between them, up to their `E`."""
    cdef bint is_first = True
    while not take(r, c"E"):
        if not is_first:
            show(r, b", ")
        if not show_argument(r):
            return False
        is_first = False
    return True


cdef bint show_argument(Reader* r) noexcept nogil:
    """Write a generic argument."""
    cdef uint64_t lifetime
    if take(r, c"L"):
        return read_base62(r, &lifetime) and show_lifetime(r, lifetime)
    return show_constant(r) if take(r, c"K") else show_type(r)


cdef bint show_lifetime(Reader* r, uint64_t lifetime) noexcept nogil:
    """Write a lifetime: `'_` for 0, else that which so many binders ago was bound, by a letter."""
    cdef uint64_t index
    cdef unsigned char letter
    if lifetime == 0:
        show(r, b"'_")
        return True
    if lifetime > r.lifetimes:
        return False
    index = r.lifetimes - lifetime
    if r.is_silent:
        return True
    put_word(r.out, b"'")
    if index < 26:
        letter = <unsigned char> (c"a" + index)
        put(r.out, &letter, 1)
    else:
        put_word(r.out, b"_")
        put_number(r.out, index)
    return True


cdef bint open_binder(Reader* r) noexcept nogil:
    """Write `for<'a, 'b> ` for the lifetimes that a type binds; the caller takes them back."""
    cdef uint64_t count
    cdef uint64_t i
    if not read_tagged(r, c"G", &count):
        return False
    if count == 0:
        return True
    show(r, b"for<")
    for i in range(count):
        if not step(r.out):
            return False
        if i:
            show(r, b", ")
        r.lifetimes += 1
        show_lifetime(r, 1)
    show(r, b"> ")
    return True


cdef bint show_type(Reader* r) noexcept nogil:
    """Read and write a type."""
    cdef unsigned char tag = peek(r)
    cdef uint64_t count = 0
    cdef uint64_t lifetime = 0
    cdef bint is_read
    if not enter(r):
        return False
    if c"a" <= tag <= c"z":
        r.at += 1
        r.depth -= 1
        if BASIC_TYPES[tag - c"a"] is NULL:
            return False
        show(r, BASIC_TYPES[tag - c"a"])
        return True
    r.at += r.at < r.end
    if tag == c"R" or tag == c"Q":
        show(r, b"&")
        if take(r, c"L"):
            if not read_base62(r, &lifetime) or (lifetime and not show_lifetime(r, lifetime)):
                return False
            if lifetime:
                show(r, b" ")
        if tag == c"Q":
            show(r, b"mut ")
        is_read = show_type(r)
    elif tag == c"P" or tag == c"O":
        show(r, <const char*> b"*const " if tag == c"P" else <const char*> b"*mut ")
        is_read = show_type(r)
    elif tag == c"A" or tag == c"S":
        show(r, b"[")
        is_read = show_type(r)
        if is_read and tag == c"A":
            show(r, b"; ")
            is_read = show_constant(r)
        show(r, b"]")
    elif tag == c"T":
        show(r, b"(")
        is_read = True
        while is_read and not take(r, c"E"):
            if count:
                show(r, b", ")
            is_read = show_type(r)
            count += 1
        show(r, <const char*> b",)" if count == 1 else <const char*> b")")
    elif tag == c"F":
        is_read = show_function(r)
    elif tag == c"D":
        is_read = show_object(r)
    elif tag == c"B":
        is_read = show_again(r, c"t", False)
    else:
        r.at -= tag != 0
        is_read = show_path(r, False)
    r.depth -= 1
    return is_read


cdef bint show_function(Reader* r) noexcept nogil:
    """Write a function pointer: [binder] [`U`] [`K` ABI] parameters `E` result."""
    cdef uint64_t lifetimes = r.lifetimes
    cdef uint64_t i
    cdef Identifier abi
    cdef unsigned char byte
    cdef bint is_first = True
    if not open_binder(r):
        return False
    if take(r, c"U"):
        show(r, b"unsafe ")
    if take(r, c"K"):
        show(r, b'extern "')
        if take(r, c"C"):
            show(r, b"C")
        else:
            if not read_identifier(r, &abi) or abi.length == 0 or abi.points is not NULL:
                return False
            for i in range(abi.length if not r.is_silent else 0):
                byte = c"-" if abi.text[i] == c"_" else abi.text[i]
                put(r.out, &byte, 1)
        show(r, b'" ')
    show(r, b"fn(")
    while not take(r, c"E"):
        if not is_first:
            show(r, b", ")
        if not show_type(r):
            return False
        is_first = False
    show(r, b")")
    if not take(r, c"u"):
        show(r, b" -> ")
        if not show_type(r):
            return False
    r.lifetimes = lifetimes
    return True


cdef bint show_object(Reader* r) noexcept nogil:
    """Write a trait object: [binder] traits `E` `L` lifetime."""
    cdef uint64_t lifetimes = r.lifetimes
    cdef uint64_t lifetime
    cdef bint is_first = True
    show(r, b"dyn ")
    if not open_binder(r):
        return False
    while not take(r, c"E"):
        if not is_first:
            show(r, b" + ")
        if not show_trait(r):
            return False
        is_first = False
    r.lifetimes = lifetimes
    if not take(r, c"L") or not read_base62(r, &lifetime):
        return False
    if lifetime:
        show(r, b" + ")
        return show_lifetime(r, lifetime)
    return True


cdef bint show_trait(Reader* r) noexcept nogil:
    """Write a trait of an object; what its associated types are stands among its generic arguments."""
    cdef bint is_open = False
    cdef Identifier name
    if not show_open_path(r, &is_open):
        return False
    while take(r, c"p"):
        show(r, <const char*> b", " if is_open else <const char*> b"<")
        is_open = True
        if not read_identifier(r, &name) or not show_identifier(r, &name):
            return False
        show(r, b" = ")
        if not show_type(r):
            return False
    if is_open:
        show(r, b">")
    return True


cdef bint show_open_path(Reader* r, bint* is_open) noexcept nogil:
    """Write a path; the bracket of its generic arguments, if it has any, stays open."""
    cdef const unsigned char* after
    cdef uint64_t offset
    cdef bint is_first = True
    cdef bint is_read
    if not enter(r):
        return False
    if take(r, c"B"):
        after = r.at - 1
        if not read_base62(r, &offset) or offset >= <uint64_t> (after - r.start):
            return False
        after = r.at
        is_read = True
        if not r.is_silent:
            r.at = r.start + offset
            is_read = show_open_path(r, is_open)
            r.at = after
    elif take(r, c"I"):
        is_read = show_path(r, False)
        show(r, b"<")
        is_open[0] = True
        while is_read and not take(r, c"E"):
            if not is_first:
                show(r, b", ")
            is_read = show_argument(r)
            is_first = False
    else:
        is_read = show_path(r, False)
    r.depth -= 1
    return is_read


cdef bint show_constant(Reader* r) noexcept nogil:
    """Read and write a constant: `p`, or a type and its value in hex digits and `_`."""
    cdef unsigned char tag = peek(r)
    cdef uint64_t value = 0
    cdef const unsigned char* text
    cdef bint is_read
    r.at += r.at < r.end
    if tag == c"B":
        is_read = enter(r) and show_again(r, c"c", False)
        r.depth -= 1
        return is_read
    if tag == c"p":
        show(r, b"_")
        return True
    if tag not in (c"h", c"t", c"m", c"y", c"o", c"j", c"a", c"s", c"l", c"x", c"n", c"i", c"b", c"c"):
        return False
    if tag in (c"a", c"s", c"l", c"x", c"n", c"i") and take(r, c"n"):
        show(r, b"-")
    text = r.at
    while hex_digit(peek(r)) >= 0:
        value = value << 4 | <uint64_t> hex_digit(r.at[0])
        r.at += 1
    if not take(r, c"_"):
        return False
    if tag == c"b":
        if r.at - text != 2 or value > 1:
            return False
        show(r, <const char*> b"true" if value else <const char*> b"false")
    elif tag == c"c":
        return r.at - text > 1 and show_character(r, text, value)
    elif r.is_silent:
        return True
    elif r.at - text - 1 > 16:
        put_word(r.out, b"0x")
        put(r.out, text + r.out.as_perf, <uint64_t> (r.at - text - 1))  # perf 6.1 starts one byte too late
    else:
        put_number(r.out, value)
    return True


cdef bint show_character(Reader* r, const unsigned char* digits, uint64_t value) noexcept nogil:
    """Write a character constant, escaped unless it is one of ASCII."""
    cdef unsigned char byte = <unsigned char> value
    if r.is_silent:
        return True
    put_word(r.out, b"'")
    if value == c"\t":
        put_word(r.out, b"\\t")
    elif value == c"\r":
        put_word(r.out, b"\\r")
    elif value == c"\n":
        put_word(r.out, b"\\n")
    elif 0x20 <= value < 0x7F:
        put(r.out, &byte, 1)
    else:
        put_word(r.out, b"\\u{")
        put(r.out, digits, <uint64_t> (r.at - digits - 1))
        put_word(r.out, b"}")
    put_word(r.out, b"'")
    return True


# The older mangling: a C++ name that ends with a hash


cdef bint print_rust_legacy(const unsigned char* name, uint64_t length, NameText* out) noexcept nogil:
    """Write a path of the older mangling, without the hash at its end.

    Layout: `_ZN`, length and bytes of each part, the last of them `h` and 16 hex digits, `E`, then `.llvm.123` or so.
    Source: rust-lang/rust, compiler/rustc_symbol_mangling/src/legacy.rs.

    Args:
        name: the mangled name.
        length: its length in bytes.
        out: an empty text; what is in it after a failure means nothing.

    Returns:
        False where it is not such a name: one of C++, for instance.
    """
    cdef const unsigned char* at = name + 3
    cdef const unsigned char* end = name + length
    cdef uint64_t size
    if length < HASH_DIGITS + 7 or memcmp(name, <const char*> b"_ZN", 3):
        return False
    while not (end[-1] == c"E" and (end == name + length or end[0] == c".")):
        end -= 1
        if end == at:
            return False
    end -= HASH_DIGITS + 4
    if end < at or not is_hash(end):
        return False
    while at < end:
        if not is_digit(at[0]) or at[0] == c"0":
            return False
        size = 0
        while is_digit(at[0]) and size < length:
            size = size * 10 + (at[0] - c"0")
            at += 1
        if at > end or size > <uint64_t> (end - at):
            return False
        if out.length:
            put_word(out, b"::")
        put_part(out, at, size)
        at += size
    return out.length > 0 and not out.failed and has_rust_bytes(name, length)


cdef bint has_rust_bytes(const unsigned char* name, uint64_t length) noexcept nogil:
    """Tell whether a name has no other bytes than those of Rust and of what linkers put behind its names."""
    cdef uint64_t i
    for i in range(length):
        if not (is_word(name[i]) or name[i] in (c"$", c".", c":", c"@")):
            return False
    return True


cdef bint is_hash(const unsigned char* text) noexcept nogil:
    """Tell `17h` and 16 hex digits, at least five of them different: a hash, and hardly a name."""
    cdef uint32_t seen = 0
    cdef uint32_t i, _
    if memcmp(text, <const char*> b"17h", 3):
        return False
    for i in range(3, 3 + HASH_DIGITS):
        if hex_digit(text[i]) < 0:
            return False
        seen |= 1 << hex_digit(text[i])
    for _ in range(4):
        seen &= seen - 1
    return seen != 0


cdef void put_part(NameText* out, const unsigned char* text, uint64_t size) noexcept nogil:
    """Write a part of a path: `..` is `::`, and `$LT$` and the like are signs."""
    cdef uint64_t i = 0
    cdef uint64_t start
    cdef uint64_t length
    cdef unsigned char sign = 0
    if size >= 2 and text[0] == c"_" and text[1] == c"$":
        i = 1
    while i < size:
        if text[i] == c"$":
            length = read_escape(text + i, size - i, &sign)
            if length == 0:
                put(out, text + i, size - i)
                return
            put(out, &sign, 1)
            i += length
        elif text[i] == c"." and i + 1 < size and text[i + 1] == c".":
            put_word(out, b"::")
            i += 2
        else:
            start = i
            i += 1
            while i < size and text[i] != c"$" and text[i] != c".":
                i += 1
            put(out, text + start, i - start)


cdef uint64_t read_escape(const unsigned char* text, uint64_t size, unsigned char* sign) noexcept nogil:
    """Read `$C$`, one of `$SP$ $BP$ $RF$ $LT$ $GT$ $LP$ $RP$`, or `$u7b$`; its length, or 0 where none stands."""
    cdef const char* names = b"SPBPRFLTGTLPRP"
    cdef const char* signs = b"@*&<>()"
    cdef int i
    cdef int high
    cdef int low
    if size >= 3 and text[1] == c"C" and text[2] == c"$":
        sign[0] = c","
        return 3
    if size >= 4 and text[3] == c"$":
        for i in range(7):
            if memcmp(text + 1, names + 2 * i, 2) == 0:
                sign[0] = signs[i]
                return 4
    if size >= 5 and text[1] == c"u" and text[4] == c"$":
        high = hex_digit(text[2])
        low = hex_digit(text[3])
        if 2 <= high <= 7 and low >= 0:
            sign[0] = <unsigned char> (high << 4 | low)
            return 5
    return 0
