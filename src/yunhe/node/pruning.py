"""Pruning of a stopped node's ledger, without what its webhooks still have to send. Specification: docs/spec/storage.md, "Pruning"."""

from yunhe.node.events import EventPlace
from yunhe.node.folder import STORE_FOLDER, WEBHOOKS_FILE, NodeFolder
from yunhe.node.webhooks.register import Register
from yunhe.storage import Progress, Pruned, PrunePolicy, prune_folder

_DAY_MS = 24 * 60 * 60 * 1000


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
    """Return the lowest height from which a webhook has still to send."""
    path = folder.path / WEBHOOKS_FILE
    if not path.is_file():
        return None
    register = Register(path)
    try:
        # STO-036
        return min((EventPlace.after(hook.reached).height for hook in register.all()), default=None)
    finally:
        register.close()
