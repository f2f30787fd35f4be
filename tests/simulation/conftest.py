"""Simulations say what they find, and their nodes nothing."""

import pytest
import structlog


@pytest.fixture(autouse=True)
def _quiet() -> None:
    """Every opened store logs what it rolled forward."""
    structlog.configure(processors=[_drop])


def _drop(*_: object) -> dict[str, object]:
    raise structlog.DropEvent
