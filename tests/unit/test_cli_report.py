"""The report's sums, against trees small enough to add up by hand."""

from __future__ import annotations

import json

import pytest

from unit.cli_runs import OTHER_EVENT, TRACE, run_here

RECURSIVE = b"a;f;g;f;h 10\na;f 5\na;g;f 1\nb;f;f;f 2\n"


def test_table() -> None:
    code, out, err = run_here("report", stdin=TRACE)
    assert (code, err) == (0, OTHER_EVENT)
    assert out.decode() == (
        "cycles: 150 period\n"
        "\n"
        "self   self%  total   total%  function\n"
        " 100  66.67%    100   66.67%  leaf\n"
        "  50  33.33%    150  100.00%  main\n"
    )


def test_sorted_by_total_and_limited() -> None:
    code, out, _ = run_here("report", "-q", "--sort", "total", "--limit", "1", stdin=TRACE)
    assert (code, out.decode().splitlines()[3:]) == (0, ["  50  33.33%    150  100.00%  main"])


@pytest.mark.parametrize(
    ("arguments", "event", "unit", "total", "functions"),
    [
        (["--event", "page-faults"], "page-faults", "period", 7, [("load", 7, 7)]),
        (["--weight", "samples"], "cycles", "samples", 2, [("main", 1, 2), ("leaf", 1, 1)]),
        (["--exclude", "tid=11"], "cycles", "period", 50, [("main", 50, 50)]),
    ],
)
def test_json(arguments: list[str], event: str, unit: str, total: int, functions: list[tuple[str, int, int]]) -> None:
    code, out, _ = run_here("report", "--json", *arguments, stdin=TRACE)
    assert code == 0
    assert json.loads(out) == {
        "event": event,
        "unit": unit,
        "total": total,
        "functions": [{"name": name, "self": own, "total": sum_} for name, own, sum_ in functions],
    }


def test_an_event_that_is_not_there() -> None:
    assert run_here("report", "--event", "faults", stdin=TRACE) == (
        2,
        b"",
        b"flameparse: no event 'faults'; the input has: cycles, page-faults\n",
    )


def test_recursion_counts_once_in_a_total() -> None:
    code, out, _ = run_here("report", "--json", "--sort", "total", stdin=RECURSIVE)
    assert code == 0
    assert {row["name"]: (row["self"], row["total"]) for row in json.loads(out)["functions"]} == {
        "a": (0, 16),
        "b": (0, 2),
        "f": (8, 18),
        "g": (0, 11),
        "h": (10, 10),
    }


def test_deep_recursion() -> None:
    code, out, _ = run_here("report", "--json", stdin=b"a 1\na" + b";f" * 100_000 + b" 3\n")
    assert code == 0
    assert json.loads(out)["functions"] == [
        {"name": "f", "self": 3, "total": 3},
        {"name": "a", "self": 1, "total": 4},
    ]


def test_empty_input() -> None:
    code, out, err = run_here("report")
    assert (code, err) == (0, b"flameparse: no samples in the input\n")
    assert out.decode().splitlines()[-1].split() == ["self", "self%", "total", "total%", "function"]
