"""`yunhe node`: make, start, stop, watch and check a node, and back it up."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import Annotated, Final

import typer

from yunhe.cli.audit import show_audit
from yunhe.cli.backup import backup_node, restore_node
from yunhe.cli.genesis_options import ChainHashOption, ParameterOption, SuiteOption, ThresholdOption, new_network
from yunhe.cli.joining import invite_node, join_network, let_node_in, make_new_keys, request_node
from yunhe.cli.node_status import show_status
from yunhe.cli.output import output
from yunhe.cli.progress import BlockProgress
from yunhe.cli.prune import prune_node
from yunhe.cli.settings import Flags, as_arguments, show_settings, with_setting_flags
from yunhe.cli.skip import skip_in_node
from yunhe.cli.unit import print_unit
from yunhe.crypto import SHA256
from yunhe.errors import InvalidConfigurationError, NodeNotRunningError, NodeStartError, UsageError, WaitTimeoutError, YunheError
from yunhe.ledger.genesis import FoundingMember
from yunhe.node import NodeConfig, NodeFolder, check_ledger, make_node_folder
from yunhe.node.audit import DONE, audited, local_actor, record
from yunhe.node.config import DEFAULTS
from yunhe.sdk import read_key_file
from yunhe.sdk.local_node import read_run_file, wait_until_ended

app = typer.Typer(name="node", help="Make, start, stop, watch, check and back up a node.", no_args_is_help=True)

DirArgument = Annotated[Path, typer.Argument(help="The node's folder.")]

PORT_VARIABLE: Final = "YUNHE_PORT"
_START_TIMEOUT_S: Final = 120.0
_STOP_TIMEOUT_S: Final = 30.0
_POLL_S: Final = 0.05
_ROLLED_FORWARD: Final = "rolled forward"


@app.command()
def init(  # noqa: PLR0913, PLR0917  # one for each option
    folder: DirArgument,
    admin: Annotated[list[Path], typer.Option("--admin", help="Key file of a founding admin; only its public half is used.")],
    organisation: Annotated[
        str, typer.Option("--org", help="The founding organisation, which the node belongs to; the first admin's when left out.")
    ] = "",
    title: Annotated[str, typer.Option(help="The organisation's name for people.")] = "",
    network: Annotated[str, typer.Option(help="The network's name for people.")] = "yunhe",
    name: Annotated[str, typer.Option(help="The node's name in its organisation.")] = "node1",
    host: Annotated[str, typer.Option(help="Address of the HTTP API.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, envvar=PORT_VARIABLE, help="Port of the HTTP API; 0 takes a free one at each start.")
    ] = 8440,
    parameter: ParameterOption = None,
    threshold: ThresholdOption = None,
    suite: SuiteOption = None,
    chain_hash_name: ChainHashOption = SHA256.name,
) -> None:
    """Make a new network and the folder of its first node."""
    files = [read_key_file(path) for path in admin]
    organisation = organisation or files[0].member.organisation
    for file in files:
        if file.member.organisation != organisation:
            raise UsageError(f"{file.path} is a key of {file.member}; a founding admin is a member of {organisation}")
    admins = [FoundingMember(file.member.member, ("admin",), (file.public_key,)) for file in files]
    made = make_node_folder(
        folder,
        config=NodeConfig(organisation, name, host=host, port=port),
        title=title or organisation,
        admins=admins,
        network=new_network(network, parameter, threshold, suite, chain_hash_name),
    )
    record(folder, local_actor(), "init", {"network_id": made.genesis.network_id.hex()}, DONE)
    output.fields(
        {
            "folder": str(folder),
            "network": network,
            "network_id": made.genesis.network_id.hex(),
            "suites": list(made.genesis.suites),
            "chain_hash": made.genesis.chain_hash.name,
            "start": f"yunhe node start {quote(str(folder))}",
        }
    )


@app.command()
@with_setting_flags
def start(
    folder: DirArgument,
    flags: Flags,
    *,
    background: Annotated[bool, typer.Option("--background", help="Return when the node answers; it goes on running.")] = False,
) -> None:
    """Start a node. It runs until it is stopped; its log is log/node.log in the folder unless `log_file` says otherwise."""
    loaded = NodeFolder.load(folder, os.environ, flags)
    if background:
        output.fields(_start_background(loaded, flags))
        return
    # The web framework takes a third of a second to load, and no other command needs it.
    from yunhe.gateway.log_file import LogFile  # noqa: PLC0415
    from yunhe.gateway.logging import configure_logging  # noqa: PLC0415
    from yunhe.gateway.server import serve  # noqa: PLC0415

    config = loaded.config
    log = None if loaded.log_path is None else LogFile(loaded.log_path, config.log_bytes_max, config.log_files_kept)
    configure_logging(log, config.log_level, config.log_format)

    chosen = {name: value for name, value in asdict(loaded.config).items() if value != DEFAULTS.get(name)}

    def ready(address: str) -> None:
        record(folder, local_actor(), "start", {"pid": os.getpid()} | chosen, DONE)
        output.fields(_running(folder, os.getpid(), address))
        sys.stdout.flush()

    try:
        serve(loaded, ready, BlockProgress(_ROLLED_FORWARD), _nothing if log is None else log.reopen)
    except YunheError as error:
        record(folder, local_actor(), "start", chosen, error.code)
        raise
    record(folder, local_actor(), "end", {"pid": os.getpid()}, DONE)


def _nothing() -> None:
    """There is no file to open anew."""


def _start_background(loaded: NodeFolder, flags: Flags) -> dict[str, object]:
    folder = loaded.path
    if loaded.log_path is None:
        raise InvalidConfigurationError("a node in the background has no standard error; set `log_file` to a file")
    try:
        pid, address = read_run_file(folder)
    except NodeNotRunningError:
        pass
    else:
        raise NodeStartError(
            f"a node runs in {folder} already, at {address} (process {pid}); `yunhe node stop {quote(str(folder))}` stops it"
        )
    command = [sys.executable, "-m", "yunhe.cli", "node", "start", str(folder), *as_arguments(flags)]
    process = subprocess.Popen(  # our own module
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True, text=True
    )
    said = _Said(process)
    while time.monotonic() < said.last_s + _START_TIMEOUT_S:
        if process.poll() is not None:
            raise NodeStartError(f"the node did not start: {said.reason()}")
        try:
            pid, address = read_run_file(folder)
        except NodeNotRunningError:
            time.sleep(_POLL_S)
            continue
        if pid == process.pid:
            return _running(folder, pid, address)
        time.sleep(_POLL_S)
    process.terminate()
    raise WaitTimeoutError(f"the node said nothing for {_START_TIMEOUT_S:.0f} s; its log is {loaded.log_path}")


class _Said:
    """What a node that is starting says on standard error: its progress, passed on, or in the end why it does not start."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.last_s = time.monotonic()
        """When it last said something, or was started."""
        self._lines: list[str] = []
        self._stream = process.stderr
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        for line in self._stream or ():
            self._lines.append(line.strip())
            self.last_s = time.monotonic()
            # An error is told with the error of this command.
            if line.startswith(_ROLLED_FORWARD):
                output.progress(line.strip())

    def reason(self) -> str:
        """Return the last line; call when the process has ended."""
        self._thread.join()
        return self._lines[-1] if self._lines else "it said nothing"


def _running(folder: Path, pid: int, address: str) -> dict[str, object]:
    return {"address": address, "pid": pid, "folder": str(folder), "stop": f"yunhe node stop {quote(str(folder))}"}


@app.command()
def stop(folder: DirArgument) -> None:
    """Stop a node: it finishes the block in hand, then ends."""
    pid, _ = read_run_file(folder)
    with audited(folder, "stop", {"pid": pid}):
        _stop(pid)
    output.fields({"stopped": pid})


def _stop(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
    except PermissionError as error:
        raise InvalidConfigurationError(f"process {pid} belongs to another user") from error
    wait_until_ended(pid, _STOP_TIMEOUT_S)


@app.command()
def check(
    folder: DirArgument,
    *,
    replay: Annotated[bool, typer.Option("--replay", help="Run every block again and compare receipts and state.")] = False,
) -> None:
    """Read and verify every byte of a stopped node's ledger."""
    loaded = NodeFolder.load(folder)
    report = check_ledger(loaded, BlockProgress("checked"), replay=replay)
    shown = {name: value.hex() if isinstance(value, bytes) else value for name, value in asdict(report).items()}
    output.fields({"height": report.blocks - 1} | shown)


app.command("request")(request_node)
app.command("invite")(invite_node)
app.command("let-in")(let_node_in)
app.command("join")(join_network)
app.command("new-keys")(make_new_keys)
app.command("skip")(skip_in_node)
app.command("status")(show_status)
app.command("config")(show_settings)
app.command("audit")(show_audit)
app.command("unit")(print_unit)
app.command("backup")(backup_node)
app.command("restore")(restore_node)
app.command("prune")(prune_node)
