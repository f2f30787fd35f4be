"""Generated pages are what their sources generate now."""

import pytest

from tools import protocol
from tools.reference.pages import PAGES, stale


@pytest.mark.parametrize("path", sorted(PAGES))
def test_generated_page_written_again_is_unchanged(path: str) -> None:
    assert not stale(path), f"{path} is stale: run `make docs`"


def test_generated_code_written_again_is_unchanged() -> None:
    assert protocol.stale() == [], "run `make protocol`"
