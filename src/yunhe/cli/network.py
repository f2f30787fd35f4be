"""`yunhe network`: a whole network on one machine, for development and trials."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from shlex import quote
from typing import Annotated, Final

import typer

from yunhe.cli.genesis_options import ChainHashOption, ParameterOption, SuiteOption, ThresholdOption, new_network
from yunhe.cli.network_logs import show_logs
from yunhe.cli.network_status import show_status
from yunhe.cli.output import output
from yunhe.consensus.cometbft.program import find_program
from yunhe.crypto import SHA256
from yunhe.errors import NodeStartError, WaitTimeoutError
from yunhe.network import NetworkFolder, NetworkPlan, make_network
from yunhe.network.look import NodeLook, look_at
from yunhe.network.making import API_PORT, ENGINE_PORT
from yunhe.network.starting import check_ports, check_stopped, give_new_ports, is_kept, stop_network
from yunhe.network.supervision import keep_network
from yunhe.node.node import clock_ms

app = typer.Typer(name="network", help="Make, start, watch and stop a whole network on one machine.", no_args_is_help=True)

DirArgument = Annotated[Path, typer.Argument(help="The network's folder.")]

_START_TIMEOUT_S: Final = 120.0
_POLL_S: Final = 0.1
_ERROR: Final = re.compile(r"([A-Z_]+: )+")
"""How a command says an error, and what began it."""


@app.command()
def new(  # noqa: PLR0913, PLR0917  # one for each option
    folder: DirArgument,
    orgs: Annotated[str, typer.Option("--orgs", help="Names of the organisations, with commas between them; four bear one that fails.")],
    name: Annotated[str, typer.Option(help="The network's name for people.")] = "yunhe",
    api_port: Annotated[int, typer.Option(min=0, max=65535, help="HTTP APIs take free ports from here on; 0 any.")] = API_PORT,
    engine_port: Annotated[int, typer.Option(min=0, max=65535, help="Engines take free ports from here on; 0 any.")] = ENGINE_PORT,
    parameter: ParameterOption = None,
    threshold: ThresholdOption = None,
    suite: SuiteOption = None,
    chain_hash_name: ChainHashOption = SHA256.name,
) -> None:
    """Make a network in one folder: genesis, and for each organisation a node and the key of an admin."""
    network = new_network(name, parameter, threshold, suite, chain_hash_name)
    organisations = tuple(part.strip() for part in orgs.split(",") if part.strip())
    made = make_network(folder, NetworkPlan(organisations, network, api_port, engine_port))
    output.fields(
        {
            "folder": str(folder),
            "network": name,
            "network_id": made.genesis.network_id.hex(),
            "organisations": list(organisations),
            "faults_borne": (len(organisations) - 1) // 3,
            "keys": [str(made.admin_key(organisation)) for organisation in organisations],
            "passphrase_file": str(made.passphrase),
            "start": f"yunhe network start {quote(str(folder))}",
        }
    )


@app.command()
def start(
    folder: DirArgument,
    *,
    new_ports: Annotated[bool, typer.Option("--new-ports", help="Give all nodes other ports first, which are free now.")] = False,
) -> None:
    """Start all nodes of a network and return when all have the first block; they go on running."""
    network = NetworkFolder.load(folder)
    check_stopped(network)
    find_program(os.environ)
    if new_ports:
        give_new_ports(network)
    check_ports(network)
    process = subprocess.Popen(  # our own module
        [sys.executable, "-m", "yunhe.cli", "network", "keep", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    try:
        _pass_on(process, folder)
        looks = _wait_for_first_block(network, process)
    except BaseException:
        process.terminate()
        process.wait()
        raise
    output.fields(
        {
            "nodes": [{"organisation": look.organisation, "address": look.address, "height": look.height} for look in looks],
            "status": f"yunhe network status {quote(str(folder))}",
            "stop": f"yunhe network stop {quote(str(folder))}",
        }
    )


def _pass_on(process: "subprocess.Popen[str]", folder: Path) -> None:
    """Pass on what the network's process says until all nodes answer.

    Raises:
        YunheError: it ended; with what it said last.
    """
    last = ""
    for line in process.stderr or ():
        last = line.strip()
        if not _ERROR.match(last):
            output.progress(last)
        if is_kept(folder):
            return
    process.wait()
    raise NodeStartError(f"the network did not start: {_ERROR.sub('', last) or 'its process said nothing'}")


def _wait_for_first_block(network: NetworkFolder, process: "subprocess.Popen[str]") -> list[NodeLook]:
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    told = -1
    while True:
        looks = look_at(network, clock_ms())
        ready = [look for look in looks if look.engine_height]
        if len(ready) == len(looks):
            return looks
        if len(ready) != told:
            told = len(ready)
            output.progress(f"{told} of {len(looks)} nodes have the first block")
        if process.poll() is not None:
            raise NodeStartError(f"the network's process ended with exit code {process.returncode}")
        if time.monotonic() > deadline_s:
            lacking = ", ".join(look.organisation for look in looks if not look.engine_height)
            raise WaitTimeoutError(
                f"no first block within {_START_TIMEOUT_S:.0f} s at {lacking}; their logs say why (`yunhe network logs`)"
            )
        time.sleep(_POLL_S)


@app.command(hidden=True)
def keep(folder: DirArgument) -> None:
    """Keep the nodes of a network running until this process is told to end; `start` runs it."""

    def command(node: Path) -> list[str]:
        return [sys.executable, "-m", "yunhe.cli", "node", "start", str(node)]

    keep_network(NetworkFolder.load(folder), command, os.environ, _say)


def _say(text: str) -> None:
    # Nobody reads any more once the command that started this one has returned.
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


@app.command()
def stop(folder: DirArgument) -> None:
    """Stop all nodes of a network: each finishes the block in hand, then ends."""
    stopped = stop_network(NetworkFolder.load(folder))
    output.fields({"stopped": stopped})


app.command("status")(show_status)
app.command("logs")(show_logs)
