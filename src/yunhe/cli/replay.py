"""`yunhe tx replay`: run a transaction of the past again, on the state that it ran on."""

from pathlib import Path
from typing import Annotated, Any

import typer

from yunhe.cli.changes import calls_text, changes_text, shown
from yunhe.cli.connection import FOLDER_VARIABLE
from yunhe.cli.output import fields, output, utc
from yunhe.cli.tx import TransactionArgument, transaction_id
from yunhe.errors import UsageError
from yunhe.ledger.rendering import receipt_to_json, value_to_json
from yunhe.node import NodeFolder, Replayed, past_transaction

_PROGRESS_BLOCKS = 1000

NodeFolderOption = Annotated[Path | None, typer.Option("--folder", envvar=FOLDER_VARIABLE, help="Folder of a node, running or stopped.")]


def replay(transaction: TransactionArgument, folder: NodeFolderOption = None) -> None:
    """Run a transaction of the past again on the state that it ran on, show what it changed, and prove that its receipt is the same."""
    identity = transaction_id(transaction)
    if folder is None:
        raise UsageError(f"a replay reads the ledger from a node's folder: --folder DIR (or {FOLDER_VARIABLE})")
    with past_transaction(NodeFolder.load(folder), identity, _report_progress) as past:
        replayed = past.replay()
    output.result(_value(replayed), _text(replayed))


def _report_progress(work: str, done: int, total: int) -> None:
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


def _text(replayed: Replayed) -> str:
    header, outcome, body = replayed.block.header, replayed.receipt.outcome, replayed.transaction.body
    head = {
        "transaction": replayed.transaction.id.hex(),
        "block": f"{header.height}, transaction {replayed.position} of 0 to {len(replayed.block.transactions) - 1}, {utc(header.time_ms)}",
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
