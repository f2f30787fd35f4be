"""What the loss of one node does to a network under load: when it commits as before, and when the node is at the head again.

The node's process is killed in the middle of a load, which ends its worker and its engine, and whoever watches over the network starts it
again. All times count from the kill.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from yunhe.bench.load import LoadResult
from yunhe.bench.scratch_network import ScratchNetwork
from yunhe.errors import BadAnswerError, YunheError

_WINDOW_S: Final = 1.0
"""Over so long a rate is taken."""
_STEP_S: Final = 0.05
_SHARE: Final = 0.8
"""So much of what was committed before counts as being back."""
_POLL_S: Final = 0.05
_HEAD_TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was seen of one loss; seconds, which count from the kill."""

    before_per_s: int
    """What was committed a second until then."""
    gap_s: float
    """The longest time without a commit after it."""
    back_s: float | None
    """The first second in which four fifths of the rate before were committed begins here; None when there was none."""
    after_per_s: int
    """What was committed a second from the kill to the end of the load."""
    head_s: float
    """The node that was killed has all blocks of the others."""


class Loss:
    """Kills a node in the middle of a load and watches it come back, in a thread of its own."""

    def __init__(self, network: ScratchNetwork, after_s: float) -> None:
        self._network = network
        self._victim = network.organisations[-1]
        self._after_s = after_s
        self._killed_s = 0.0
        self._head_s: float | None = None
        self._thread = threading.Thread(target=self._watch, name="loss", daemon=True)
        self._thread.start()

    def recovery(self, result: LoadResult, begun_s: float) -> Recovery:
        """Return what came of it, once the load is over.

        Args:
            result: of the load.
            begun_s: when the load began, by the monotonic clock.

        Raises:
            BadAnswerError: the node did not come back.
        """
        self._thread.join()
        if self._head_s is None:
            raise BadAnswerError(f"the node that was killed was not at the head within {_HEAD_TIMEOUT_S:.0f} s")
        return recovery(result.commits, begun_s, self._killed_s, self._head_s)

    def _watch(self) -> None:
        time.sleep(self._after_s)
        self._network.kill(self._victim)
        self._killed_s = time.monotonic()
        deadline_s = self._killed_s + _HEAD_TIMEOUT_S
        while time.monotonic() < deadline_s:
            time.sleep(_POLL_S)
            try:
                head = self._network.height(self._network.organisations[0])
                at_head = self._network.height(self._victim) >= head
            except YunheError:
                # It does not answer yet.
                continue
            if at_head:
                self._head_s = time.monotonic() - self._killed_s
                return


def recovery(commits: Sequence[tuple[float, int]], begun_s: float, killed_s: float, head_s: float) -> Recovery:
    """Return what the times of commits tell of a kill.

    Args:
        commits: time and count of each, in order.
        begun_s: when the load began.
        killed_s: when the node was killed.
        head_s: when it was at the head again, from the kill.
    """

    def rate(from_s: float, to_s: float) -> float:
        return sum(count for at, count in commits if from_s < at <= to_s) / (to_s - from_s)

    last_s = commits[-1][0]
    before = rate(begun_s, killed_s)
    after = [at for at, _ in commits if at > killed_s]
    gaps = [there - here for here, there in zip([killed_s, *after], after, strict=False)]
    return Recovery(
        before_per_s=round(before),
        gap_s=round(max(gaps, default=0.0), 2),
        back_s=_first(lambda offset_s: rate(killed_s + offset_s, killed_s + offset_s + _WINDOW_S) >= _SHARE * before, last_s - killed_s),
        after_per_s=round(rate(killed_s, max(last_s, killed_s + _WINDOW_S))),
        head_s=round(head_s, 2),
    )


def _first(holds: Callable[[float], bool], span_s: float) -> float | None:
    """Return the first offset whose whole window is in the span and for which something holds."""
    for step in range(max(0, int((span_s - _WINDOW_S) / _STEP_S) + 1)):
        if holds(step * _STEP_S):
            return round(step * _STEP_S, 2)
    return None
