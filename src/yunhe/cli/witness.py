"""`yunhe witness`: follow a network from outside, run every block again, cosign what was right."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from yunhe.cli.output import output
from yunhe.cli.progress import BlockProgress
from yunhe.crypto import ED25519_SHA256, suite_names
from yunhe.errors import UsageError
from yunhe.limits import GENESIS_BYTES_MAX
from yunhe.node.private_files import read_bounded
from yunhe.witness import Followed, NewWitness, WatchedNode, WitnessFolder, make_witness_folder, serve_witness
from yunhe.witness.service import follow_once, opened

app = typer.Typer(name="witness", help="Follow a network from outside, run every block again, cosign what was right.", no_args_is_help=True)

DirArgument = Annotated[Path, typer.Argument(help="The witness's folder.")]
_ROLLED_FORWARD = "rolled forward"


@app.command()
def init(  # one for each option
    folder: DirArgument,
    name: Annotated[str, typer.Option("--name", help="Name under which it cosigns, such as regulator.example.")],
    genesis: Annotated[Path, typer.Option("--genesis", help="Genesis file of the network, from a source that you trust.")],
    node: Annotated[list[str], typer.Option("--node", help="Address of a node to follow. Give it again for more.")],
    token_file: Annotated[
        list[Path] | None, typer.Option("--token-file", help="File with a token of scope `read`, one for each --node in its order.")
    ] = None,
    suite: Annotated[str, typer.Option("--suite", help=f"Suite of its key ({', '.join(suite_names())}).")] = ED25519_SHA256.name,
) -> None:
    """Make a witness's folder with a key of its own, and show the key line for people to whom its cosignature matters."""
    files = [str(file.absolute()) for file in token_file or []]
    if files and len(files) != len(node):
        raise UsageError(f"there are {len(node)} nodes and {len(files)} token files; name one for each, or none")
    nodes = tuple(WatchedNode(address, file) for address, file in zip(node, files or [""] * len(node), strict=True))
    made = make_witness_folder(
        folder, witness=NewWitness(name, suite, nodes), genesis_json=read_bounded(genesis, GENESIS_BYTES_MAX, "; name the genesis file")
    )
    output.fields({"folder": str(folder), "key": made.key_line(), "next": f"yunhe witness run {quote(str(folder))}"})


@app.command()
def key(folder: DirArgument) -> None:
    """Show the witness's key line, which belongs into the hands of those to whom its cosignature matters."""
    line = WitnessFolder.load(folder).key_line()
    output.result({"key": line}, line)


@app.command()
def run(
    folder: DirArgument,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 for any that is free.")] = 8450,
    *,
    once: Annotated[bool, typer.Option("--once", help="Catch up, print the cosigned checkpoint, and end.")] = False,
) -> None:
    """Follow the nodes and answer for cosigned checkpoints at /checkpoint and /checkpoint/SIZE until told to stop."""
    loaded = WitnessFolder.load(folder)
    if once:
        _catch_up(loaded)
        return

    def ready(address: str) -> None:
        output.line({"address": address}, f"witness {loaded.name} answers at {address}/checkpoint")

    serve_witness(loaded, host, port, ready, BlockProgress(_ROLLED_FORWARD))


def _catch_up(folder: WitnessFolder) -> None:
    def say(followed: Followed) -> bool:
        output.progress(f"{followed.address}: {followed.size - 1} of {followed.node_size - 1} blocks witnessed")
        return True

    with opened(folder, BlockProgress(_ROLLED_FORWARD)) as witness:
        failures = follow_once(folder, witness, say)
        note = witness.note()
    output.result({"checkpoint": note}, note.rstrip("\n"))
    if len(failures) == len(folder.nodes):
        raise failures[0]
    for failure in failures:
        output.error(failure)
