"""`yunhe tx replay`: run a transaction of the past again, on the state that it ran on, under a debugger if wanted."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from yunhe.cli.changes import calls_text, changes_text, shown
from yunhe.cli.connection import FOLDER_VARIABLE
from yunhe.cli.debugger import ContractDebugger, DebuggingEndedError, Stop
from yunhe.cli.output import fields, output, utc
from yunhe.cli.tx import TransactionArgument, transaction_id
from yunhe.errors import UsageError
from yunhe.ledger.rendering import receipt_to_json, value_to_json
from yunhe.node import NodeFolder, PastTransaction, PlainReplay, Replayed, SourceFolder, past_transaction

_PROGRESS_BLOCKS = 1000

NodeFolderOption = Annotated[Path | None, typer.Option("--folder", envvar=FOLDER_VARIABLE, help="Folder of a node, running or stopped.")]
SourcesOption = Annotated[
    Path | None,
    typer.Option("--sources", help="Run it un-metered as well, and put the contracts' sources into this folder, for an editor's debugger."),
]
AtOption = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="CALL", help="With --debug, stop first at this call, counted from 0, or wherever CONTRACT.ACTION is called."
    ),
]


def replay(
    transaction: TransactionArgument,
    folder: NodeFolderOption = None,
    sources: SourcesOption = None,
    at: AtOption = None,
    *,
    debug: Annotated[
        bool, typer.Option("--debug", help="Run it un-metered as well, in pdb; at its end, if it failed, at that line.")
    ] = False,
) -> None:
    """Run a transaction of the past again on the state that it ran on, show what it changed, and prove that its receipt is the same.

    With --debug or --sources contracts run un-metered as well, in this process and with your rights: trust them first.
    """
    identity = transaction_id(transaction)
    if folder is None:
        raise UsageError(f"a replay reads the ledger from a node's folder: --folder DIR (or {FOLDER_VARIABLE})")
    if debug and output.json:
        raise UsageError("--debug is a conversation; leave out --json")
    if at is not None and not debug:
        raise UsageError("--at says where --debug stops first; give that too")
    node = NodeFolder.load(folder)
    with past_transaction(node, identity, report_progress) as past, _source_folder(sources, node) as place:
        stop = None if at is None else Stop(at, past.transaction.body.calls)
        replayed = past.replay()
        if debug:
            _say(_text(replayed))
            _debug(past, replayed, place, stop)
        elif sources is not None:
            _show_plain(replayed, past.replay_plainly(replayed, place, _Nobody()), place)
        else:
            output.result(_value(replayed), _text(replayed))


@contextmanager
def _source_folder(sources: Path | None, node: NodeFolder) -> Iterator[SourceFolder]:
    """Return the folder for sources: the one that was named, or one that goes with the conversation."""
    with tempfile.TemporaryDirectory(prefix="yunhe-replay-") as made:
        yield SourceFolder(sources or Path(made), node.genesis.chain_hash)


class _Nobody:
    """Follows an un-metered run when no debugger of ours does. Implements `yunhe.node.replay.PlainWatch`."""

    def placed(self, contract: str, source: str, file: str) -> None:
        del contract, source, file

    def entering(self, call_index: int) -> None:
        del call_index


def _show_plain(replayed: Replayed, plain: PlainReplay, place: SourceFolder) -> None:
    files = [str(file) for files in place.files.values() for file in files]
    value = _value(replayed) | {"plain_differences": list(plain.differences(replayed)), "sources": files}
    output.result(value, f"{_text(replayed)}\n{fields({'un-metered': _comparison(replayed, plain), 'sources': files})}")


def _debug(past: PastTransaction, replayed: Replayed, place: SourceFolder, stop: Stop | None) -> None:
    debugger = ContractDebugger(stop)
    try:
        plain = debugger.debug(lambda: past.replay_plainly(replayed, place, debugger))
        if stop is not None and not debugger.stopped:
            _say(f"no call reached {stop.text}")
        _say(f"un-metered: {_comparison(replayed, plain)}")
        error = plain.outcome.error
        if error is not None:
            _say(f"ended by {type(error).__name__}: {error}")
            debugger.examine(error)
    except DebuggingEndedError:
        _say("un-metered: ended by the debugger")


def _say(text: str) -> None:
    output.result({}, text)


def _comparison(replayed: Replayed, plain: PlainReplay) -> str:
    differences = plain.differences(replayed)
    if not differences:
        return "the same code, results, events and changes"
    code = f"; it ended with {plain.outcome.code}" if "code" in differences else ""
    return (
        f"another {', '.join(differences)} than the ledger's{code}. What only metering sees, gas above all, does not end an un-metered run"
    )


def report_progress(work: str, done: int, total: int) -> None:
    """Say on standard error how many blocks are done."""
    if done % _PROGRESS_BLOCKS == 0:
        output.progress(f"{work}: {done} of {total} blocks")


def _value(replayed: Replayed) -> dict[str, Any]:
    header = replayed.block.header
    return {
        **receipt_to_json(replayed.receipt),
        "height": header.height,
        "position": replayed.position,
        "time_ms": header.time_ms,
        "signers": [{"organisation": s.organisation, "member": s.member, "roles": list(s.roles)} for s in replayed.signers],
        "calls": [
            {"contract": call.contract, "action": call.action, "arguments": value_to_json(dict(call.arguments))}
            for call in replayed.transaction.body.calls
        ],
        "gas_limit": replayed.transaction.body.gas_limit,
        "fault": replayed.fault,
        "changes": [change.to_json() for change in replayed.changes],
        "receipt_same": True,
        "receipt_bytes": len(replayed.receipt.encoded),
        "receipts_root": header.receipts_root.hex(),
        "header_hash": replayed.block.header_hash.hex(),
        "log_size": replayed.log_size,
        "log_root": replayed.log_root.hex(),
    }


def _place(position: int, count: int) -> str:
    return "its only transaction" if count == 1 else f"transaction {position + 1} of {count} (position {position})"


def _text(replayed: Replayed) -> str:
    header, outcome, body = replayed.block.header, replayed.receipt.outcome, replayed.transaction.body
    head = {
        "transaction": replayed.transaction.id.hex(),
        "block": f"{header.height}, {_place(replayed.position, len(replayed.block.transactions))}, {utc(header.time_ms)}",
        "signers": [f"{s.organisation}/{s.member}" + (f" ({', '.join(s.roles)})" if s.roles else "") for s in replayed.signers],
        "calls": calls_text([(call.contract, call.action, call.arguments) for call in body.calls]),
        "code": outcome.code if outcome.call_index < 0 else f"{outcome.code} in call {outcome.call_index}",
        "fault": replayed.fault,
        "gas": f"{outcome.gas_used} of {body.gas_limit}",
        "results": [f"{index}  {shown(result)}" for index, result in enumerate(outcome.results)],
        "events": [f"{event.contract}.{event.name} {shown(dict(event.fields))}" for event in outcome.events],
    }
    head = {name: item for name, item in head.items() if item != ""}
    proof = {
        "receipt": f"the same as in the block, byte for byte ({len(replayed.receipt.encoded)} bytes)",
        "receipts_root": f"{header.receipts_root.hex()}, of the block's header",
        "block_log": f"{replayed.log_root.hex()}, the root of {replayed.log_size} headers with that one",
    }
    return f"{fields(head)}\nchanges:\n{changes_text(replayed.changes)}\n{fields(proof)}"
