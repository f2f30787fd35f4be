"""The pytest plugin for contract authors: the fixture `chain` and the flag `--chain`.

pytest loads it wherever Yunhe is installed, so it lies outside of `yunhe.testing` and imports nothing of Yunhe before a test asks for the
fixture.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

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
