from __future__ import annotations

import random
import struct
from itertools import pairwise

import pytest

from flameparse.symbolize.names.demangle import Demangler
from flameparse.symbolize.symbol_table import SymbolTable
from oracle.lookup_tree_reference import Row, answers

LOCAL, GLOBAL, WEAK = 0, 1, 2
NONE = 0xFFFFFFFF


def table_of(*rows: tuple[int, int, bytes] | Row) -> SymbolTable:
    table = SymbolTable()
    for number, row in enumerate(rows):
        assert table.add(*row) == number
    return table


def packed(*addresses: int) -> bytes:
    return struct.pack(f"{len(addresses)}Q", *addresses)


def at(table: SymbolTable, *addresses: int) -> list[bytes | None]:
    return [None if row == NONE else table.name(row) for row in table.resolve(packed(*addresses))]


def named_ranges(table: SymbolTable) -> list[tuple[int, int, bytes]]:
    return [(start, end, table.name(row)) for start, end, row in table.ranges()]


def test_an_empty_table_knows_nothing():
    for rule in ("precise", "perf-6.1", "latest"):
        table = SymbolTable()
        table.close_gaps()
        table.drop_aliases()
        table.flatten(rule)
        assert at(table, 0, 1, 2**64 - 1) == [None, None, None]
        assert len(table) == 0


@pytest.mark.parametrize("rule", ["precise", "perf-6.1", "latest"])
def test_rows_that_do_not_overlap(rule):
    table = table_of((20, 30, b"b"), (10, 20, b"a"), (40, 50, b""), (2**64 - 10, 2**64 - 1, b"last"))
    table.flatten(rule)
    assert at(table, 9, 10, 19, 20, 29, 30, 39, 45) == [None, b"a", b"a", b"b", b"b", None, None, b""]
    assert at(table, 2**64 - 10, 2**64 - 2, 2**64 - 1) == [b"last", b"last", None]
    assert (table.start(1), table.end(1), table.name(1)) == (10, 20, b"a")


def test_an_end_before_the_start_is_no_size():
    table = table_of((100, 20, b"a"))
    table.flatten("precise")
    assert table.end(0) == 100
    assert at(table, 99, 100, 101) == [None, b"a", None]


def test_rows_past_the_table_are_refused():
    table = table_of((1, 2, b"a"))
    for read in (table.name, table.start, table.end):
        with pytest.raises(IndexError):
            read(1)
        with pytest.raises(OverflowError):
            read(-1)


def test_an_unknown_rule_is_refused():
    with pytest.raises(ValueError, match="perf-7"):
        SymbolTable().flatten("perf-7")


class TestGaps:
    def test_a_symbol_without_size_ends_where_the_next_one_starts(self):
        table = table_of((300, 300, b"c"), (100, 100, b"a"), (200, 210, b"b"))
        table.close_gaps()
        assert [(table.start(i), table.end(i)) for i in range(3)] == [(300, 8192), (100, 200), (200, 210)]

    @pytest.mark.parametrize(
        ("start", "end"),
        [(0x1001, 0x3000), (0x1000, 0x2000), (0x1FFF, 0x3000), (2**64 - 2, 2**64 - 4096 + 4095)],
    )
    def test_the_last_one_ends_a_page_after_its_own(self, start, end):
        table = table_of((start, start, b"last"))
        table.close_gaps()
        assert table.end(0) == end

    def test_the_next_one_may_start_at_the_same_place(self):
        table = table_of((100, 100, b"a"), (100, 100, b"b"))
        table.close_gaps()
        assert (table.end(0), table.end(1)) == (100, 4096 + 4096)

    def test_limits_stop_symbols_without_size_only(self):
        table = table_of((100, 100, b"a"), (150, 400, b"sized"), (500, 500, b"b"), (700, 700, b"c"))
        table.close_gaps(limits=packed(100, 120, 300, 600, 10_000))
        assert [table.end(i) for i in range(4)] == [120, 400, 600, 8192]

    @pytest.mark.parametrize(
        ("modules", "ends"),
        [
            (None, [0x2001, 0x9000, 0x9800, 0xA000]),
            ("perf-6.1", [0x2001, 0x4000, 0x9800, 0xA000]),
            ("precise", [0x2001, 0x4000, 0xA000, 0xA000]),
        ],
    )
    def test_the_gap_before_a_module_is_nobodys(self, modules, ends):
        rows = (0x1000, b"kernel"), (0x2001, b"kernel_end"), (0x9000, b"f\t[one]"), (0x9800, b"g\t[two]")
        table = table_of(*((start, start, name) for start, name in rows), (0xA000, 0xA004, b"h\t[two]"))
        table.close_gaps(modules=modules)
        assert [table.end(i) for i in range(4)] == ends


class TestAliases:
    @pytest.mark.parametrize(
        "names",
        [
            # What wins, what loses.
            ((10, 20, b"sized"), (10, 10, b"a_longer_name")),
            ((10, 20, b"local", LOCAL), (10, 20, b"weak_and_longer", WEAK)),
            ((10, 20, b"global", GLOBAL), (10, 20, b"local_and_longer", LOCAL)),
            ((10, 20, b"f"), (10, 20, b"_longer")),
            ((10, 20, b"_f"), (10, 20, b"__longer")),
            ((10, 20, b"longer"), (10, 20, b"short")),
            ((10, 20, b"clock_gettime@@GLIBC_2.17"), (10, 20, b"clock_gettime")),
        ],
    )
    def test_each_test_in_both_orders(self, names):
        for rows in (names, names[::-1]):
            table = table_of(*rows)
            table.drop_aliases()
            table.flatten("precise")
            assert at(table, 10) == [names[0][2]]

    def test_the_first_of_equals_stays_unless_it_is_a_system_calls_second_name(self):
        for rows, winner in (
            ((b"abc", b"abd"), b"abc"),
            ((b"SyS_read", b"sys_read"), b"sys_read"),
            ((b"sys_read", b"SyS_read"), b"sys_read"),
            ((b"compat_SyS_x", b"compat_sys_x"), b"compat_sys_x"),
        ):
            table = table_of(*((10, 20, name) for name in rows))
            table.drop_aliases()
            table.flatten("precise")
            assert at(table, 10) == [winner]

    def test_a_size_given_by_the_next_symbol_counts(self):
        table = table_of((10, 10, b"bare"), (10, 20, b"f"))
        table.close_gaps()
        table.drop_aliases()
        table.flatten("precise")
        assert at(table, 10, 19, 20) == [b"f", b"f", None]

    def test_names_are_compared_demangled(self):
        # Mangled, it begins with an underscore as the others do.
        rows = (10, 20, b"_ZN4work3runEi"), (10, 20, b"_run"), (10, 20, b"_a_longer_name_")
        for demangler, winner in ((Demangler(), b"_ZN4work3runEi"), (None, b"_a_longer_name_")):
            table = table_of(*rows)
            table.drop_aliases(demangler)
            table.flatten("precise")
            assert at(table, 10) == [winner]

    @pytest.mark.parametrize(
        ("first", "second", "winner"),
        [
            (b"_ZN4workC1Ev", b"_ZN4workC2Ev", 0),
            (b"_ZN4workD2Ev", b"_ZN4workD0Ev", 0),
            (b"_ZN4work1aEv", b"_ZN4work1bEv", 0),
            (b"_ZN4work1aEv", b"_ZN4work2abEv", 1),
        ],
    )
    def test_mangled_aliases(self, first, second, winner):
        table = table_of((10, 20, first), (10, 20, second))
        table.drop_aliases(Demangler())
        table.flatten("precise")
        assert at(table, 10) == [(first, second)[winner]]

    def test_three_at_one_place_and_a_second_table(self):
        table = table_of((10, 20, b"aa"), (10, 20, b"a", WEAK), (10, 20, b"aaa"), (5, 6, b"x"))
        table.drop_aliases()
        table.add(10, 20, b"aaaa", LOCAL)
        table.add(30, 40, b"y")
        table.drop_aliases()
        table.flatten("precise")
        assert named_ranges(table) == [(5, 6, b"x"), (10, 20, b"aaa"), (30, 40, b"y")]


class TestPrecise:
    def test_a_nested_symbol_wins_and_the_outer_goes_on(self):
        table = table_of((0, 100, b"outer"), (20, 30, b"inner"), (22, 24, b"innermost"), (50, 60, b"other"))
        table.flatten("precise")
        assert named_ranges(table) == [
            (0, 20, b"outer"), (20, 22, b"inner"), (22, 24, b"innermost"), (24, 30, b"inner"), (30, 50, b"outer"),
            (50, 60, b"other"), (60, 100, b"outer"),
        ]  # fmt: skip

    def test_of_two_that_cross_the_later_start_wins(self):
        table = table_of((0, 100, b"a"), (50, 150, b"b"), (60, 80, b"c"))
        table.flatten("precise")
        assert named_ranges(table) == [
            (0, 50, b"a"), (50, 60, b"b"), (60, 80, b"c"), (80, 150, b"b"),
        ]  # fmt: skip

    def test_a_label_inside_a_sized_symbol_is_not_a_function(self):
        table = table_of((0, 100, b"f"), (50, 50, b"label"), (100, 100, b"bare"), (120, 130, b"g"))
        table.close_gaps()
        table.flatten("precise")
        assert named_ranges(table) == [(0, 100, b"f"), (100, 120, b"bare"), (120, 130, b"g")]


class TestLatest:
    def test_later_rows_remove_those_they_touch(self):
        table = table_of((0, 10, b"a"), (10, 20, b"b"), (20, 30, b"c"), (30, 40, b"d"), (15, 31, b"new"))
        table.flatten("latest")
        assert named_ranges(table) == [(0, 10, b"a"), (15, 31, b"new")]

    def test_the_same_place_again_and_again(self):
        table = table_of(*((100, 200, b"v%d" % i) for i in range(50)), (300, 300, b"empty"), (300, 300, b"again"))
        table.flatten("latest")
        assert named_ranges(table) == [(100, 200, b"v49"), (300, 301, b"again")]

    @pytest.mark.parametrize("seed", range(20))
    def test_against_a_list(self, seed):
        choice = random.Random(seed)
        table = SymbolTable()
        alive: list[tuple[int, int, int]] = []
        for number in range(150):
            start = choice.randrange(400)
            end = start + choice.randrange(40)
            table.add(start, end, b"")
            reach = max(end, start + 1)
            alive = [row for row in alive if row[1] <= start or row[0] >= reach]
            alive.append((start, reach, number))
        table.flatten("latest")
        assert table.ranges() == sorted(alive)


class TestPerfRule:
    def test_a_miss_in_a_nested_symbol_is_not_retried(self):
        # Inserted in this order, "inner" is the root of the tree and "outer" its left child.
        table = table_of((10, 100, b"outer"), (20, 30, b"inner"), (40, 50, b"right"))
        table.flatten("perf-6.1")
        assert at(table, 15, 25, 35, 45, 60) == [b"outer", b"inner", None, b"right", None]
        # Now "outer" is the root, and "inner" is never seen.
        table = table_of((10, 100, b"outer"), (5, 8, b"left"), (20, 30, b"inner"))
        table.flatten("perf-6.1")
        assert at(table, 15, 25, 35, 6, 100) == [b"outer", b"outer", b"outer", b"left", None]

    @pytest.mark.parametrize("seed", range(60))
    def test_against_the_slow_tree(self, seed):
        choice = random.Random(seed)
        span = choice.choice((30, 300, 5000))
        batches: list[list[Row]] = []
        for _ in range(3):
            batch: list[Row] = []
            for _ in range(choice.randrange(0, 120)):
                start = choice.randrange(1, span)
                end = start + choice.choice((0, 0, 1, 2, 5, choice.randrange(span)))
                name = choice.choice((b"", b"_", b"__", b"SyS_")) + b"n" * choice.randrange(1, 4)
                batch.append((start, end, name, choice.randrange(3)))
            batches.append(batch)
        table = SymbolTable()
        for batch in batches[:2]:
            for row in batch:
                table.add(*row)
            table.close_gaps()
            table.drop_aliases()
        for row in batches[2]:
            table.add(*row)
        table.flatten("perf-6.1")
        addresses = list(range(span + 100))
        expected = [NONE if row is None else row for row in answers(batches[:2], batches[2], addresses)]
        assert list(table.resolve(packed(*addresses))) == expected


def test_many_rows_stay_sorted_and_disjoint():
    choice = random.Random(7)
    starts = sorted(choice.sample(range(1 << 63, (1 << 63) + (1 << 40)), 20_000))
    rows = [(start, start + 1 + choice.randrange(50), b"f%x" % start) for start in starts]
    choice.shuffle(rows)
    for rule in ("precise", "perf-6.1"):
        table = table_of(*rows)
        table.drop_aliases()
        table.flatten(rule)
        assert at(table, *starts) == [b"f%x" % start for start in starts]
        ranges = table.ranges()
        assert all(a[1] <= b[0] for a, b in pairwise(ranges))


def test_names_may_hold_any_byte():
    table = table_of((1, 2, b"a\0b"), (2, 3, bytes(range(256))), (3, 4, b"x" * 100_000))
    table.flatten("precise")
    assert at(table, 1, 2, 3) == [b"a\0b", bytes(range(256)), b"x" * 100_000]


def test_memory_is_told():
    table = SymbolTable()
    table.make_room(1000, 5000)
    assert 5000 + 1000 * 32 <= table.memory_bytes < 100_000
