"""A chain on a real node that tells each step. Apart from the other one, because a node needs the native core."""

from collections.abc import Callable
from pathlib import Path

from yunhe.testing.narration import Narration, Step
from yunhe.testing.node_chain import NodeChain


class NarratingNodeChain(Narration, NodeChain):
    """A chain on a node of its own that tells each step. Use as a context manager."""

    def __init__(self, tell: Callable[[Step], None], folder: Path) -> None:
        self._tell = tell
        super().__init__(folder)
