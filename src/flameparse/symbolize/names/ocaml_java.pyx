"""Mangled names of OCaml and of Java methods as text."""

from libc.stdint cimport uint64_t
from libc.string cimport memcmp

from flameparse.symbolize.names.name_text cimport NameText, put, put_word
from flameparse.symbolize.names.symbol_bytes cimport hex_digit

cdef enum Place:
    IN_PREFIX
    IN_CLASS
    IN_METHOD
    IN_TYPES
    IN_CLASS_TYPE


cdef bint print_ocaml(const unsigned char* name, uint64_t length, NameText* out) noexcept nogil:
    """Write a name of OCaml: `.` between modules, and the signs of operators.

    Layout: `caml`, a module, `__` before each further part, a byte that is no letter as `$` and two hex digits, `_` and
    a number that tells equal names apart, which stays.
    Source: asmcomp/asmlink.ml and asmcomp/compilenv.ml of OCaml 4.

    Args:
        name: the mangled name.
        length: its length in bytes.
        out: an empty text; what is in it after a failure means nothing.

    Returns:
        False where it is not such a name.
    """
    cdef uint64_t i = 4
    cdef unsigned char byte
    cdef int high, low
    if length < 5 or memcmp(name, <const char*> b"caml", 4) or not c"A" <= name[4] <= c"Z":
        return False
    while i < length:
        byte = name[i]
        if byte == c"_" and i + 1 < length and name[i + 1] == c"_":
            byte = c"."
            i += 1
        elif byte == c"$" and i + 2 < length:
            high = hex_digit(name[i + 1] | 0x20)
            low = hex_digit(name[i + 2] | 0x20)
            if high >= 0 and low >= 0:
                byte = <unsigned char> (high << 4 | low)
                i += 2
        put(out, &byte, 1)
        i += 1
    return not out.failed


cdef bint print_java(const unsigned char* name, uint64_t length, NameText* out) noexcept nogil:
    """Write a method with the types of its parameters.

    Layout: `Ljava/lang/String;indexOf(I[B)I`, which becomes `java.lang.String.indexOf(int, byte[])`.
    Source: The Java Virtual Machine Specification, 4.3, "Descriptors"; perf's JVM agent puts such names into ELF files.

    Args:
        name: the name.
        length: its length in bytes.
        out: an empty text; what is in it after a failure means nothing.

    Returns:
        False where it is not such a name.
    """
    cdef uint64_t end = length
    cdef uint64_t i = 0
    cdef Place place = IN_PREFIX
    cdef unsigned char byte
    cdef const char* basic
    cdef uint64_t dimensions = 0
    cdef uint64_t count = 0
    while end and name[end - 1] != c")":
        end -= 1
    if end == 0:
        return False
    while i < end:
        byte = name[i]
        i += 1
        basic = basic_type(byte) if place == IN_TYPES else NULL
        if basic is not NULL or (byte == c"L" and (place == IN_PREFIX or place == IN_TYPES)):
            if place == IN_TYPES and count and byte != c"V":
                put_word(out, b", ")
            count += place == IN_TYPES and byte != c"V"
            if basic is not NULL:
                put_word(out, basic)
                put_brackets(out, &dimensions)
            else:
                place = IN_CLASS if place == IN_PREFIX else IN_CLASS_TYPE
        elif byte == c"[":
            if place != IN_TYPES:
                return False
            dimensions += 1
        elif byte == c"(":
            if place != IN_METHOD:
                return False
            put_word(out, b"(")
            place = IN_TYPES
        elif byte == c")":
            if place != IN_TYPES:
                return False
            put_word(out, b")")
        elif byte == c"/":
            if place != IN_CLASS and place != IN_CLASS_TYPE:
                return False
            put_word(out, b".")
        elif byte == c";":
            if place == IN_CLASS:
                if c"a" <= name[i] | 0x20 <= c"z":
                    put_word(out, b".")
                place = IN_METHOD
            elif place == IN_CLASS_TYPE:
                put_brackets(out, &dimensions)
                place = IN_TYPES
            else:
                return False
        else:
            put(out, &byte, 1)
    return not out.failed


cdef void put_brackets(NameText* out, uint64_t* dimensions) noexcept nogil:
    """Write the brackets of an array type."""
    while dimensions[0] and not out.failed:
        put_word(out, b"[]")
        dimensions[0] -= 1


cdef const char* basic_type(unsigned char byte) noexcept nogil:
    """The type that a letter stands for, or NULL."""
    if byte == c"B":
        return b"byte"
    if byte == c"C":
        return b"char"
    if byte == c"D":
        return b"double"
    if byte == c"F":
        return b"float"
    if byte == c"I":
        return b"int"
    if byte == c"J":
        return b"long"
    if byte == c"S":
        return b"short"
    if byte == c"Z":
        return b"boolean"
    return <const char*> b"void" if byte == c"V" else NULL
