"""The pytest plugin for contract authors: the fixture `chain` and the flag `--chain`.

pytest loads it wherever Yunhe is installed, so it lies outside of `yunhe.testing` and imports nothing of Yunhe before a test asks for the
fixture.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from yunhe.testing import Chain


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flag."""
    parser.getgroup("yunhe", "contracts of the ledger Yunhe").addoption(
        "--chain",
        choices=("plain", "metered"),
        default="metered",
        help="how the fixture `chain` runs contracts: plain, as ordinary Python; or metered, which repeats each call as a node runs it "
        "and compares (default)",
    )


@pytest.fixture
def chain(request: pytest.FixtureRequest) -> "Chain":
    """Return an empty chain in memory, which runs calls as the flag `--chain` says."""
    from yunhe.testing import Chain  # noqa: PLC0415  # whoever does not ask for the fixture pays nothing

    return Chain(metered=request.config.getoption("--chain") == "metered")
