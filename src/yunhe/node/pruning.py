"""Pruning of a node's ledger, by command or now and then while it runs, without what its webhooks still have to send.

Specification: docs/spec/storage.md, "Pruning".
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from yunhe.errors import YunheError
from yunhe.node.config import NodeConfig
from yunhe.node.folder import STORE_FOLDER, WEBHOOKS_FILE, NodeFolder
from yunhe.node.webhooks.register import Register
from yunhe.storage import LedgerStore, Progress, Pruned, PrunePolicy, prune_folder, prune_store

_DAY_MS: Final = 24 * 60 * 60 * 1000
_INTERVAL_S: Final = 3600.0
"""How often a running node looks for what may go."""

_log = structlog.get_logger("yunhe.node")


class _EndedError(Exception):
    """The node stops, so a pruning that has not deleted anything ends."""


class Pruner:
    """Prunes a running node as its settings say."""

    def __init__(self, folder: NodeFolder, store: LedgerStore, first_unsent: Callable[[], int | None]) -> None:
        """Nothing runs before `start`.

        Args:
            folder: of the node.
            store: open.
            first_unsent: returns the lowest height from which a webhook has still to send, or None.
        """
        self._folder = folder
        self._store = store
        self._first_unsent = first_unsent
        self._ending = asyncio.Event()
        self._is_ending = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, if the settings ask for it; call from the running event loop."""
        config = self._folder.config
        if config.prune_keep_days or config.prune_keep_bytes:
            self._task = asyncio.get_running_loop().create_task(self._run(config))

    async def stop(self) -> None:
        """Return when nothing runs any more."""
        self._is_ending = True
        self._ending.set()
        if self._task is not None:
            await self._task

    async def _run(self, config: NodeConfig) -> None:
        while not self._is_ending:
            try:
                done = await asyncio.to_thread(self._prune, config)
                if done.segments:
                    _log.info("pruned", oldest=done.oldest, segments=done.segments, bytes=done.bytes)
            except _EndedError:
                return
            except YunheError as error:
                # A backup that reads, or a disk without room for the state: the next time it may go.
                _log.warning("pruning put off", code=error.code, reason=error.message)
            except Exception:  # noqa: BLE001  # the task's edge: a fault of ours must end neither pruning for good nor the node's orderly stop
                _log.exception("pruning failed")
            try:
                async with asyncio.timeout(_INTERVAL_S):
                    await self._ending.wait()
            except TimeoutError:
                continue

    def _prune(self, config: NodeConfig) -> Pruned:
        days, size = config.prune_keep_days, config.prune_keep_bytes
        policy = PrunePolicy(days * _DAY_MS if days else None, size or None, self._first_unsent())
        path = self._folder.path
        return prune_store(self._store, path / STORE_FOLDER, self._folder.genesis, policy, self._look, scratch=path / "run")

    def _look(self, done: int, total: int) -> None:  # noqa: ARG002  # a progress
        if self._is_ending:
            raise _EndedError


def prune(folder: NodeFolder, keep_days: int | None, keep_bytes: int | None, progress: Progress, *, dry_run: bool) -> Pruned:
    """Prune the oldest blocks.

    Args:
        folder: of a node that is stopped.
        keep_days: blocks that are older may go; None for none.
        keep_bytes: the oldest may go while the whole blocks have more bytes; None for none.
        progress: is told of blocks.
        dry_run: whether nothing is to be changed.

    Raises:
        YunheError: as `yunhe.storage.prune_folder`.
    """
    policy = PrunePolicy(None if keep_days is None else keep_days * _DAY_MS, keep_bytes, _first_unsent(folder))
    # In the node's folder, because the state may need more room than the system's folder for scratch has.
    return prune_folder(folder.path / STORE_FOLDER, folder.genesis, policy, progress, dry_run=dry_run, scratch=folder.path / "run")


def _first_unsent(folder: NodeFolder) -> int | None:
    path = folder.path / WEBHOOKS_FILE
    if not path.is_file():
        return None
    register = Register(path)
    try:
        return register.first_unsent()
    finally:
        register.close()
