"""Rust's older mangling: its hash at the end of a name, and the escapes that C++ demanglers leave standing."""

from libc.stdint cimport uint64_t
from libc.string cimport memchr, memcpy

from flameparse.frames.arguments cimport is_suffix
from flameparse.frames.symbol_text cimport begins_with, ends_with, is_word

cdef enum:
    HASH_DIGITS = 16
    # How far from the end a hash is looked for: behind it stand at most a clone mark and ".llvm.NUMBER".
    HASH_WINDOW = 128


cdef size_t rust_hash(const unsigned char* text, size_t size, size_t* tail) noexcept nogil:
    """Find the hash that ends a Rust symbol of the older mangling, `::h` and 16 hex digits.

    Args:
        text: the name.
        size: its length in bytes.
        tail: set to where the kept text goes on behind the hash: at `[clone .cold]` or the like.

    Returns:
        The offset of the hash, or 0.
    """
    cdef size_t length = 3 + HASH_DIGITS
    cdef size_t i = size - length
    cdef size_t lowest, after
    if size <= length:
        return 0
    lowest = i - HASH_WINDOW if i > HASH_WINDOW else 1
    if memchr(text + lowest, c".", size - lowest) is NULL:
        lowest = i  # every mark that may stand behind it has a dot
    while i >= lowest:
        if (
            text[i] == c":" and text[i + 1] == c":" and text[i + 2] == c"h"
            and count_hex(text + i + 3, size - i - 3) == HASH_DIGITS
        ):
            after = tail[0] = i + length
            if begins_with(text + after, size - after, b"."):
                while after < size and (is_word(text[after]) or text[after] == c"."):
                    after += 1
                # LLVM's number tells units of one build apart, as the hash does.
                if begins_with(text + tail[0], size - tail[0], b".llvm."):
                    tail[0] = after
            return i if is_suffix(text, after, size) else 0
        i -= 1
    return 0


cdef size_t count_hex(const unsigned char* text, size_t size) noexcept nogil:
    """Count the lower-case hex digits a text begins with, no further than a hash and one more."""
    cdef size_t i = 0
    while i < size and i <= HASH_DIGITS and (c"0" <= text[i] <= c"9" or c"a" <= text[i] <= c"f"):
        i += 1
    return i


cdef bint has_any_hash(const unsigned char* text, size_t size) noexcept nogil:
    """Tell what inferno takes for a Rust symbol: an `h` and 16 hex digits in either case at the end."""
    cdef size_t i
    if size < HASH_DIGITS + 1 or text[size - HASH_DIGITS - 1] != c"h":
        return False
    for i in range(size - HASH_DIGITS, size):
        if not (c"0" <= text[i] <= c"9" or c"a" <= text[i] | 0x20 <= c"f"):
            return False
    return True


cdef size_t read_escape(const unsigned char* text, size_t size, uint64_t* code_point) noexcept nogil:
    """Read one `$..$` escape of Rust's older mangling.

    Layout: `$SP$ $BP$ $RF$ $LT$ $GT$ $LP$ $RP$ $C$` for `@ * & < > ( ) ,`, and `$u7b$` for any other by its number.
    Source: rust-lang/rust, compiler/rustc_symbol_mangling/src/legacy.rs.

    Returns:
        Its length, or 0 where none stands.
    """
    cdef const char* names = b"SPBPRFLTGTLPRP"
    cdef const char* signs = b"@*&<>()"
    cdef size_t i
    cdef uint64_t value = 0
    if size < 3 or text[0] != c"$":
        return 0
    if text[1] == c"C" and text[2] == c"$":
        code_point[0] = c","
        return 3
    if size >= 4 and text[3] == c"$":
        for i in range(7):
            if text[1] == names[2 * i] and text[2] == names[2 * i + 1]:
                code_point[0] = signs[i]
                return 4
    if text[1] != c"u" or text[2] == c"0":
        return 0
    i = 2
    while i < size and i < 8 and (c"0" <= text[i] <= c"9" or c"a" <= text[i] <= c"f"):
        value = value * 16 + (text[i] - c"0" if text[i] <= c"9" else text[i] - c"a" + 10)
        i += 1
    if i == size or text[i] != c"$" or value < 0x20 or value == 0x7F or value > 0x10FFFF or 0xD800 <= value < 0xE000:
        return 0
    code_point[0] = value
    return i + 1


cdef bint has_escape(const unsigned char* text, size_t size) noexcept nogil:
    """Tell whether any escape of Rust's older mangling stands in a name."""
    cdef uint64_t unused = 0
    cdef size_t i
    if memchr(text, c"$", size) is NULL:
        return False
    for i in range(size):
        if read_escape(text + i, size - i, &unused):
            return True
    return False


cdef size_t undo_escapes(const unsigned char* text, size_t size, unsigned char* out) noexcept nogil:
    """Write a half-mangled Rust path as its source spells it; never longer. Returns the length written."""
    cdef size_t i = 0
    cdef size_t used = 0
    cdef size_t length
    cdef uint64_t value = 0
    while i < size:
        # A path element that would begin with an escape has an underscore before it.
        if text[i] == c"_" and (i == 0 or text[i - 1] == c":") and read_escape(text + i + 1, size - i - 1, &value):
            i += 1
        length = read_escape(text + i, size - i, &value)
        if length:
            used += put_utf8(out + used, value)
            i += length
        elif begins_with(text + i, size - i, b".."):
            memcpy(out + used, b"::", 2)
            used += 2
            i += 2
        else:
            out[used] = text[i]
            used += 1
            i += 1
    return used


cdef size_t put_utf8(unsigned char* out, uint64_t value) noexcept nogil:
    """Encode one code point; returns its length."""
    if value < 0x80:
        out[0] = <unsigned char> value
        return 1
    if value < 0x800:
        out[0] = <unsigned char> (0xC0 | value >> 6)
        out[1] = <unsigned char> (0x80 | value & 0x3F)
        return 2
    if value < 0x10000:
        out[0] = <unsigned char> (0xE0 | value >> 12)
        out[1] = <unsigned char> (0x80 | value >> 6 & 0x3F)
        out[2] = <unsigned char> (0x80 | value & 0x3F)
        return 3
    out[0] = <unsigned char> (0xF0 | value >> 18)
    out[1] = <unsigned char> (0x80 | value >> 12 & 0x3F)
    out[2] = <unsigned char> (0x80 | value >> 6 & 0x3F)
    out[3] = <unsigned char> (0x80 | value & 0x3F)
    return 4


cdef size_t undo_known_escapes(const unsigned char* text, size_t size, unsigned char* out) noexcept nogil:
    """Write a Rust name as inferno does: without its hash; it knows a dozen escapes and stops for good at any other."""
    cdef size_t i = 0
    cdef size_t used = 0
    cdef size_t length
    cdef uint64_t value = 0
    size -= HASH_DIGITS + 1
    if ends_with(text, size, b"::"):
        size -= 2
    if begins_with(text, size, b"_$"):
        i = 1
    while i < size:
        if begins_with(text + i, size - i, b".."):
            memcpy(out + used, b"::", 2)
            used += 2
            i += 2
            continue
        if text[i] == c"$":
            length = read_escape(text + i, size - i, &value)
            if length == 0 or (
                text[i + 1] == c"u" and (length != 5 or memchr(b" !\"'+;=[]{}~", <int> value, 12) is NULL)
            ):
                memcpy(out + used, text + i, size - i)
                return used + size - i
            out[used] = <unsigned char> value
            i += length
        else:
            out[used] = text[i]
            i += 1
        used += 1
    return used
