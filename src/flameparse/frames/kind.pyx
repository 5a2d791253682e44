"""The kind of a frame (user, kernel, JIT, inlined) from the module that perf printed behind it."""

from libc.stdint cimport uint64_t

from flameparse.frames.symbol_text cimport begins_with, contains, ends_with, is_unknown
from flameparse.model.frame_table cimport KIND_INLINED, KIND_JIT, KIND_KERNEL, KIND_USER

# Nothing of user space lies this high on x86-64 and arm64, and stack garbage rarely does.
cdef uint64_t KERNEL_ADDRESS = 0xFFFF000000000000
# The kernel's half on every 64-bit machine; enough to tell a bracketed module of the kernel from a user mapping.
cdef uint64_t UPPER_HALF = 0x8000000000000000


cdef size_t module_size(const unsigned char* module, size_t size) noexcept nogil:
    """Measure a module's path without the " (deleted)" the kernel appends to unlinked files.

    Args:
        module: the path as printed.
        size: its length in bytes.

    Returns:
        The length of what stands before the mark.
    """
    return size - 10 if ends_with(module, size, b" (deleted)") else size


cdef size_t basename_offset(const unsigned char* module, size_t size) noexcept nogil:
    """Find where the last path component begins: just past the last slash.

    Args:
        module: the path.
        size: its length in bytes.

    Returns:
        The offset; 0 without a slash, `size` when the path ends with one.
    """
    cdef size_t i = size
    while i > 0 and module[i - 1] != c"/":
        i -= 1
    return i


cdef int frame_kind(const unsigned char* module, size_t module_len, bint has_module, uint64_t address) noexcept nogil:
    """Decide where a frame's code lives, so it can be coloured and annotated.

    Layout, by the module's text::

        [kernel.kallsyms] [guest.kernel.kallsyms] /boot/vmlinux-6.1.0 /proc/kcore    kernel
        /lib/modules/6.1.0/kernel/fs/ext4/ext4.ko.xz [ext4] bpf_prog_6deef7357e7b4530  kernel
        /tmp/perf-1234.map jitted-1234-7.so [JIT] tid 1234 [anon:dalvik-jit-code-cache]  jit
        inlined                                                                      inlined
        /usr/lib/libc.so.6 [vdso] [heap] [anon:stack] //anon                         user

    Args:
        module: the module as printed, without its parentheses.
        module_len: its length in bytes.
        has_module: False where the input named no module.
        address: the program counter as printed; 0 when not known.

    Returns:
        A `FrameKind`.
    """
    cdef size_t size = module_size(module, module_len) if has_module else 0
    cdef const unsigned char* base
    if size == 0 or is_unknown(module, size):
        return KIND_KERNEL if address >= KERNEL_ADDRESS else KIND_USER
    if module[0] == c"[":
        return bracketed_kind(module, size, address)
    if size == 7 and begins_with(module, size, b"inlined"):
        return KIND_INLINED
    base = module + basename_offset(module, size)
    size -= base - module
    if is_jit_file(base, size):
        return KIND_JIT
    if is_kernel_file(base, size):
        return KIND_KERNEL
    return KIND_USER


cdef int bracketed_kind(const unsigned char* module, size_t size, uint64_t address) noexcept nogil:
    """Tell kernel parts from the kernel's names for user mappings: both are printed in brackets."""
    cdef size_t i
    if begins_with(module, size, b"[kernel") or begins_with(module, size, b"[guest.kernel"):
        return KIND_KERNEL
    if begins_with(module, size, b"[JIT"):
        return KIND_JIT
    if begins_with(module, size, b"[anon"):
        return KIND_JIT if contains(module, size, b"jit") else KIND_USER
    if is_user_mapping(module, size):
        return KIND_USER
    for i in range(1, size - 1):
        if not (is_alnum(module[i]) or module[i] == c"_" or module[i] == c"-"):
            return KIND_USER
    if size < 3 or module[size - 1] != c"]" or 0 < address < UPPER_HALF:
        return KIND_USER
    return KIND_KERNEL


cdef bint is_user_mapping(const unsigned char* module, size_t size) noexcept nogil:
    """Recognise the kernel's names for memory of a process, /proc/PID/maps: [vdso], [stack:12] and their like."""
    return (
        begins_with(module, size, b"[vdso") or begins_with(module, size, b"[vsyscall]")
        or begins_with(module, size, b"[vvar") or begins_with(module, size, b"[heap]")
        or begins_with(module, size, b"[stack") or begins_with(module, size, b"[uprobes]")
        or begins_with(module, size, b"[vectors]") or begins_with(module, size, b"[sigpage]")
    )


cdef bint is_kernel_file(const unsigned char* base, size_t size) noexcept nogil:
    """Recognise the kernel's image, its symbol lists, its modules packed or not, and BPF programs."""
    if begins_with(base, size, b"vmlinux") and (size == 7 or base[7] == c"-" or base[7] == c"."):
        return True
    if (size == 8 and begins_with(base, size, b"kallsyms")) or (size == 5 and begins_with(base, size, b"kcore")):
        return True
    if begins_with(base, size, b"bpf_prog_") or begins_with(base, size, b"bpf_trampoline_"):
        return True
    return (
        ends_with(base, size, b".ko") or ends_with(base, size, b".ko.xz") or ends_with(base, size, b".ko.gz")
        or ends_with(base, size, b".ko.zst") or ends_with(base, size, b".ko.debug")
    )


cdef bint is_jit_file(const unsigned char* base, size_t size) noexcept nogil:
    """Recognise perf-PID.map, the jitted-PID-N.so images of `perf inject --jit` and the JVM's code caches."""
    cdef size_t i
    if begins_with(base, size, b"perf-") and ends_with(base, size, b".map"):
        i = skip_digits(base, 5, size)
        return i > 5 and i == size - 4
    if begins_with(base, size, b"jitted-") and ends_with(base, size, b".so"):
        i = skip_digits(base, 7, size)
        return i > 7 and base[i] == c"-" and skip_digits(base, i + 1, size) == size - 3 and i + 1 < size - 3
    return begins_with(base, size, b"memfd:jit-") or begins_with(base, size, b"dalvik-jit-")


cdef size_t skip_digits(const unsigned char* text, size_t i, size_t size) noexcept nogil:
    """Step over decimal digits."""
    while i < size and c"0" <= text[i] <= c"9":
        i += 1
    return i


cdef bint is_alnum(unsigned char byte) noexcept nogil:
    """Tell ASCII letters and digits."""
    return c"0" <= byte <= c"9" or c"a" <= byte | 0x20 <= c"z"


def kind_of_module(module: bytes | None, address: int = 0) -> int:
    """Name the kind of a frame by its module; `frame_kind` for Python.

    Args:
        module: the module as printed, or None.
        address: the program counter; 0 when not known.

    Returns:
        0 user, 1 kernel, 2 JIT, 3 inlined.
    """
    cdef bytes text = b"" if module is None else module
    return frame_kind(<const unsigned char*> text, len(text), module is not None, <uint64_t> address)
