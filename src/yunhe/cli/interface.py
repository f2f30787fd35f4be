"""`yunhe contract interface`: what a contract offers, for programs: a JSON Schema, or a typed Python client."""

import json
from pathlib import Path
from typing import Annotated

import typer

from yunhe.cli.arguments import read_contract
from yunhe.cli.client_code import client_class, client_source
from yunhe.cli.connection import Connection, FolderOption, NodeOption, TokenOption
from yunhe.cli.contract_source import checked_source
from yunhe.cli.output import output
from yunhe.contracts.interface import Interface, interface_of
from yunhe.contracts.json_schema import interface_schema
from yunhe.contracts.scalars import Org
from yunhe.errors import InvalidInputError, UsageError


def interface(  # one for each option
    contract: Annotated[str, typer.Argument(help="Contract source (a file that ends in .py), or the name of a deployed contract.")],
    client: Annotated[Path | None, typer.Option("--client", help="Write a typed Python client to this file instead.")] = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Print what a contract offers as JSON Schema (2020-12), or write a typed client for it."""
    name, found = _interface(contract, Connection(folder, node, token_file))
    if client is not None:
        _write(client, client_source(name, found))
        output.fields({"client": str(client), "class": client_class(name, found)})
        return
    schema = interface_schema(name, found)
    output.result(schema, json.dumps(schema, ensure_ascii=False, indent=2))


def _interface(contract: str, connection: Connection) -> tuple[str, Interface]:
    if contract.endswith(".py"):
        path = Path(contract)
        try:
            Org(path.stem)  # names of contracts have the form of names of organisations (COD-032)
        except ValueError as error:
            raise UsageError(f"{path.name}: name the file as the contract: a-z, 0-9 and _, beginning with a letter") from error
        return path.stem, interface_of(checked_source(path))
    with connection.open() as client:
        return contract, read_contract(client, contract).interface


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be written: {error.strerror}") from error
