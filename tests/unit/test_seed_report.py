"""The report of a long run counts seeds by test, and names those that failed."""

import pytest

from tests.seed_report import Tally


def report(nodeid: str, when: str, outcome: str, seconds: float = 1.0) -> pytest.TestReport:
    return pytest.TestReport(nodeid, ("a.py", 1, "a"), {}, outcome, None, when, duration=seconds)  # type: ignore[arg-type]


def test_report_counts_seeds_and_names_those_that_failed() -> None:
    tally = Tally()
    for seed, outcome in enumerate(["passed", "failed", "passed"]):
        tally.take(report(f"a.py::test_a[{seed}]", "setup", "passed", 0.5))
        tally.take(report(f"a.py::test_a[{seed}]", "call", outcome, 2.0))
    tally.take(report("a.py::test_b[0]", "setup", "failed"))
    tally.take(report("a.py::test_c[0]", "setup", "skipped"))
    lines = list(tally.lines({"Machine": "one"}))
    assert "| `a.py::test_a` | 0 to 2 | 2 | 1 | 0 | 8 |" in lines
    assert "| `a.py::test_b` | 0 | 0 | 1 | 0 | 1 |" in lines
    assert "| `a.py::test_c` | 0 | 0 | 0 | 1 | 1 |" in lines
    assert lines[-2:] == ["- `make test-long ARGS='a.py::test_a[1]'`", "- `make test-long ARGS='a.py::test_b[0]'`"]


def test_report_shows_seeds_as_ranges_and_cases_by_name() -> None:
    tally = Tally()
    for case in ("7", "1", "2", "3", "9"):
        tally.take(report(f"a.py::test_a[{case}]", "call", "passed"))
    for case in ("node-SM2 and SM3", "node-SM2 and SM3", "worker"):
        tally.take(report(f"a.py::test_b[{case}]", "call", "passed"))
    lines = list(tally.lines({}))
    assert "| `a.py::test_a` | 1 to 3, 7, 9 | 5 | 0 | 0 | 5 |" in lines
    assert "| `a.py::test_b` | node-SM2 and SM3; worker | 3 | 0 | 0 | 3 |" in lines


def test_report_of_a_run_without_failures_names_none() -> None:
    tally = Tally()
    tally.take(report("a.py::test_a", "call", "passed"))
    lines = list(tally.lines({}))
    assert not [line for line in lines if line.startswith("Failed")]
    assert "| `a.py::test_a` |  | 1 | 0 | 0 | 1 |" in lines
