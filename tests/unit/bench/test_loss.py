"""What the times of commits tell of a kill."""

import pytest

from yunhe.bench.load import Load
from yunhe.bench.loss import recovery
from yunhe.bench.run import Options
from yunhe.bench.workloads import WORKLOADS
from yunhe.errors import UsageError


def steady(from_s: float, to_s: float, count: int, every_s: float = 0.1) -> list[tuple[float, int]]:
    steps = round((to_s - from_s) / every_s)
    return [(from_s + every_s * (step + 1), count) for step in range(steps)]


def test_pause_after_a_kill_and_the_return_are_measured_from_the_kill() -> None:
    found = recovery([*steady(0, 5, 10), *steady(7, 12, 10)], 0.0, 5.0, 6.004)
    assert (found.before_per_s, found.gap_s, found.head_s) == (100, 2.1, 6.0)
    # The first second with four fifths of the rate begins a little before the commits do.
    assert found.back_s is not None
    assert 1.7 <= found.back_s <= 1.95
    assert found.after_per_s == round(500 / 7)


def test_network_that_is_not_slowed_is_back_at_once() -> None:
    found = recovery(steady(0, 12, 10), 0.0, 5.0, 1.0)
    assert (found.back_s, found.gap_s) == (0.0, 0.1)


@pytest.mark.parametrize("after", [[], steady(5, 12, 5), steady(11.5, 12, 10)])
def test_rate_that_does_not_come_back_within_the_load_is_none(after: list[tuple[float, int]]) -> None:
    assert recovery([*steady(0, 5, 10), *after], 0.0, 5.0, 1.0).back_s is None


def test_kill_in_a_network_that_would_stand_still_is_refused() -> None:
    with pytest.raises(UsageError, match="--network 4"):
        Options(WORKLOADS["transfer"], Load(1, 1, 1, None), 10, kill_s=5, organisations=3)
