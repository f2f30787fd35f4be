"""A contract worker that serves from far down the stack: nothing that a contract does may depend on how deep that is."""

from collections.abc import Callable

from yunhe.contracts.worker import main

FRAMES = 300


def serve(descriptor: int, parent: int, hash_name: str) -> None:
    """Run as a worker, below `FRAMES` more frames than others."""
    below(FRAMES, lambda: main.main(descriptor, parent, hash_name))


def below(frames: int, run: Callable[[], object]) -> object:
    """Run something below so many frames."""
    return run() if frames == 0 else below(frames - 1, run)
