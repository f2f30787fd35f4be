"""What tests of the command line leave behind is put back."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command sends what is logged to its standard error, which pytest closes after the test."""
    yield
    structlog.reset_defaults()
