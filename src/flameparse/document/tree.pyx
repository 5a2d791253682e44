"""One view of a Document as a call tree: what the folded text, the pictures and the report are drawn from.

A view is one event (or all), one weight and one kind of root label. Frames merge by printed name, whatever module
they come from, as they do in folded text.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport UINT64_MAX, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memchr, memcpy

from flameparse.model.counting_sort cimport order_by_key
from flameparse.model.frame_table cimport KIND_USER, NONE_ID, Frame, FrameTable, new_frame
from flameparse.model.stack_table cimport StackTable
from flameparse.model.string_table cimport StringTable
from flameparse.model.thread_table cimport UNKNOWN_ID
from flameparse.scan.text_order cimport TextSpan, sort_spans

from flameparse.document.document import EventUnit
from flameparse.errors import UsageError

cdef enum:
    KIND_PROCESS = 4
    ROWS_BETWEEN_SIGNALS = 16384

ROOTS = ("none", "comm", "pid", "tid")


cdef class Tree:
    """Pre-order columns of a call tree, siblings in the bytewise order of their names.

    Attributes:
        names_blob, name_offsets: every printed name end to end, u64 offsets, one more than names.
        name: u32 per node, into the names.
        parent: u32 per node, smaller than the node's own number, or NONE; there may be several roots.
        depth: u32 per node, 0 for roots.
        kind: u8 per node: 0 user, 1 kernel, 2 JIT, 3 inlined, 4 the label of a process or thread.
        frame_class: u8 per node, FrameClass of the document; 0 for labels.
        tier: u8 per node, FrameTier of the document.
        presets: u8 per node, as ``frame_presets`` of the document.
        is_stack: u8 per node: 1 where samples ended, even if they weigh 0.
        self_weight, total_weight: u64 per node, in ``unit``; total includes all below.
        bare_weight: weight of samples with neither label nor frames, which no node holds.
        total: weight of everything.
        unit: ``"samples"`` or the event's unit.
        event: name of the event shown, ``b"all"`` for all.
    """

    def name_bytes(self, uint32_t name):
        """The bytes of one printed name.

        Raises:
            IndexError: no such name.
        """
        if name + 1 >= len(self.name_offsets):
            raise IndexError(name)
        return self.names_blob[self.name_offsets[name] : self.name_offsets[name + 1]]

    def __len__(self):
        return len(self.name)


cdef struct NodeTraits:
    uint8_t kind
    uint8_t frame_class
    uint8_t tier
    uint8_t presets


cdef class TreeBuilder:
    """Nodes of a tree while it grows: a StackTable over frames that stand for what is printed."""

    cdef StringTable names
    cdef FrameTable printed
    cdef StackTable nodes
    cdef bint one_line          # names must not hold what parts frames and lines of folded text
    cdef bint apart             # frames that print alike are one node only if they are alike
    cdef NodeTraits* traits     # by node
    cdef uint8_t* stack_flags   # by node
    cdef uint64_t* weights      # by node, self
    cdef uint64_t capacity
    cdef uint32_t* name_of      # document string to printed name, NONE_ID until asked for
    cdef uint32_t* printed_of   # document frame to what stands for it, NONE_ID until asked for
    cdef const unsigned char[::1] blob
    cdef const uint64_t[::1] offsets
    cdef const uint32_t[::1] frame_name
    cdef const uint8_t[::1] frame_kind
    cdef const uint8_t[::1] frame_class
    cdef const uint8_t[::1] frame_tier
    cdef const uint8_t[::1] frame_presets
    cdef const uint32_t[::1] stack_parent
    cdef const uint32_t[::1] stack_frame
    cdef uint32_t* node_of      # stack under the current root to node, NONE_ID until asked for
    cdef uint32_t* touched      # stacks whose node_of is set
    cdef uint64_t touched_count
    cdef uint32_t* path
    cdef uint64_t bare_weight

    def __cinit__(self, document not None, bint one_line, bint apart):
        cdef uint64_t i
        cdef uint64_t stack_count = len(document.stack_frame)
        cdef uint64_t string_count = len(document.string_offsets) - 1
        cdef uint64_t frame_count = len(document.frame_name)
        self.one_line = one_line
        self.apart = apart
        self.names = StringTable()
        self.printed = FrameTable()
        self.nodes = StackTable(stack_count)
        self.blob = document.string_bytes
        self.offsets = document.string_offsets
        self.frame_name = document.frame_name
        self.frame_kind = document.frame_kind
        self.frame_class = document.frame_class
        self.frame_tier = document.frame_tier
        self.frame_presets = document.frame_presets
        self.stack_parent = document.stack_parent
        self.stack_frame = document.stack_frame
        self.name_of = <uint32_t*>malloc(string_count * 4 + 4)
        self.printed_of = <uint32_t*>malloc(frame_count * 4 + 4)
        self.node_of = <uint32_t*>malloc(stack_count * 4 + 4)
        self.touched = <uint32_t*>malloc(stack_count * 4 + 4)
        self.path = <uint32_t*>malloc(stack_count * 4 + 4)
        if (
            self.name_of is NULL or self.printed_of is NULL or self.node_of is NULL or self.touched is NULL
            or self.path is NULL
        ):
            raise MemoryError
        for i in range(frame_count):
            self.printed_of[i] = NONE_ID
        for i in range(string_count):
            self.name_of[i] = NONE_ID
        for i in range(stack_count):
            self.node_of[i] = NONE_ID

    def __dealloc__(self):
        free(self.name_of)
        free(self.printed_of)
        free(self.node_of)
        free(self.touched)
        free(self.path)
        free(self.traits)
        free(self.stack_flags)
        free(self.weights)

    cdef uint32_t printed_name(self, uint32_t string) except? 0xFFFFFFFF:
        """The printed name of a document string."""
        cdef uint64_t start
        cdef size_t length
        cdef const unsigned char* text
        if self.name_of[string] == NONE_ID:
            start = self.offsets[string]
            length = self.offsets[string + 1] - start
            text = &self.blob[0] + start if self.blob.shape[0] else self.names.blob
            if self.one_line and (
                memchr(text, 59, length) is not NULL or memchr(text, 10, length) is not NULL
            ):
                self.name_of[string] = self.names.add(on_one_line(text[:length]))
            else:
                self.name_of[string] = <uint32_t>self.names.intern(text, length)
        return self.name_of[string]

    cdef uint32_t printed_frame(self, uint32_t name, NodeTraits traits) except? 0xFFFFFFFF:
        """What stands for all frames of a printed name, or with ``apart`` for those of them that are alike."""
        cdef Frame frame = new_frame(name, NONE_ID, KIND_USER, 0)
        if self.apart:
            frame.kind, frame.frame_class = traits.kind, traits.frame_class
            frame.tier, frame.presets = traits.tier, traits.presets
        return <uint32_t>self.printed.intern(frame)

    cdef uint32_t node(self, uint32_t parent, uint32_t printed, NodeTraits traits) except? 0xFFFFFFFF:
        """Find or add a node; of frames that share one, the first says what it is."""
        cdef uint32_t before = self.nodes.count
        cdef uint32_t id = <uint32_t>self.nodes.extend(parent, printed)
        cdef uint64_t wanted
        cdef void* moved
        if id == before:
            if id >= self.capacity:
                wanted = max(<uint64_t>1024, self.capacity * 2)
                moved = self.realloc_column(self.traits, wanted * sizeof(NodeTraits))
                self.traits = <NodeTraits*>moved
                moved = self.realloc_column(self.weights, wanted * 8)
                self.weights = <uint64_t*>moved
                moved = self.realloc_column(self.stack_flags, wanted)
                self.stack_flags = <uint8_t*>moved
                self.capacity = wanted
            self.traits[id] = traits
            self.stack_flags[id] = 0
            self.weights[id] = 0
        return id

    cdef uint32_t label(self, bytes name, uint8_t kind) except? 0xFFFFFFFF:
        """Find or add a root that is no frame."""
        cdef NodeTraits traits = NodeTraits(kind, 0, 0, 0)
        return self.node(NONE_ID, self.printed_frame(<uint32_t>self.names.add(name), traits), traits)

    cdef void* realloc_column(self, void* column, uint64_t size) except NULL:
        cdef void* moved = realloc(column, size)
        if moved is NULL:
            raise MemoryError
        return moved

    cdef uint32_t node_of_stack(self, uint32_t root, uint32_t stack) except? 0xFFFFFFFF:
        """The node of a stack under a root label, adding what is missing on the way down."""
        cdef uint64_t length = 0
        cdef uint32_t at = stack
        cdef uint32_t node = root
        cdef uint32_t frame
        cdef NodeTraits traits
        while at != NONE_ID:
            if self.node_of[at] != NONE_ID:
                node = self.node_of[at]
                break
            self.path[length] = at
            length += 1
            at = self.stack_parent[at]
        while length:
            length -= 1
            at = self.path[length]
            frame = self.stack_frame[at]
            traits.kind, traits.frame_class = self.frame_kind[frame], self.frame_class[frame]
            traits.tier, traits.presets = self.frame_tier[frame], self.frame_presets[frame]
            if self.printed_of[frame] == NONE_ID:
                self.printed_of[frame] = self.printed_frame(self.printed_name(self.frame_name[frame]), traits)
            node = self.node(node, self.printed_of[frame], traits)
            self.node_of[at] = node
            self.touched[self.touched_count] = at
            self.touched_count += 1
        return node

    cdef int forget_root(self) noexcept:
        """Begin another root label: stacks are other nodes under it."""
        cdef uint64_t i
        for i in range(self.touched_count):
            self.node_of[self.touched[i]] = NONE_ID
        self.touched_count = 0
        return 0

    cdef int add(self, uint32_t root, uint32_t stack, uint64_t weight) except -1:
        """Add weight to a stack under a root label; either may be NONE_ID."""
        cdef uint32_t node = root if stack == NONE_ID else self.node_of_stack(root, stack)
        if node == NONE_ID and self.one_line:
            # A line of folded text holds one name at least.
            node = self.label(b"[unknown]", KIND_USER)
        if node == NONE_ID:
            if self.bare_weight > UINT64_MAX - weight:
                raise OverflowError("weights sum past 2**64 - 1")
            self.bare_weight += weight
            return 0
        if self.weights[node] > UINT64_MAX - weight:
            raise OverflowError("weights sum past 2**64 - 1")
        self.weights[node] += weight
        self.stack_flags[node] = 1
        return 0

    cdef Tree finish(self):
        """Number the nodes in pre-order, siblings by name, and sum the totals."""
        cdef Tree tree = Tree.__new__(Tree)
        cdef uint64_t count = self.nodes.count
        cdef uint64_t name_count = self.names.count
        cdef uint64_t i, grand_total
        cdef uint32_t node, parent, number, next_root = 0
        cdef TextSpan* spans = <TextSpan*>malloc(name_count * sizeof(TextSpan) + 1)
        cdef uint32_t* numbers = <uint32_t*>malloc((name_count + 6 * count) * 4 + 4)
        cdef uint32_t* rank = numbers
        cdef uint32_t* ranks = rank + name_count
        cdef uint32_t* parents = ranks + count
        cdef uint32_t* order = parents + count
        cdef uint32_t* other = order + count
        cdef uint32_t* sizes = other + count
        cdef uint32_t* next_free = sizes + count
        cdef uint64_t* offsets
        cdef unsigned char* blob
        cdef uint32_t* out_name
        cdef uint32_t* out_parent
        cdef uint32_t* out_depth
        cdef uint8_t* out_kind
        cdef uint8_t* out_class
        cdef uint8_t* out_tier
        cdef uint8_t* out_presets
        cdef uint8_t* out_flag
        cdef uint64_t* out_self
        cdef uint64_t* out_total
        name_offsets = bytearray((name_count + 1) * 8)
        names, parent_store, depth = bytearray(count * 4), bytearray(count * 4), bytearray(count * 4)
        kind, is_stack = bytearray(count), bytearray(count)
        frame_class, tier, presets = bytearray(count), bytearray(count), bytearray(count)
        self_weight, total_weight = bytearray(count * 8), bytearray(count * 8)
        try:
            if spans is NULL or numbers is NULL:
                raise MemoryError
            # Names, renumbered in bytewise order.
            for i in range(name_count):
                spans[i].text = self.names.at(<uint32_t>i)
                spans[i].length = self.names.length(<uint32_t>i)
                spans[i].id = <uint32_t>i
            sort_spans(spans, name_count)
            offsets = <uint64_t*><char*>name_offsets
            blob_store = bytearray(self.names.offsets[name_count])
            blob = <unsigned char*><char*>blob_store
            for i in range(name_count):
                rank[spans[i].id] = <uint32_t>i
                memcpy(blob + offsets[i], spans[i].text, spans[i].length)
                offsets[i + 1] = offsets[i] + spans[i].length
            # Nodes by parent, then by name.
            for i in range(count):
                ranks[i] = rank[self.printed.rows[self.nodes.rows[i].frame].name]
                parents[i] = self.nodes.rows[i].parent
                order[i] = <uint32_t>i
                sizes[i] = 1
            order_by_key(ranks, name_count, order, other, count)
            order_by_key(parents, count, other, order, count)
            for i in range(count, 0, -1):
                if parents[i - 1] != NONE_ID:
                    sizes[parents[i - 1]] += sizes[i - 1]
            # Parents have smaller ids and so come first, except that roots (NONE) sort last.
            for i in range(count):
                node = order[i]
                if parents[node] == NONE_ID:
                    other[node] = next_root
                    next_free[node] = next_root + 1
                    next_root += sizes[node]
            for i in range(count):
                node = order[i]
                parent = parents[node]
                if parent != NONE_ID:
                    number = next_free[parent]
                    other[node] = number
                    next_free[node] = number + 1
                    next_free[parent] = number + sizes[node]
            out_name, out_parent = <uint32_t*><char*>names, <uint32_t*><char*>parent_store
            out_depth = <uint32_t*><char*>depth
            out_kind, out_flag = <uint8_t*><char*>kind, <uint8_t*><char*>is_stack
            out_class, out_tier = <uint8_t*><char*>frame_class, <uint8_t*><char*>tier
            out_presets = <uint8_t*><char*>presets
            out_self, out_total = <uint64_t*><char*>self_weight, <uint64_t*><char*>total_weight
            for node in range(<uint32_t>count):
                number = other[node]
                parent = parents[node]
                out_name[number] = ranks[node]
                out_kind[number] = self.traits[node].kind
                out_class[number] = self.traits[node].frame_class
                out_tier[number] = self.traits[node].tier
                out_presets[number] = self.traits[node].presets
                out_flag[number] = self.stack_flags[node]
                out_self[number] = self.weights[node]
                out_total[number] = self.weights[node]
                out_parent[number] = NONE_ID if parent == NONE_ID else other[parent]
                out_depth[number] = 0 if parent == NONE_ID else out_depth[other[parent]] + 1
            grand_total = self.bare_weight
            for i in range(count, 0, -1):
                parent = out_parent[i - 1]
                if parent == NONE_ID:
                    if grand_total > UINT64_MAX - out_total[i - 1]:
                        raise OverflowError("weights sum past 2**64 - 1")
                    grand_total += out_total[i - 1]
                else:
                    if out_total[parent] > UINT64_MAX - out_total[i - 1]:
                        raise OverflowError("weights sum past 2**64 - 1")
                    out_total[parent] += out_total[i - 1]
        finally:
            free(spans)
            free(numbers)
        tree.names_blob = bytes(blob_store)
        tree.name_offsets = memoryview(name_offsets).cast("Q")
        tree.name = memoryview(names).cast("I")
        tree.parent = memoryview(parent_store).cast("I")
        tree.depth = memoryview(depth).cast("I")
        tree.kind = memoryview(kind)
        tree.frame_class, tree.tier, tree.presets = memoryview(frame_class), memoryview(tier), memoryview(presets)
        tree.is_stack = memoryview(is_stack)
        tree.self_weight = memoryview(self_weight).cast("Q")
        tree.total_weight = memoryview(total_weight).cast("Q")
        tree.bare_weight = self.bare_weight
        tree.total = grand_total
        return tree


cdef class View:
    """The choices of one view, settled against a document."""

    cdef object document
    cdef bytes event
    cdef str unit
    cdef bint by_samples
    cdef uint8_t* is_shown   # by event
    cdef list labels         # by thread, bytes or None

    def __cinit__(self, document not None, event, weight, root):
        names = [document.string(name) for name in document.event_name]
        shown = shown_events(names, event)
        units = {document.event_unit[i] for i in shown}
        self.document = document
        self.event = b",".join(names[i] for i in shown if names[i]) if event != b"all" else b"all"
        if weight not in (None, "period", "samples"):
            raise UsageError(f"weight {weight!r}: period or samples")
        # Periods of events that count different things do not add up.
        self.by_samples = weight == "samples" or units <= {EventUnit.SAMPLES}
        self.unit = "samples" if self.by_samples else EventUnit.NAMES[max(units)]
        self.is_shown = <uint8_t*>calloc(len(names) + 1, 1)
        if self.is_shown is NULL:
            raise MemoryError
        for i in shown:
            self.is_shown[<Py_ssize_t>i] = 1
        self.labels = root_labels(document, root)

    def __dealloc__(self):
        free(self.is_shown)


def shown_events(list names not None, event):
    """Numbers of the events a view shows.

    Samples without an event name are shown with whichever event is chosen: nothing says they are another's.

    Args:
        names: event names in the order first seen.
        event: a name, with its modifiers (``b"cycles:u"``) or without (``b"cycles"``: every one of that name), or a
            sequence of them; ``b"all"``; or None for the first that has a name.

    Returns:
        Event numbers, rising.

    Raises:
        UsageError: no such event.
    """
    if event is None:
        shown = [i for i, name in enumerate(names) if name][:1]
    else:
        shown = []
        for wanted in [event] if isinstance(event, bytes) else event:
            if wanted == b"all":
                return list(range(len(names)))
            found = [i for i, name in enumerate(names) if name == wanted]
            found = found or [i for i, name in enumerate(names) if name.startswith(wanted + b":")]
            if not found:
                seen = ", ".join(sorted(name.decode("utf-8", "backslashreplace") for name in names if name))
                raise UsageError(
                    f"no event {wanted.decode('utf-8', 'backslashreplace')!r}; the input has: {seen or 'none'}"
                )
            shown += found
    return sorted({*shown, *(i for i, name in enumerate(names) if not name)})


def on_one_line(bytes name not None):
    """A name as folded text can hold it: ``;`` parts frames there and a newline parts stacks."""
    return name.replace(b";", b":").replace(b"\n", b"\\n")


def root_labels(document not None, root):
    """The label above each thread's stacks.

    Args:
        document: whose threads.
        root: ``"none"``, ``"comm"``, ``"pid"`` (``comm-PID``), ``"tid"`` (``comm-PID/TID``), or None for the
            document's own choice. An unknown comm is ``[unknown]``, an unknown pid ``?``.

    Returns:
        One bytes per thread, or None for no label.

    Raises:
        UsageError: another root.
    """
    if root is None:
        root = document.meta.get("root", "comm")
    if root not in ROOTS:
        raise UsageError(f"root {root!r}: one of {', '.join(ROOTS)}")
    labels = []
    for comm, pid, tid in zip(document.thread_comm, document.thread_pid, document.thread_tid):
        label = b"[unknown]" if comm == NONE_ID else document.string(comm)
        if root == "none":
            label = None
        elif root != "comm":
            label += b"-%s" % (b"?" if pid == UNKNOWN_ID else b"%d" % pid)
            if root == "tid":
                label += b"/%s" % (b"?" if tid == UNKNOWN_ID else b"%d" % tid)
        labels.append(label)
    return labels


def build_tree(document not None, *, event=None, weight=None, root=None, bint one_line=False, bint apart=False):
    """Build the call tree of one view.

    Args:
        document: a valid document.
        event: see ``shown_events``.
        weight: ``"period"`` (where the input has one) or ``"samples"``; None is ``"period"``.
        root: see ``root_labels``.
        one_line: make names fit for folded text, see ``on_one_line``.
        apart: give frames of one name that are not of one kind, class, tier and presets nodes of their own, side by
            side: a page hides one and keeps the other.

    Returns:
        A Tree.

    Raises:
        UsageError: no such event, weight or root.
        OverflowError: weights sum past 2**64 - 1.
        MemoryError: no room.
    """
    cdef View view = View(document, event, weight, root)
    cdef TreeBuilder builder = TreeBuilder(document, one_line, apart)
    cdef const uint32_t[::1] events = document.total_event
    cdef const uint32_t[::1] threads = document.total_thread
    cdef const uint32_t[::1] stacks = document.total_stack
    cdef const uint64_t[::1] weights = document.total_samples if view.by_samples else document.total_period
    cdef uint32_t label_count = 0
    cdef uint32_t thread_count = len(view.labels)
    cdef uint32_t* label_of = <uint32_t*>malloc((thread_count + 1) * 4)
    cdef uint32_t* rows = <uint32_t*>malloc(events.shape[0] * 12 + 4)
    cdef uint32_t* sorted_rows = rows + events.shape[0]
    cdef uint32_t* row_labels = sorted_rows + events.shape[0]
    cdef uint32_t current = NONE_ID
    cdef uint32_t root_node = NONE_ID
    cdef uint64_t count = 0
    cdef uint64_t i
    cdef uint32_t row, thread
    try:
        if label_of is NULL or rows is NULL:
            raise MemoryError
        # Rows of one label together, so that each (label, stack) is walked once.
        numbers = {}
        for i in range(thread_count):
            label = view.labels[i]
            label_of[i] = NONE_ID if label is None else numbers.setdefault(label, len(numbers))
        labels = list(numbers)
        label_count = len(labels)
        for i in range(<uint64_t>events.shape[0]):
            if view.is_shown[events[i]]:
                thread = threads[i]
                rows[count] = <uint32_t>i
                row_labels[i] = NONE_ID if thread == NONE_ID else label_of[thread]
                count += 1
        order_by_key(row_labels, label_count, rows, sorted_rows, count)
        for i in range(count):
            row = sorted_rows[i]
            if i == 0 or row_labels[row] != current:
                current = row_labels[row]
                builder.forget_root()
                root_node = NONE_ID
                if current != NONE_ID:
                    label = labels[current]
                    shown = on_one_line(label) if one_line else label
                    root_node = builder.label(shown, KIND_PROCESS)
            builder.add(root_node, stacks[row], weights[row])
            if i % ROWS_BETWEEN_SIGNALS == 0:
                PyErr_CheckSignals()
    finally:
        free(label_of)
        free(rows)
    cdef Tree tree = builder.finish()
    tree.unit = view.unit
    tree.event = view.event
    return tree


def timeline_rows(document not None, *, event=None, weight=None, root=None):
    """The samples of one view in time order.

    Args:
        document: one that keeps its time line.
        event, weight, root: as for ``build_tree``.

    Returns:
        ``(label or None, stack id or NONE, weight)`` per sample, and the unit.

    Raises:
        UsageError: no time line, or no such event, weight or root.
    """
    if document.timeline is None:
        raise UsageError("the input keeps no time order; fold it with --no-aggregate")
    cdef View view = View(document, event, weight, root)
    line = document.timeline
    order = sorted(range(len(line["time_ns"])), key=line["time_ns"].__getitem__)
    rows = []
    for i in order:
        if view.is_shown[<Py_ssize_t>line["event"][i]]:
            thread = line["thread"][i]
            label = None if thread == NONE_ID else view.labels[thread]
            # A line of folded text is one row of many samples; without a period they are what its weight counts.
            counts_rows = view.by_samples and document.event_unit[line["event"][i]] != EventUnit.SAMPLES
            rows.append((label, line["stack"][i], 1 if counts_rows else line["period"][i]))
    return rows, view.unit, view.event


def build_timeline_tree(document not None, *, event=None, weight=None, root=None):
    """Build the tree of a flame chart: siblings in time order, and only neighbours in time merge.

    Args:
        document: one that keeps its time line.
        event, weight, root: as for ``build_tree``.

    Returns:
        A Tree.

    Raises:
        UsageError: no time line, or no such event, weight or root.
        OverflowError: weights sum past 2**64 - 1.
    """
    from array import array

    rows, unit, shown = timeline_rows(document, event=event, weight=weight, root=root)
    # Each node gets a name of its own kind and place, so that it only merges while it stays open.
    cdef list open_path = []       # (name, node) from the root down
    parents, names, weights, flags = [], [], [], []
    kinds, classes, tiers, presets = array("B"), array("B"), array("B"), array("B")
    traits = (
        (kinds, document.frame_kind, KIND_PROCESS), (classes, document.frame_class, 0), (tiers, document.frame_tier, 0),
        (presets, document.frame_presets, 0),
    )
    string_of, blob_names = {}, []
    bare = 0
    for label, stack, sample_weight in rows:
        path = []
        while stack != NONE_ID:
            frame = document.stack_frame[stack]
            path.append((document.string(document.frame_name[frame]), frame))
            stack = document.stack_parent[stack]
        if label is not None:
            path.append((label, NONE_ID))
        path.reverse()
        if not path:
            bare += sample_weight
            open_path = []
            continue
        same = 0
        while same < len(path) and same < len(open_path) and open_path[same][0] == path[same][0]:
            same += 1
        del open_path[same:]
        for name, frame in path[same:]:
            parents.append(open_path[-1][1] if open_path else NONE_ID)
            if name not in string_of:
                string_of[name] = len(blob_names)
                blob_names.append(name)
            names.append(string_of[name])
            for values, column, of_label in traits:
                values.append(of_label if frame == NONE_ID else column[frame])
            weights.append(0)
            flags.append(0)
            open_path.append((name, len(parents) - 1))
        weights[open_path[-1][1]] += sample_weight
        flags[open_path[-1][1]] = 1
    totals = list(weights)
    depths = [0] * len(parents)
    for node, parent in enumerate(parents):
        depths[node] = 0 if parent == NONE_ID else depths[parent] + 1
    for node in range(len(parents) - 1, -1, -1):
        if parents[node] != NONE_ID:
            totals[parents[node]] += totals[node]
    offsets = [0]
    for name in blob_names:
        offsets.append(offsets[-1] + len(name))
    cdef Tree tree = Tree.__new__(Tree)
    tree.names_blob = b"".join(blob_names)
    tree.name_offsets = memoryview(array("Q", offsets))
    tree.name = memoryview(array("I", names))
    tree.parent = memoryview(array("I", parents))
    tree.depth = memoryview(array("I", depths))
    tree.kind, tree.frame_class = memoryview(kinds), memoryview(classes)
    tree.tier, tree.presets = memoryview(tiers), memoryview(presets)
    tree.is_stack = memoryview(array("B", flags))
    tree.self_weight = memoryview(array("Q", weights))
    tree.total_weight = memoryview(array("Q", totals))
    tree.bare_weight = bare
    tree.total = bare + sum(total for total, parent in zip(totals, parents) if parent == NONE_ID)
    tree.unit = unit
    tree.event = shown
    return tree
