"""`yunhe org sign-skip|skip-order` and `yunhe node skip`: a transaction that no node can execute is passed over by order."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from yunhe.cli.connection import Connection, FolderOption, KeyOption, NodeOption, PassphraseOption, TokenOption, open_keys
from yunhe.cli.hexadecimal import from_hex
from yunhe.cli.output import output
from yunhe.cli.progress import BlockProgress
from yunhe.errors import RecordNotFoundError, UsageError
from yunhe.ledger.skip_order import SkipOrder
from yunhe.ledger.transaction import Signer
from yunhe.node import NodeFolder
from yunhe.node.audit import audited
from yunhe.node.skip_orders import keep_order, new_order, order_text, read_order
from yunhe.sdk import Client
from yunhe.storage.files import named_refusals

HeightArgument = Annotated[int, typer.Argument(min=1, help="The block that cannot be made, as the halted node names it.")]
TransactionArgument = Annotated[str, typer.Argument(metavar="ID", help="The transaction that is to be passed over.")]


def sign_skip(  # one for each option
    height: HeightArgument,
    transaction: TransactionArgument,
    out: Annotated[Path, typer.Option("--out", help="The order; one that others have signed gets your signature too.")],
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Sign an order to pass over a transaction, for your organisation; more than two thirds of all have to."""
    with Connection(folder, node, token_file).open() as client:
        order = _begin(client, height, transaction)
    if out.exists():
        order = _added_to(read_order(out), order, out)
    for signer in open_keys(key, passphrase_file):
        public = signer.key.public_key
        order = order.signed(Signer(signer.member.organisation, signer.member.member, public.suite, public.raw), signer.key)
    _write(order, out)
    output.fields(
        {
            "order": str(out),
            "height": order.height,
            "transaction": order.transaction_id.hex(),
            "signed_by": _signers(order),
            "next": "hand the order on to be signed; when enough have: yunhe node skip FOLDER --order FILE at every node",
        }
    )


def _begin(client: Client, height: int, transaction: str) -> SkipOrder:
    head = int(client.status()["height"])
    if head != height - 1:
        raise UsageError(f"the node's last block is {head}, so its next one is {head + 1} and not {height}; ask a node that stands there")
    try:
        wanted = from_hex(transaction)
        previous = from_hex(str(client.block(head)["header"]["hash"]))
    except ValueError as error:
        raise UsageError(f"{transaction!r} is no transaction id; the halted node's log and status name it") from error
    return new_order(client.network_id, height, previous, wanted)


def _added_to(found: SkipOrder, order: SkipOrder, out: Path) -> SkipOrder:
    if replace(found, signatures=()) != order:
        raise UsageError(f"{out} is an order about another block or transaction; name another file with --out")
    return found


def _write(order: SkipOrder, out: Path) -> None:
    with named_refusals(out):
        out.write_text(order_text(order), encoding="utf-8")


def _signers(order: SkipOrder) -> list[str]:
    return [signature.signer.name for signature in order.signatures]


def fetch_order(  # one for each option
    height: HeightArgument,
    transaction: TransactionArgument,
    out: Annotated[Path, typer.Option("--out", help="File for the order.")],
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Write the order by which a block passed over a transaction, as the ledger has it; a node that catches up needs it."""
    with Connection(folder, node, token_file).open() as client:
        try:
            fields = client.record("governance", "skips", [height, from_hex(transaction)])["fields"]
        except (ValueError, RecordNotFoundError) as error:
            raise RecordNotFoundError(f"block {height} passed over no transaction {transaction}") from error
    order = SkipOrder.decode(from_hex(str(fields["order"])))
    _write(order, out)
    output.fields({"order": str(out), "signed_by": _signers(order)})


def skip_in_node(
    folder: Annotated[Path, typer.Argument(help="The node's folder; the node must be stopped.")],
    order: Annotated[Path, typer.Option("--order", help="The order, signed by enough organisations.")],
) -> None:
    """Give a stopped node an order to pass over a transaction, so that its next start makes the block."""
    loaded = NodeFolder.load(folder)
    read = read_order(order)
    about = {"height": str(read.height), "transaction": read.transaction_id.hex()}
    with audited(folder, "skip", about), loaded.open_store(BlockProgress("rolled forward")) as store:
        counts = keep_order(loaded, store, read)
    output.fields(
        {
            "height": read.height,
            "transaction": read.transaction_id.hex(),
            "signed_by": _signers(read),
            "counts": "yes" if counts else "is checked when the node is at that block",
            "next": f"yunhe node start {folder}",
        }
    )
