"""The pytest plugin for contract authors: the fixture `chain`, the flag `--chain`, and a report of the tests as JSON.

pytest loads it wherever Yunhe is installed, so it lies outside of `yunhe.testing` and imports nothing of Yunhe before a test asks for the
fixture.
"""

import json
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from yunhe.testing import Chain


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flag."""
    parser.getgroup("yunhe", "contracts of the ledger Yunhe").addoption(
        "--chain",
        choices=("plain", "metered", "node"),
        default="metered",
        help="how the fixture `chain` runs contracts: plain, as ordinary Python; metered, which repeats each call as a node runs it "
        "and compares (default); or node, which also makes a node for each test and submits each call to it",
    )
    parser.getgroup("yunhe").addoption(
        "--yunhe-report", type=Path, metavar="FILE", help="write the outcome and the place of each test to a file, as JSON"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the report, if one is asked for."""
    path = config.getoption("--yunhe-report")
    if path is not None:
        config.pluginmanager.register(_Report(path))


class _Report:
    """What became of each test, and at which line of the author's."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tests: list[dict[str, Any]] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note the author's line that a failure is about: pytest's own is the one that raised, which may be Yunhe's or Hypothesis'."""
        report = yield
        place = getattr(getattr(item, "cls", None), "yunhe_place", None)
        if report.failed and call.excinfo is not None:
            from yunhe.testing.places import place_of  # noqa: PLC0415  # who runs no contract pays nothing

            place = place_of(call.excinfo.value) or place
        if place is not None:
            # Plain values: pytest-xdist hands reports from process to process as JSON.
            report.yunhe_place = (place.file, place.line)  # type: ignore[attr-defined]
        return report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that could not be read."""
        if report.failed:
            self._note(report, "error")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test when it has run, and what failed before or after it."""
        if report.when == "call" or report.skipped:
            self._note(report, report.outcome)
        elif report.failed:
            self._note(report, "error")

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        self._path.write_text(json.dumps(self._tests, ensure_ascii=False), encoding="utf-8")

    def _note(self, report: pytest.TestReport | pytest.CollectReport, outcome: str) -> None:
        crash = getattr(report.longrepr, "reprcrash", None)
        _, line, _ = report.location or ("", None, "")
        place = {"file": report.nodeid.partition("::")[0], "line": None if line is None else line + 1}
        own = getattr(report, "yunhe_place", None)
        if own is not None:
            place = dict(zip(("file", "line"), own, strict=True))
        elif crash is not None:
            place = {"file": crash.path, "line": crash.lineno}
        message = "" if not report.failed else crash.message if crash is not None else report.longreprtext
        self._tests.append({"test": report.nodeid, "outcome": outcome, **place, "message": message})


@pytest.fixture
def chain(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Chain]":
    """Return an empty chain, which runs calls as the flag `--chain` says."""
    kind = request.config.getoption("--chain")
    if kind == "node":
        from yunhe.testing.node_chain import NodeChain  # noqa: PLC0415  # as below

        with NodeChain(tmp_path_factory.mktemp("ledger") / "node") as on_node:
            yield on_node
    else:
        from yunhe.testing import Chain  # noqa: PLC0415  # whoever does not ask for the fixture pays nothing

        yield Chain(metered=kind == "metered")
