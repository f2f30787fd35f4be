"""`yunhe node backup` and `yunhe node restore`."""

from pathlib import Path
from typing import Annotated

import typer

from yunhe.cli.output import output
from yunhe.errors import UsageError, YunheError
from yunhe.node import NodeFolder, back_up, is_node_folder, restore
from yunhe.node.audit import DONE, audited, local_actor, record
from yunhe.storage import Continuation, Progress

_PROGRESS_BLOCKS = 1000

_NEXT = {
    Continuation.HELD: "the ledger can be read, and the node decides nothing: nobody has said what followed the backup",
    Continuation.COMPLETE: "the node goes on from the backup",
    Continuation.ROLLED_BACK: "the node goes on from the backup; its ledger key cosigns nothing more",
}


def backup_node(
    folder: Annotated[Path, typer.Argument(help="The node's folder; the node may be running.")],
    target: Annotated[Path, typer.Argument(metavar="DIR|FILE", help="The backup's file, or a folder to make one in.")],
) -> None:
    """Write a backup of the ledger, with genesis and configuration, and without keys and secrets."""
    loaded = NodeFolder.load(folder)
    with audited(folder, "backup", {"target": str(target)}):
        path, mark = back_up(loaded, target, _progress("copied"))
    output.fields({"backup": str(path), "height": mark.height, "log_root": mark.root.hex(), "bytes": path.stat().st_size})


def restore_node(
    backup: Annotated[Path, typer.Argument(help="The backup's file.")],
    folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet, or a node's whose folder `store` was moved away.")],
    cosigner: Annotated[Path | None, typer.Option("--cosigner", help="File `store/cosigner` of the lost node, if it was saved.")] = None,
    *,
    complete: Annotated[bool, typer.Option("--complete", help="The node had stopped for good when the backup was made.")] = False,
    roll_back: Annotated[bool, typer.Option("--roll-back", help="Go on from the backup and give up what followed it.")] = False,
) -> None:
    """Make a node out of a backup. Without --complete or --roll-back its ledger can be read, and it decides nothing."""
    if complete and roll_back:
        raise UsageError("--complete says that nothing followed the backup, --roll-back gives up what followed: they exclude each other")
    if cosigner is not None and not (complete or roll_back):
        raise UsageError("--cosigner says what the node cosigned; say too whether blocks followed the backup: --complete or --roll-back")
    continuation = Continuation.COMPLETE if complete else Continuation.ROLLED_BACK if roll_back else Continuation.HELD
    subject = {"backup": str(backup), "continuation": continuation.name.lower()}
    try:
        made, mark = restore(backup, folder, continuation, cosigner, _progress("checked"))
    except YunheError as error:
        # Elsewhere there is no folder to keep an entry in.
        if is_node_folder(folder):
            record(folder, local_actor(), "restore", subject, error.code)
        raise
    record(folder, local_actor(), "restore", subject | {"height": mark.height}, DONE)
    known = continuation is Continuation.ROLLED_BACK and cosigner is not None
    output.fields(
        {
            "folder": str(folder),
            "network_id": made.genesis.network_id.hex(),
            "height": mark.height,
            "next": _NEXT[Continuation.COMPLETE if known else continuation],
            "keys": "in place" if made.has_keys() else f"put keys/ and secrets/ of the node into {folder}",
        }
    )


def _progress(done_word: str) -> Progress:
    def report(done: int, total: int) -> None:
        if done == total or done % _PROGRESS_BLOCKS == 0:
            output.progress(f"{done_word} {done} of {total} blocks")

    return report
