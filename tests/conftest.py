"""Settings of every test: how hypothesis searches, that none leaves logging changed to the next, and that interrupts reach processes.

The default profile derives its examples from the test itself, so `make test` gives the same verdict on the same sources wherever it
runs; the `long` profile searches at random and prints what reproduces a failure. Neither has a deadline: no verdict depends on time.
"""

import signal

import structlog
from hypothesis import HealthCheck, settings

settings.register_profile("default", derandomize=True, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", deadline=None, print_blob=True, max_examples=5000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")


def pytest_runtest_teardown() -> None:
    """Put logging back: a command sends it to its standard error, which pytest closes after the test."""
    structlog.reset_defaults()


def pytest_configure() -> None:
    """Take interrupts: a shell's background job ignores them and hands that on, and then no process of a test could be interrupted."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
