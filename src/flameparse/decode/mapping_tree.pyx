"""Trees of disjoint mappings that share what they have in common.

A changed tree shares all but one or two paths with the tree it was made from, which stays as it was (Driscoll and
others, Making data structures persistent, 1989). Every path is short whatever the order of changes, since a tree is
also a heap by priorities that are drawn at random (Seidel and Aragon, Randomized search trees, 1996).
"""

from libc.stdint cimport UINT32_MAX, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memset

from flameparse.model.frame_table cimport NONE_ID
from flameparse.model.growth cimport reserve
from flameparse.scan.byte_hash cimport mix

from os import urandom


cdef class MappingTrees:
    """Mappings and the nodes of all trees of them; a tree is known by its root, 0 is the empty one."""

    def __cinit__(self):
        self.seed = int.from_bytes(urandom(8), "little")
        reserve(<void**>&self.nodes, &self.node_capacity, 1, sizeof(Node))
        memset(self.nodes, 0, sizeof(Node))
        self.node_count = 1

    def __dealloc__(self):
        free(self.mappings)
        free(self.nodes)

    cdef int64_t put(self, uint32_t root, Mapping mapping) except -1:
        """Make a tree with a mapping, cut out of all it overlaps.

        Args:
            root: the tree to change; it stays as it is.
            mapping: of at least one byte.

        Returns:
            The new root; the same where the tree says already what the mapping says.

        Raises:
            MemoryError: no room.
            OverflowError: 2**32 - 1 mappings, or nodes.
        """
        cdef uint32_t low = 0
        cdef uint32_t high = 0
        cdef uint32_t found = self.find(root, mapping.start)
        cdef Mapping* old
        if found != NONE_ID:
            old = &self.mappings[found]
            if (
                old.end >= mapping.end and old.bias == mapping.bias
                and old.dso == mapping.dso and old.name == mapping.name
            ):
                return root
        self.cut_out(root, mapping.start, mapping.end, &low, &high)
        return self.merge(<uint32_t>self.merge(low, <uint32_t>self.plant(mapping)), high)

    cdef int64_t clear(self, uint32_t root, uint64_t start, uint64_t end) except -1:
        """Make a tree with nothing between two addresses.

        Args:
            root: the tree to change; it stays as it is.
            start, end: the first address and the one past the last.

        Returns:
            The new root.

        Raises:
            MemoryError: no room.
            OverflowError: 2**32 - 1 mappings, or nodes.
        """
        cdef uint32_t low = 0
        cdef uint32_t high = 0
        self.cut_out(root, start, end, &low, &high)
        return self.merge(low, high)

    cdef uint32_t find(self, uint32_t root, uint64_t ip) noexcept nogil:
        """Find the mapping of a tree that covers an address; its place in ``mappings``, or NONE_ID."""
        cdef uint32_t found = NONE_ID
        cdef Node* node
        while root:
            node = &self.nodes[root]
            if ip < node.start:
                root = node.left
            else:
                found = node.mapping
                root = node.right
        return found if found != NONE_ID and ip < self.mappings[found].end else NONE_ID

    cdef int cut_out(self, uint32_t root, uint64_t start, uint64_t end, uint32_t* low, uint32_t* high) except -1:
        """Make the trees of what is below one address and of what is from another on; mappings across are cut."""
        cdef uint32_t covered = 0
        cdef uint32_t last
        cdef Mapping rest
        cdef Mapping cut
        self.fresh = self.node_count
        self.split(root, start, low, &covered)
        self.split(covered, end, &covered, high)
        rest.end = 0
        if covered:
            rest = self.mappings[self.nodes[last_of(self.nodes, covered)].mapping]
        if low[0]:
            last = last_of(self.nodes, low[0])
            cut = self.mappings[self.nodes[last].mapping]
            if cut.end > start:
                if cut.end > end:
                    rest = cut
                cut.end = start
                self.nodes[last].mapping = <uint32_t>self.add_mapping(cut)
        if rest.end > end:
            rest.start = end
            high[0] = <uint32_t>self.merge(<uint32_t>self.plant(rest), high[0])
        return 0

    cdef int split(self, uint32_t root, uint64_t start, uint32_t* low, uint32_t* high) except -1:
        """Make the trees of the mappings that start before an address and of the others.

        All nodes on the way to the last of ``low`` are fresh afterwards. It goes as deep as the tree, which the random
        priorities keep to a few times log2(n).
        """
        cdef uint32_t child = 0
        if root == 0:
            low[0] = high[0] = 0
            return 0
        root = <uint32_t>self.own(root)
        if self.nodes[root].start < start:
            self.split(self.nodes[root].right, start, &child, high)
            self.nodes[root].right = child
            low[0] = root
        else:
            self.split(self.nodes[root].left, start, low, &child)
            self.nodes[root].left = child
            high[0] = root
        return 0

    cdef int64_t merge(self, uint32_t low, uint32_t high) except -1:
        """Make one tree of two, all of one before all of the other; its root."""
        cdef int64_t child
        if low == 0:
            return high
        if high == 0:
            return low
        if self.nodes[low].priority >= self.nodes[high].priority:
            low = <uint32_t>self.own(low)
            child = self.merge(self.nodes[low].right, high)
            self.nodes[low].right = <uint32_t>child
            return low
        high = <uint32_t>self.own(high)
        child = self.merge(low, self.nodes[high].left)
        self.nodes[high].left = <uint32_t>child
        return high

    cdef int64_t own(self, uint32_t node) except -1:
        """Make a copy of a node that may be changed; itself where it is fresh."""
        if node >= self.fresh:
            return node
        return self.add_node(self.nodes[node])

    cdef int64_t plant(self, Mapping mapping) except -1:
        """Make a tree of one mapping; its root."""
        cdef Node node
        node.start = mapping.start
        node.left = node.right = 0
        node.mapping = <uint32_t>self.add_mapping(mapping)
        # From the address and a secret: no order of events makes a tree deep.
        node.priority = <uint32_t>(mix(mapping.start ^ self.seed, 0x9E3779B97F4A7C15u) >> 32)
        return self.add_node(node)

    cdef int64_t add_node(self, Node node) except -1:
        """Add a node; its place."""
        if self.node_count == UINT32_MAX - 1:
            raise OverflowError("more than 2**32 - 2 nodes of mappings")
        reserve(<void**>&self.nodes, &self.node_capacity, <uint64_t>self.node_count + 1, sizeof(Node))
        self.nodes[self.node_count] = node
        self.node_count += 1
        return self.node_count - 1

    cdef int64_t add_mapping(self, Mapping mapping) except -1:
        """Add a mapping; its place."""
        if self.mapping_count == UINT32_MAX - 1:
            raise OverflowError("more than 2**32 - 2 mappings")
        reserve(<void**>&self.mappings, &self.mapping_capacity, <uint64_t>self.mapping_count + 1, sizeof(Mapping))
        self.mappings[self.mapping_count] = mapping
        self.mapping_count += 1
        return self.mapping_count - 1

    @property
    def memory_bytes(self):
        """Bytes the tables hold allocated."""
        return self.mapping_capacity * sizeof(Mapping) + self.node_capacity * sizeof(Node)


cdef inline uint32_t last_of(const Node* nodes, uint32_t root) noexcept nogil:
    """The node of the highest mapping of a tree that is not empty."""
    while nodes[root].right:
        root = nodes[root].right
    return root
