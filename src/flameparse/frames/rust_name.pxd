cdef size_t rust_hash(const unsigned char* text, size_t size, size_t* tail) noexcept nogil
cdef bint has_escape(const unsigned char* text, size_t size) noexcept nogil
cdef size_t undo_escapes(const unsigned char* text, size_t size, unsigned char* out) noexcept nogil
cdef bint has_any_hash(const unsigned char* text, size_t size) noexcept nogil
cdef size_t undo_known_escapes(const unsigned char* text, size_t size, unsigned char* out) noexcept nogil
