"""`yunhe contract profile`: where a transaction of the past spent its gas and its time."""

import ast
from typing import Annotated, Any

import typer

from yunhe.cli.connection import FOLDER_VARIABLE
from yunhe.cli.output import output
from yunhe.cli.replay import NodeFolderOption, report_progress
from yunhe.cli.tx import transaction_id
from yunhe.errors import UsageError
from yunhe.node import NodeFolder, Profile, past_transaction
from yunhe.node import profile as profile_of


def profile(
    transaction: Annotated[str, typer.Option("--tx", metavar="ID", help="Transaction id, 64 hexadecimal digits.")],
    folder: NodeFolderOption = None,
) -> None:
    """Run a transaction of the past again and show, line by line, where its gas and its time went.

    Contracts run in this process, with your rights: trust them first. A straight run of statements is paid at the first of them.
    """
    identity = transaction_id(transaction)
    if folder is None:
        raise UsageError(f"a profile reads the ledger from a node's folder: --folder DIR (or {FOLDER_VARIABLE})")
    node = NodeFolder.load(folder)
    with past_transaction(node, identity, report_progress) as past:
        found = profile_of(past, past.replay(), node.genesis.chain_hash)
    output.result(_value(identity, found), _text(found))


def _value(identity: bytes, found: Profile) -> dict[str, Any]:
    texts = {contract: source.split("\n") for contract, source in found.sources.items()}
    return {
        "transaction_id": identity.hex(),
        "gas_used": found.gas_used,
        "transaction_gas": found.transaction_gas,
        "calls_gas": found.calls_gas,
        "results_gas": found.results_gas,
        "lines": [
            {"contract": contract, "line": line, "gas": spent.gas, "time_ns": spent.time_ns, "text": texts[contract][line - 1]}
            for (contract, line), spent in found.lines.items()
        ],
    }


def _text(found: Profile) -> str:
    lines = [text for contract, source in found.sources.items() for text in _listing(found, contract, source)]
    outside = {
        "of the transaction and its bytes": found.transaction_gas,
        "of its calls": found.calls_gas,
        "of its results": found.results_gas,
    }
    return "\n".join([*lines, *(f"{gas:>12}  {what}" for what, gas in outside.items()), f"{found.gas_used:>12}  gas in all"])


def _listing(found: Profile, contract: str, source: str) -> list[str]:
    """Return the functions of a contract that were reached, each line with its gas and its part of the time."""
    total_ns = sum(spent.time_ns for spent in found.lines.values()) or 1
    text = source.split("\n")
    lines = [f"{'gas':>12}  time  {contract}"]
    for node in ast.parse(source).body:
        end = node.end_lineno or node.lineno
        if not any((contract, number) in found.lines for number in range(node.lineno, end + 1)):
            continue
        for number in range(node.lineno, end + 1):
            spent = found.lines.get((contract, number))
            shown = f"{'':>18}" if spent is None else f"{spent.gas:>12}  {100 * spent.time_ns // total_ns:>3}%"
            lines.append(f"{shown}  {number:>4}  {text[number - 1]}".rstrip())
        lines.append("")
    return lines
