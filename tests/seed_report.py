"""The report of a long run: of what source, which seeds or cases of each test passed, how long they took, and how to repeat what failed.

`make test-long` loads this as a plugin of pytest; with `--seed-report FILE` the table is written to a file as well, in Markdown.
"""

import platform
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

OPTION = "--seed-report"
FAILED = ("failed", "error")


class Tally:
    """What came of the tests so far, by name without what parametrizes them."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Counter[str]] = {}
        self.cases: dict[str, list[str]] = {}
        """What parametrizes them: seeds, or names of cases."""
        self.seconds: Counter[str] = Counter()
        self.failed: list[str] = []

    def take(self, report: pytest.TestReport) -> None:
        """Take note of one phase of a test: its call, or what went wrong around it."""
        name, _, case = report.nodeid.partition("[")
        self.seconds[name] += report.duration
        if report.when != "call" and report.passed:
            return
        if case:
            self.cases.setdefault(name, []).append(case.removesuffix("]"))
        outcome = "error" if report.failed and report.when != "call" else report.outcome
        self.outcomes.setdefault(name, Counter())[outcome] += 1
        if report.failed:
            self.failed.append(report.nodeid)

    def lines(self, about: Mapping[str, str]) -> Iterator[str]:
        """Yield the report as Markdown."""
        yield "# Long tests"
        yield ""
        yield from (f"{name}: {value}" for name, value in about.items())
        yield ""
        yield "| Test | Seeds or cases | Passed | Failed | Skipped | Seconds |"
        yield "|---|---|---|---|---|---|"
        for name, outcomes in sorted(self.outcomes.items()):
            failed = sum(outcomes[outcome] for outcome in FAILED)
            counts = (outcomes["passed"], failed, outcomes["skipped"], f"{self.seconds[name]:.0f}")
            yield f"| `{name}` | {_shown(self.cases.get(name, []))} | {' | '.join(map(str, counts))} |"
        if self.failed:
            yield ""
            yield "Failed; each again with:"
            yield ""
            yield from (f"- `make test-long ARGS='{name}'`" for name in self.failed)


def _shown(cases: list[str]) -> str:
    """Return seeds as ranges, and other cases by name."""
    if not all(case.isdecimal() for case in cases):
        return "; ".join(dict.fromkeys(cases))
    ranges: list[list[int]] = []
    for seed in sorted({int(case) for case in cases}):
        if ranges and seed == ranges[-1][1] + 1:
            ranges[-1][1] = seed
        else:
            ranges.append([seed, seed])
    return ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in ranges)


def _source() -> str:
    """Return what was tested."""
    git = ["git", "-C", str(Path(__file__).parent)]
    commit = subprocess.run([*git, "log", "-1", "--format=%h %s"], capture_output=True, text=True, check=False).stdout.strip()
    changes = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=False).stdout.strip()
    return (commit or "unknown, no git checkout") + (", with changes that are not committed" if changes else "")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the file."""
    parser.addoption(OPTION, type=Path, default=None, help="write what came of each test's seeds to a file")


def pytest_configure(config: pytest.Config) -> None:
    """Count from the beginning."""
    config.stash[_TALLY] = Tally()
    config.pluginmanager.register(_Collector(config.stash[_TALLY]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the report, and write it."""
    about = {
        "Source": _source(),
        "Hypothesis": f"profile {settings.get_current_profile_name()}",
        "Ended": f"{time.strftime('%Y-%m-%d %H:%M:%S %Z')}",
        "Machine": f"{platform.machine()}, {platform.system()} {platform.release()}, CPython {platform.python_version()}",
    }
    lines = list(config.stash[_TALLY].lines(about))
    terminalreporter.section("long tests")
    for line in lines:
        terminalreporter.write_line(line)
    path: Path | None = config.getoption(OPTION)
    if path is not None:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


class _Collector:
    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._tally.take(report)


_TALLY = pytest.StashKey[Tally]()
