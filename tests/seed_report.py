"""The report of a long run: for each test how many of its seeds passed, and how long they took.

`make test-long` loads this as a plugin of pytest; with `--seed-report FILE` the table is written to a file as well, in Markdown.
"""

import platform
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

OPTION = "--seed-report"
FAILED = ("failed", "error")


class Tally:
    """What came of the tests so far, by name without what parametrizes them."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Counter[str]] = {}
        self.seconds: Counter[str] = Counter()
        self.failed: list[str] = []

    def take(self, report: pytest.TestReport) -> None:
        """Take note of one phase of a test: its call, or what went wrong around it."""
        name = report.nodeid.partition("[")[0]
        self.seconds[name] += report.duration
        if report.when != "call" and report.passed:
            return
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
        yield "| Test | Passed | Failed | Skipped | Seconds |"
        yield "|---|---|---|---|---|"
        for name, outcomes in sorted(self.outcomes.items()):
            failed = sum(outcomes[outcome] for outcome in FAILED)
            yield f"| `{name}` | {outcomes['passed']} | {failed} | {outcomes['skipped']} | {self.seconds[name]:.0f} |"
        if self.failed:
            yield ""
            yield "Failed:"
            yield ""
            yield from (f"- `{name}`" for name in self.failed)


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
