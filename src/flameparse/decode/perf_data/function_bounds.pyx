"""Where the functions of each DSO begin and end, so that addresses of one function can be one frame.

What a function is called does not matter while samples are decoded. Where its bounds are known by then, one address
stands for all that are in it, and one for all between two functions, which have no name: there are far fewer frames,
stacks and totals, and the same names come out.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memset

from flameparse.model.growth cimport reserve


cdef class FunctionBounds:
    """Bounds by DSO; a DSO whose bounds were not given keeps its addresses as they are."""

    def __cinit__(self):
        self.buffers = {}

    def __dealloc__(self):
        free(self.rows)

    def set(self, uint32_t dso, const uint64_t[::1] pairs not None):
        """Give the functions of a DSO.

        Args:
            dso: row of the DsoTable.
            pairs: start, end, start, end ...: rising, no two functions overlap. Kept, not copied.

        Raises:
            ValueError: an odd number of them, or bounds that do not rise.
        """
        cdef Py_ssize_t i
        if pairs.shape[0] % 2:
            raise ValueError("a start without an end")
        for i in range(1, pairs.shape[0]):
            if pairs[i] < pairs[i - 1]:
                raise ValueError("bounds that do not rise")
        reserve(<void**>&self.rows, &self.capacity, <uint64_t>dso + 1, sizeof(Bounds))
        if self.count <= dso:
            memset(&self.rows[self.count], 0, (dso + 1 - self.count) * sizeof(Bounds))
            self.count = dso + 1
        self.buffers[dso] = pairs
        self.rows[dso].pairs = &pairs[0] if pairs.shape[0] else NULL
        self.rows[dso].count = pairs.shape[0] // 2
        self.rows[dso].is_known = True

    cdef uint64_t representative(self, uint32_t dso, uint64_t address) noexcept nogil:
        """The address that stands for all which have the same name as an address of a DSO.

        It is the function's start, or between two functions the first address there. A function without a size is
        one address.
        """
        cdef uint64_t low = 0
        cdef uint64_t high, middle
        cdef const uint64_t* pairs
        if dso >= self.count or not self.rows[dso].is_known:
            return address
        pairs = self.rows[dso].pairs
        high = self.rows[dso].count
        while low < high:
            middle = (low + high) >> 1
            if pairs[2 * middle] <= address:
                low = middle + 1
            else:
                high = middle
        if not low:
            return 0
        pairs += 2 * (low - 1)
        if address < pairs[1] or address == pairs[0]:
            return pairs[0]
        return pairs[1] + (pairs[0] == pairs[1])
