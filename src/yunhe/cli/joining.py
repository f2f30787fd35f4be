"""`yunhe node request|invite|let-in|join|new-keys`: how a node on another machine becomes one of a network, and changes its keys."""

import os
from pathlib import Path
from shlex import quote
from typing import Annotated, Final

import typer

from yunhe.cli.output import output, utc
from yunhe.crypto import ED25519_SHA256, suite_names
from yunhe.errors import InvalidConfigurationError, UsageError
from yunhe.node import NodeConfig, NodeFolder
from yunhe.node.audit import audited
from yunhe.node.folder import REQUEST_FILE
from yunhe.node.joining import Invitation, JoinRequest, invite, join, let_in, request_to_join
from yunhe.node.next_keys import ROTATION_FILE, USES, make_next_keys
from yunhe.node.node import clock_ms
from yunhe.storage.files import named_refusals

FolderArgument = Annotated[Path, typer.Argument(help="The node's folder.")]
RequestOption = Annotated[Path, typer.Option("--request", help=f"The {REQUEST_FILE} of the node that is to join.")]

_USES_HELP: Final = "What is to get a new key: node, its envelopes; ledger, its cosignatures; engine, its votes on blocks."
_ADDRESS_HELP: Final = "HOST:PORT where the other nodes reach this node's engine; where it listens when left out."


def request_node(  # one for each option
    folder: FolderArgument,
    organisation: Annotated[str, typer.Option("--org", help="The organisation that the node belongs to.")],
    name: Annotated[str, typer.Option(help="The node's name in its organisation.")] = "node1",
    engine_listen: Annotated[str, typer.Option(help="HOST:PORT where its engine takes connections.")] = "127.0.0.1:26656",
    address: Annotated[str, typer.Option(help=_ADDRESS_HELP)] = "",
    host: Annotated[str, typer.Option(help="Address of the HTTP API.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the HTTP API; 0 takes a free one at each start.")] = 8440,
    suite: Annotated[str, typer.Option(help=f"Suite of its keys ({', '.join(suite_names())}).")] = ED25519_SHA256.name,
) -> None:
    """Make the folder of a node that is to join a network, with its keys and the request for an invitation."""
    config = NodeConfig(organisation, name, engine="cometbft", engine_listen=engine_listen, host=host, port=port)
    request = request_to_join(folder, config, suite, address or engine_listen)
    output.fields(
        {
            "folder": str(folder),
            "node": request.node.name,
            "public_key": request.node.public_key.hex(),
            "engine": str(request.peer),
            "request": str(folder / REQUEST_FILE),
            "next": f"send the request to a node of the network; then yunhe node join {quote(str(folder))}",
        }
    )


def invite_node(
    folder: FolderArgument,
    request: RequestOption,
    out: Annotated[Path, typer.Option("--out", help="File for the invitation; must not exist.")],
    address: Annotated[str, typer.Option(help=_ADDRESS_HELP)] = "",
    days: Annotated[int, typer.Option(help="How long the invitation is good.")] = 7,
) -> None:
    """Answer a node's request with an invitation, and let its engine in from this node's next start on."""
    loaded = NodeFolder.load(folder)
    asked = JoinRequest.read(request)
    if out.exists():
        raise InvalidConfigurationError(f"{out} exists already; name another file with --out")
    now_ms = clock_ms()
    text = invite(loaded, asked, address or loaded.config.engine_listen, now_ms, days)
    with audited(folder, "invite", {"node": asked.node.name}):
        let_in(folder, asked.peer)
        with named_refusals(out):
            out.write_text(text, encoding="utf-8")
    output.fields(
        {
            "invitation": str(out),
            "newcomer": asked.node.name,
            "network_id": loaded.genesis.network_id.hex(),
            "expires": utc(now_ms + days * 86_400_000),
            "next": "start this node again, so that its engine lets the newcomer in; tell the newcomer the network id by another way",
        }
    )


def let_node_in(folder: FolderArgument, request: RequestOption) -> None:
    """Let the engine of a node in that asked another node, from this node's next start on."""
    NodeFolder.load(folder)
    asked = JoinRequest.read(request)
    with audited(folder, "let-in", {"node": asked.node.name}):
        changed = let_in(folder, asked.peer)
    output.fields({"node": asked.node.name, "engines": changed.engine_peers.split(",")})


def make_new_keys(
    folder: FolderArgument,
    use: Annotated[list[str] | None, typer.Option("--for", help=f"{_USES_HELP} Give it again for more; all when left out.")] = None,
) -> None:
    """Make new keys of a node beside those that it has; it changes to each when the ledger knows it, and needs no new start."""
    strange = set(use or ()) - set(USES)
    if strange:
        raise UsageError(f"--for takes {', '.join(USES)}, not {min(strange)!r}")
    loaded = NodeFolder.load(folder, os.environ)
    chosen = sorted(set(use or USES))
    with audited(folder, "new-keys", {"for": ",".join(chosen)}):
        made = make_next_keys(loaded, chosen)
    file = quote(str(folder / ROTATION_FILE))
    nexts = [f"yunhe org renew-node {file}"] * ("node" in chosen) + [f"yunhe org validator {file}"] * (chosen != ["node"])
    output.fields(
        {
            "node": made.node.name,
            "public_key": made.node.public_key.hex(),
            "ledger_key": made.ledger_key.raw.hex(),
            "engine_key": made.validator_key.raw.hex(),
            "request": str(folder / ROTATION_FILE),
            "next": "; ".join(nexts),
        }
    )


def join_network(
    folder: FolderArgument,
    invitation: Annotated[Path, typer.Option("--invitation", help="The file that a node of the network sent.")],
    network_id: Annotated[str, typer.Option("--network-id", help="Of the network, as its organisations told it by another way.")],
) -> None:
    """Make a node that asked one of the network; started, it catches up block by block."""
    try:
        wanted = bytes.fromhex(network_id)
    except ValueError as error:
        raise UsageError(f"--network-id takes 64 hexadecimal digits, not {network_id!r}") from error
    read = Invitation.read(invitation, wanted, clock_ms())
    joined = join(folder, read)
    output.fields(
        {
            "folder": str(folder),
            "network": joined.genesis.name,
            "network_id": joined.genesis.network_id.hex(),
            "invited_by": read.issued_by.name,
            "engines": [str(peer) for peer in read.peers],
            "start": f"yunhe node start {quote(str(folder))}",
        }
    )
