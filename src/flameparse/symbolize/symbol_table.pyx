"""Names of address ranges: one type for ELF files, kallsyms and perf maps.

A reader appends rows in the order of its source, then calls ``close_gaps`` and ``drop_aliases`` (where its source needs
them, and again after each further source), at last ``flatten``: overlapping symbols become disjoint intervals, so that
a look-up is one binary search. All but the Python methods works without the GIL, so tables fill on several threads.
"""

cimport cython
from libc.stdint cimport UINT32_MAX, UINT64_MAX, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memchr, memcmp, memcpy, memset

from flameparse.model.growth cimport reserve
from flameparse.symbolize.lookup_tree cimport LookupTree
from flameparse.symbolize.names.demangle cimport Demangler

cdef enum:
    PAGE_BYTES = 4096
    # Twice the height of a red-black tree of 2**32 nodes at most.
    MAX_DEPTH = 66
    # Digits of the radix sort.
    DIGIT_BITS = 11
    DIGIT_VALUES = 1 << DIGIT_BITS
    DIGIT_COUNT = 6

# Which neighbours a symbol without size does not reach to: none, those across the border between the kernel and its
# modules, those of another module.
cdef enum ModuleGaps:
    GAPS_CLOSED = 0
    GAPS_AT_KERNEL = 1
    GAPS_AT_MODULES = 2


@cython.final
cdef class SymbolTable:
    """Symbols by address.

    Args of ``append`` and ``add``:
        start: first address.
        end: past the last one; ``start`` where the source gives no size.
        name: its bytes, copied.
        binding: a ``SymbolBinding``: 0 local, 1 global, 2 weak.
    """

    def __cinit__(self):
        reserve(<void**>&self.names, &self.names_capacity, 1, 1)

    def __dealloc__(self):
        free(self.rows)
        free(self.names)
        free(self.order)
        free(self.drops)
        free(self.intervals)

    def __len__(self):
        return self.count

    cdef int append(
        self, uint64_t start, uint64_t end, const unsigned char* name, uint64_t length, uint8_t binding
    ) except -1 nogil:
        """Add a row with a name of its own.

        Raises:
            MemoryError: no room.
            OverflowError: 2**32 - 2 rows, or a name of 4 GiB.
        """
        cdef uint64_t place = self.names_used
        self.append_named(start, end, place, length, binding)
        self.add_names(name, length)
        return 0

    cdef int append_named(
        self, uint64_t start, uint64_t end, uint64_t name, uint64_t length, uint8_t binding
    ) except -1 nogil:
        """Add a row whose name stands, or will stand, in the table's names.

        Args:
            name: its place there; the rest as of ``append``.

        Raises:
            MemoryError: no room.
            OverflowError: 2**32 - 2 rows, or a name of 4 GiB.
        """
        cdef Symbol* row
        if self.count >= UINT32_MAX - 1 or length > UINT32_MAX:
            with gil:
                raise OverflowError("more than 2**32 - 2 symbols, or a name of 4 GiB")
        reserve(<void**>&self.rows, &self.capacity, self.count + 1, sizeof(Symbol))
        row = self.rows + self.count
        row.start = start
        row.end = max(start, end)
        row.name = name
        row.name_length = <uint32_t>length
        row.binding = binding
        row.is_bare = end <= start
        row.is_contested = False
        self.count += 1
        return 0

    cdef int64_t add_names(self, const unsigned char* text, uint64_t length) except -1 nogil:
        """Take over a whole string table.

        Returns:
            Its place in the names.

        Raises:
            MemoryError: no room.
        """
        cdef uint64_t place = self.names_used
        reserve(<void**>&self.names, &self.names_capacity, place + length, 1)
        if length:
            memcpy(self.names + place, text, length)
        self.names_used = place + length
        return <int64_t>place

    def add(self, uint64_t start, uint64_t end, const unsigned char[::1] name not None, uint8_t binding=BIND_GLOBAL):
        """Add a row from Python; its number."""
        self.append(start, end, &name[0] if name.shape[0] else self.names, name.shape[0], binding)
        return self.count - 1

    def make_room(self, uint64_t rows, uint64_t name_bytes):
        """Allocate once what would otherwise be doubled, and copied, time and again.

        Args:
            rows, name_bytes: that will be there in the end.

        Raises:
            MemoryError: no room.
        """
        reserve(<void**>&self.rows, &self.capacity, rows, sizeof(Symbol))
        reserve(<void**>&self.names, &self.names_capacity, name_bytes, 1)

    def close_gaps(self, *, const unsigned char[::1] limits=None, modules=None):
        """Let symbols without size reach to the next symbol, the last one past the end of its page.

        A source such as an assembler file gives many symbols no size. The last one ends 4096 bytes after the end of its
        page (of its start, where that is the first byte of one).

        Args:
            limits: None, or sorted u64 addresses no such symbol passes: ends of sections.
            modules: None, or how kallsyms behaves, where a name may end in ``[module]``: at the border between the
                kernel and its modules (``"perf-6.1"``), or of any two of these (``"precise"``), a symbol ends after
                one to two pages instead.

        Raises:
            MemoryError: no room.
        """
        cdef int gaps = GAPS_CLOSED
        cdef uint64_t limit_count = 0 if limits is None else limits.shape[0] // 8
        cdef uint64_t* copy = <uint64_t*>malloc(limit_count * 8 + 8)
        if modules is not None:
            gaps = GAPS_AT_KERNEL if modules == "perf-6.1" else GAPS_AT_MODULES
        if copy is NULL:
            raise MemoryError
        if limit_count:
            memcpy(copy, &limits[0], limit_count * 8)
        try:
            with nogil:
                self.sort_rows()
                self.fill_gaps(copy, limit_count, gaps)
        finally:
            free(copy)

    def drop_aliases(self, Demangler demangler=None):
        """Keep the best of the symbols that start at one address, as perf chooses it.

        The tests, of which the first that tells two symbols apart decides: a size; not weak; global; fewer leading
        underscores; the longer name; not a ``SyS`` name; the one that came first. Names are compared as they are
        printed, so equal starts are what needs a demangler before any address is looked up.

        Args:
            demangler: for names that may be mangled.

        Raises:
            MemoryError: no room.
        """
        with nogil:
            self.sort_rows()
            self.choose_aliases(demangler)

    def flatten(self, str rule not None):
        """Make the table ready for look-ups.

        Args:
            rule: which symbol an address in several ones belongs to. ``"precise"``: the one that starts last and has
                not ended yet, but none without a size of its own inside one that has; ``"perf-6.1"``: the one perf
                meets first when it descends its tree; ``"latest"``: rows are in order of time and a later one removes
                those it overlaps.

        Raises:
            MemoryError: no room.
            ValueError: another rule.
        """
        cdef bint is_latest = rule == "latest"
        cdef LookupTree tree
        self.interval_count = 0
        if rule == "precise":
            with nogil:
                self.sort_rows()
                self.flatten_nested()
        elif is_latest or rule == "perf-6.1":
            tree = LookupTree(self.count)
            with nogil:
                if is_latest:
                    self.flatten_latest(tree)
                    self.mark_contested()
                else:
                    self.flatten_tree(tree)
        else:
            raise ValueError(rule)

    cdef int sort_rows(self) except -1 nogil:
        """Bring `order` up to date; stable, in linear time.

        Raises:
            MemoryError: no room.
        """
        cdef uint64_t n = self.order_count + self.count - self.settled
        cdef uint64_t i
        cdef Key* keys
        cdef Key* by_start
        if self.settled == self.count:
            return 0
        reserve(<void**>&self.order, &self.order_capacity, n, sizeof(uint32_t))
        for i in range(self.settled, self.count):
            self.order[self.order_count] = <uint32_t>i
            self.order_count += 1
        self.settled = self.count
        keys = <Key*>malloc(2 * n * sizeof(Key))
        if keys is NULL:
            with gil:
                raise MemoryError
        for i in range(n):
            keys[i].row = self.order[i]
        by_start = self.sort_by_start(keys, n)
        for i in range(n):
            self.order[i] = by_start[i].row
        free(keys)
        return 0

    cdef Key* sort_by_start(self, Key* keys, uint64_t n) noexcept nogil:
        """Sort rows by start, stable, digit by digit.

        Args:
            keys: whose rows are set; there is room for twice as many.
            n: how many.

        Returns:
            Where the result is, in one half of the room or the other.
        """
        cdef uint64_t counts[DIGIT_VALUES]
        cdef Key* spare = keys + n
        cdef Key* swapped
        cdef uint64_t set_bits = 0
        cdef uint64_t common_bits = UINT64_MAX
        cdef uint64_t i, place, count
        cdef uint32_t digit, shift
        for i in range(n):
            keys[i].start = self.rows[keys[i].row].start
            set_bits |= keys[i].start
            common_bits &= keys[i].start
        for digit in range(DIGIT_COUNT):
            shift = digit * DIGIT_BITS
            if not ((set_bits & ~common_bits) >> shift) & (DIGIT_VALUES - 1):
                continue
            memset(counts, 0, sizeof(counts))
            for i in range(n):
                counts[(keys[i].start >> shift) & (DIGIT_VALUES - 1)] += 1
            place = 0
            for i in range(DIGIT_VALUES):
                count = counts[i]
                counts[i] = place
                place += count
            for i in range(n):
                place = (keys[i].start >> shift) & (DIGIT_VALUES - 1)
                spare[counts[place]] = keys[i]
                counts[place] += 1
            swapped = keys
            keys = spare
            spare = swapped
        return keys

    cdef int fill_gaps(self, const uint64_t* limits, uint64_t limit_count, int modules) except -1 nogil:
        """The work of ``close_gaps``, rows in order.

        Source: symbols__fixup_end, tools/perf/util/symbol.c of Linux 6.1.
        """
        cdef uint64_t i, page_end
        cdef uint64_t limit = 0
        cdef Symbol* symbol
        cdef Symbol* following
        for i in range(self.order_count):
            symbol = self.rows + self.order[i]
            if symbol.end != symbol.start:
                continue
            page_end = rounded_up(symbol.start)
            if i + 1 == self.order_count:
                symbol.end = page_end + min(<uint64_t>PAGE_BYTES, UINT64_MAX - page_end)
            else:
                following = self.rows + self.order[i + 1]
                symbol.end = following.start
                if modules and self.is_module_border(symbol, following, modules):
                    symbol.end = rounded_up(symbol.start + min(<uint64_t>PAGE_BYTES, UINT64_MAX - symbol.start))
            while limit < limit_count and limits[limit] <= symbol.start:
                limit += 1
            if limit < limit_count:
                symbol.end = min(symbol.end, limits[limit])
        return 0

    cdef bint is_module_border(self, const Symbol* symbol, const Symbol* following, int modules) noexcept nogil:
        """Whether the gap between two kernel symbols is not the first one's."""
        cdef uint64_t length = 0
        cdef uint64_t next_length = 0
        cdef const unsigned char* module = module_of(self.names + symbol.name, symbol.name_length, &length)
        cdef const unsigned char* next_module = module_of(
            self.names + following.name, following.name_length, &next_length
        )
        if module is NULL or next_module is NULL:
            return module is not next_module
        if modules == GAPS_AT_KERNEL:
            return False
        return length != next_length or memcmp(module, next_module, length) != 0

    cdef int choose_aliases(self, Demangler demangler) except -1 nogil:
        """The work of ``drop_aliases``, rows in order.

        Source: symbols__fixup_duplicate, choose_best_symbol, tools/perf/util/symbol.c of Linux 6.1.
        """
        cdef uint64_t i
        cdef uint64_t kept = 0
        cdef uint32_t row
        # Names may share their bytes, so that many long ones can stand in a small file: past this, only their lengths
        # in the file are compared.
        cdef uint64_t budget = 16 * self.names_used + (1 << 20)
        for i in range(self.order_count):
            row = self.order[i]
            if kept and self.rows[self.order[kept - 1]].start == self.rows[row].start:
                if self.prefers_second(self.rows + self.order[kept - 1], self.rows + row, demangler, &budget):
                    self.drop(self.order[kept - 1])
                    self.order[kept - 1] = row
                else:
                    self.drop(row)
                continue
            self.order[kept] = row
            kept += 1
        self.order_count = kept
        return 0

    cdef int prefers_second(
        self, const Symbol* first, const Symbol* second, Demangler demangler, uint64_t* budget
    ) except -1 nogil:
        """Whether the second of two symbols with one start is the better name."""
        cdef Spelling spelling
        cdef Spelling other
        if (first.end == first.start) != (second.end == second.start):
            return first.end == first.start
        if (first.binding == BIND_WEAK) != (second.binding == BIND_WEAK):
            return first.binding == BIND_WEAK
        if (first.binding == BIND_GLOBAL) != (second.binding == BIND_GLOBAL):
            return second.binding == BIND_GLOBAL
        if <uint64_t>first.name_length + second.name_length > budget[0]:
            return first.name_length < second.name_length
        budget[0] -= <uint64_t>first.name_length + second.name_length
        if is_spelled_alike(self.names + first.name, first.name_length, self.names + second.name, second.name_length):
            return is_system_call(self.names + first.name, first.name_length)
        self.spell(first, demangler, &spelling)
        self.spell(second, demangler, &other)
        if spelling.underscores != other.underscores:
            return spelling.underscores > other.underscores
        if spelling.length != other.length:
            return spelling.length < other.length
        return spelling.is_system_call

    cdef int spell(self, const Symbol* symbol, Demangler demangler, Spelling* spelling) except -1 nogil:
        """Measure a symbol's name as it is printed."""
        cdef const unsigned char* text = self.names + symbol.name
        spelling.length = symbol.name_length
        if demangler is not None:
            demangler.demangle(text, symbol.name_length)
            text = demangler.text
            spelling.length = demangler.length
        spelling.underscores = 0
        while spelling.underscores < spelling.length and text[spelling.underscores] == c"_":
            spelling.underscores += 1
        spelling.is_system_call = is_system_call(text, spelling.length)
        return 0

    cdef int drop(self, uint32_t row) except -1 nogil:
        """Note that a row is no longer there."""
        reserve(<void**>&self.drops, &self.drop_capacity, self.drop_count + 1, sizeof(Drop))
        self.drops[self.drop_count].row = row
        self.drops[self.drop_count].rows_then = <uint32_t>self.settled
        self.drop_count += 1
        return 0

    cdef int flatten_nested(self) except -1 nogil:
        """Cut symbols where a later one starts, and go on with them where that one ends.

        Raises:
            MemoryError: no room.
        """
        cdef uint64_t* stack = <uint64_t*>malloc((self.order_count + 1) * sizeof(uint64_t))
        cdef uint64_t depth = 0
        cdef uint64_t place = 0   # everything before it is settled
        cdef uint64_t i
        cdef Symbol* symbol
        cdef Symbol* outer
        if stack is NULL:
            with gil:
                raise MemoryError
        try:
            for i in range(self.order_count + 1):
                symbol = self.rows + self.order[i] if i < self.order_count else NULL
                while depth:
                    outer = self.rows + stack[depth - 1]
                    if symbol is not NULL and symbol_end(outer) > symbol.start:
                        break
                    self.emit(place, symbol_end(outer), <uint32_t>stack[depth - 1])
                    place = max(place, symbol_end(outer))
                    depth -= 1
                if symbol is NULL:
                    break
                if depth:
                    outer = self.rows + stack[depth - 1]
                    if symbol.is_bare and not outer.is_bare:
                        continue
                    self.emit(place, symbol.start, <uint32_t>stack[depth - 1])
                place = symbol.start
                stack[depth] = self.order[i]
                depth += 1
        finally:
            free(stack)
        return 0

    cdef int flatten_tree(self, LookupTree tree) except -1 nogil:
        """Do with the kernel's tree what perf did with it, then write down what each address finds in it.

        Where an address is before a node's symbol, perf goes left, after it right, and never comes back. So the
        addresses that reach a node are an interval, and so are those that reach either side of it.

        Raises:
            MemoryError: no room.
        """
        cdef uint32_t path[MAX_DEPTH]
        cdef uint64_t lows[MAX_DEPTH]
        cdef uint64_t highs[MAX_DEPTH]
        cdef uint64_t low = 0
        cdef uint64_t high = UINT64_MAX
        cdef int depth = 0
        cdef uint32_t at
        cdef Symbol* symbol
        self.replay(tree)
        at = tree.root
        while True:
            while at and low < high:
                path[depth] = at
                lows[depth] = low
                highs[depth] = high
                depth += 1
                high = min(high, tree.nodes[at].start)
                at = tree.nodes[at].children[0]
            if depth == 0:
                return 0
            depth -= 1
            at = path[depth]
            low = lows[depth]
            high = highs[depth]
            symbol = self.rows + (at - 1)
            self.emit(max(low, symbol.start), min(high, symbol_end(symbol)), at - 1)
            low = max(low, symbol_end(symbol))
            at = tree.nodes[at].children[1]

    cdef int replay(self, LookupTree tree) except -1 nogil:
        """Insert and erase rows in the order in which it happened.

        Where a row goes is known without descending the tree: all rows that are there after a batch of insertions are
        linked in order, then the batch is unlinked backwards. What a row is unlinked from is what it was inserted
        between.

        Raises:
            MemoryError: no room.
        """
        cdef uint64_t n = self.count
        cdef Key* keys = <Key*>malloc((2 * n + 1) * sizeof(Key))
        cdef uint32_t* before = <uint32_t*>malloc((n + 1) * sizeof(uint32_t))   # of each node
        cdef uint32_t* after = <uint32_t*>malloc((n + 1) * sizeof(uint32_t))
        cdef uint8_t* is_gone = <uint8_t*>calloc(n + 1, 1)                       # of each row
        cdef Key* by_start
        cdef uint64_t i
        cdef uint64_t drop = 0
        cdef uint64_t inserted = 0
        cdef uint64_t batch_end
        cdef uint32_t node, last
        try:
            if keys is NULL or before is NULL or after is NULL or is_gone is NULL:
                with gil:
                    raise MemoryError
            for i in range(n):
                keys[i].row = <uint32_t>i
            by_start = self.sort_by_start(keys, n)
            while inserted < n:
                batch_end = self.drops[drop].rows_then if drop < self.drop_count else n
                last = 0
                for i in range(n):
                    node = by_start[i].row + 1
                    if node <= batch_end and not is_gone[node - 1]:
                        before[node] = last
                        after[last] = node
                        last = node
                before[0] = last
                after[last] = 0
                for i in range(batch_end, inserted, -1):
                    after[before[i]] = after[i]
                    before[after[i]] = before[i]
                for i in range(inserted, batch_end):
                    tree.insert(<uint32_t>i, self.rows[i].start, before[i + 1], after[i + 1])
                inserted = batch_end
                while drop < self.drop_count and self.drops[drop].rows_then == inserted:
                    is_gone[self.drops[drop].row] = True
                    tree.erase(self.drops[drop].row)
                    drop += 1
        finally:
            free(keys)
            free(before)
            free(after)
            free(is_gone)
        return 0

    cdef int flatten_latest(self, LookupTree tree) except -1 nogil:
        """Insert row after row, each removing those it overlaps.

        Raises:
            MemoryError: no room.
        """
        cdef uint32_t row, at, following, touched
        cdef uint64_t end
        for row in range(<uint32_t>self.count):
            end = symbol_end(self.rows + row)
            at = tree.last_before(self.rows[row].start)
            following = tree.neighbour(at, 1)
            if at and symbol_end(self.rows + (at - 1)) > self.rows[row].start:
                touched = at
                at = tree.neighbour(at, 0)
                tree.erase(touched - 1)
            while following and tree.nodes[following].start < end:
                touched = following
                following = tree.neighbour(following, 1)
                tree.erase(touched - 1)
            tree.insert(row, self.rows[row].start, at, following)
        at = tree.neighbour(0, 1)
        while at:
            self.emit(self.rows[at - 1].start, symbol_end(self.rows + (at - 1)), at - 1)
            at = tree.neighbour(at, 1)
        return 0

    cdef int mark_contested(self) except -1 nogil:
        """Find the intervals that another name was given for, too.

        In order of start, two rows tell of all that begin before an interval ends: the one that reaches furthest, and
        the one that does so among those of other names. Weak rows are no other name.

        Raises:
            MemoryError: no room.
        """
        cdef Symbol* furthest = NULL
        cdef Symbol* other = NULL
        cdef Symbol* holder
        cdef Symbol* rival
        cdef Symbol* row
        cdef uint64_t i
        cdef uint64_t at = 0
        if self.interval_count == self.count:
            return 0
        self.sort_rows()
        for i in range(self.interval_count):
            while at < self.order_count and self.rows[self.order[at]].start < self.intervals[i].end:
                row = self.rows + self.order[at]
                at += 1
                if row.binding == BIND_WEAK:
                    continue
                if furthest is NULL or row.end > furthest.end:
                    if furthest is not NULL and not self.is_named_alike(row, furthest):
                        other = furthest
                    furthest = row
                elif (other is NULL or row.end > other.end) and not self.is_named_alike(row, furthest):
                    other = row
            holder = self.rows + self.intervals[i].row
            rival = other if furthest is not NULL and self.is_named_alike(holder, furthest) else furthest
            holder.is_contested = rival is not NULL and rival.end > self.intervals[i].start
        return 0

    cdef bint is_named_alike(self, const Symbol* first, const Symbol* second) noexcept nogil:
        """Whether two rows have one name."""
        return (
            first.name_length == second.name_length
            and memcmp(self.names + first.name, self.names + second.name, first.name_length) == 0
        )

    cdef int emit(self, uint64_t start, uint64_t end, uint32_t row) except -1 nogil:
        """Add an interval after those there are; an empty one is none."""
        if start >= end:
            return 0
        reserve(<void**>&self.intervals, &self.interval_capacity, self.interval_count + 1, sizeof(Interval))
        self.intervals[self.interval_count].start = start
        self.intervals[self.interval_count].end = end
        self.intervals[self.interval_count].row = row
        self.interval_count += 1
        return 0

    cdef int64_t find(self, uint64_t address) noexcept nogil:
        """Look an address up after ``flatten``; the row, or -1."""
        cdef uint64_t low = 0
        cdef uint64_t high = self.interval_count
        cdef uint64_t middle
        while low < high:
            middle = (low + high) >> 1
            if self.intervals[middle].start <= address:
                low = middle + 1
            else:
                high = middle
        if low == 0 or address >= self.intervals[low - 1].end:
            return -1
        return self.intervals[low - 1].row

    cdef int64_t find_start(self, uint64_t start) noexcept nogil:
        """Find the row that was not dropped and starts at an address, among those put in order so far; or -1."""
        cdef uint64_t low = 0
        cdef uint64_t high = self.order_count
        cdef uint64_t middle
        while low < high:
            middle = (low + high) >> 1
            if self.rows[self.order[middle]].start < start:
                low = middle + 1
            else:
                high = middle
        if low == self.order_count or self.rows[self.order[low]].start != start:
            return -1
        return self.order[low]

    def resolve(self, const unsigned char[::1] addresses not None):
        """Look many addresses up after ``flatten``.

        Args:
            addresses: u64 each, in this machine's byte order.

        Returns:
            u32 rows, 0xFFFFFFFF where there is no symbol.
        """
        cdef uint64_t n = addresses.shape[0] // 8
        cdef uint64_t i, address
        cdef uint32_t row
        rows = bytearray(4 * n)
        cdef unsigned char[::1] out = rows
        with nogil:
            for i in range(n):
                memcpy(&address, &addresses[8 * i], 8)
                row = <uint32_t>self.find(address)
                memcpy(&out[4 * i], &row, 4)
        return memoryview(rows).cast("I")

    def name(self, uint64_t row):
        """A row's name as its source has it.

        Raises:
            IndexError: no such row.
        """
        cdef Symbol* symbol = self.at(row)
        return self.names[symbol.name : symbol.name + symbol.name_length]

    def start(self, uint64_t row):
        """A row's first address."""
        return self.at(row).start

    def end(self, uint64_t row):
        """The address past a row's last."""
        return self.at(row).end

    def is_contested(self, uint64_t row):
        """After ``flatten("latest")``, whether rows of another name, not weak, overlap one that holds."""
        return bool(self.at(row).is_contested)

    cdef Symbol* at(self, uint64_t row) except NULL:
        if row >= self.count:
            raise IndexError(row)
        return self.rows + row

    def ranges(self):
        """After ``flatten``, what each address belongs to.

        Returns:
            (start, end, row) each, by start.
        """
        cdef uint64_t i
        return [
            (self.intervals[i].start, self.intervals[i].end, self.intervals[i].row) for i in range(self.interval_count)
        ]

    def bounds(self):
        """After ``flatten``, start and end of each interval that has one name: u64 pairs, rising."""
        cdef uint64_t i
        cdef bytearray pairs = bytearray(self.interval_count * 16)
        cdef uint64_t* at = <uint64_t*><char*>pairs
        for i in range(self.interval_count):
            at[2 * i] = self.intervals[i].start
            at[2 * i + 1] = self.intervals[i].end
        return memoryview(pairs).cast("Q")

    @property
    def memory_bytes(self):
        """Bytes the table holds allocated."""
        return (
            self.capacity * sizeof(Symbol)
            + self.names_capacity
            + self.order_capacity * sizeof(uint32_t)
            + self.drop_capacity * sizeof(Drop)
            + self.interval_capacity * sizeof(Interval)
        )


cdef inline uint64_t symbol_end(const Symbol* symbol) noexcept nogil:
    """Past the last address that is the symbol's: one without bytes is found at its start."""
    return symbol.end if symbol.end > symbol.start else symbol.start + (symbol.start < UINT64_MAX)


cdef inline uint64_t rounded_up(uint64_t address) noexcept nogil:
    """The next start of a page, or the address where it is one."""
    return (address + min(<uint64_t>(PAGE_BYTES - 1), UINT64_MAX - address)) & ~<uint64_t>(PAGE_BYTES - 1)


cdef const unsigned char* module_of(const unsigned char* name, uint64_t length, uint64_t* module_length) noexcept nogil:
    """Find ``[module]`` in a name; NULL where there is none."""
    cdef const unsigned char* module = <const unsigned char*>memchr(name, c"[", length)
    if module is not NULL:
        module_length[0] = length - <uint64_t>(module - name)
    return module


cdef inline bint is_system_call(const unsigned char* name, uint64_t length) noexcept nogil:
    """Whether a name is one of the kernel's second names of system calls, of which perf prefers the first."""
    return (length >= 3 and memcmp(name, b"SyS", 3) == 0) or (length >= 10 and memcmp(name, b"compat_SyS", 10) == 0)


cdef bint is_spelled_alike(
    const unsigned char* first, uint64_t length, const unsigned char* second, uint64_t second_length
) noexcept nogil:
    """Whether two names print alike, as far as that can be told without demangling them.

    Equal ones do, and so do mangled constructors or destructors that differ in their variant, such as
    ``_ZN4workC1Ev`` and ``_ZN4workC2Ev``; together these are nearly all aliases.
    """
    cdef uint64_t i = 0
    if length != second_length:
        return False
    while i < length and first[i] == second[i]:
        i += 1
    if i == length:
        return True
    if i < 3 or first[0] != c"_" or first[1] != c"Z" or memcmp(first + i + 1, second + i + 1, length - i - 1) != 0:
        return False
    return first[i - 1] in b"CD" and first[i] in b"0123" and second[i] in b"0123"
