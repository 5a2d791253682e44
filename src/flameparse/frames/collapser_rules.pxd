cdef size_t stackcollapse_arguments(const unsigned char* name, size_t size) noexcept nogil
cdef size_t drop_quotes(unsigned char* name, size_t size) noexcept nogil
cdef size_t inferno_arguments(const unsigned char* name, size_t size) noexcept nogil
cdef size_t dtrace_arguments(const unsigned char* name, size_t size) noexcept nogil
cdef size_t without_trailing_space(const unsigned char* name, size_t size) noexcept nogil
cdef bint is_stackcollapse_kernel(const unsigned char* module, size_t size) noexcept nogil
cdef bint is_stackcollapse_jit(const unsigned char* module, size_t size) noexcept nogil
cdef bint is_inferno_kernel(const unsigned char* module, size_t size) noexcept nogil
cdef bint is_inferno_jit(const unsigned char* module, size_t size) noexcept nogil
