"""The demo's second act: four organisations, a node each, and what they do when one of the nodes is gone.

The network is made, started and stopped through the command line, as an operator does it. Where the engine between organisations is not
built, the act says how to come by it and is left out.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final

from yunhe.sdk import Call, Client, MemberKey, Submitted, read_key_file
from yunhe_maritime.demo_account import Account
from yunhe_maritime.errors import DemoFailedError

ORGANISATIONS: Final = ("carrier", "bank", "port", "customs")
_ADMIN: Final = "admin"
_TIMEOUT_S: Final = 180.0
_ENGINE_MISSING: Final = "ENGINE_MISSING"
_RETURN_TIMEOUT_S: Final = 60.0
_POLL_S: Final = 0.1


def second_act(folder: Path, account: Account) -> None:
    """Let four nodes agree, and go on without one of them.

    Args:
        folder: where the network's folder is made; must not exist.
        account: told of what happens.

    Raises:
        DemoFailedError: something went otherwise than it has to.
    """
    with account.step("Second act: four organisations, a node each, and nobody in charge"):
        made = _run("network", "new", str(folder), "--orgs", ",".join(ORGANISATIONS), "--api-port", "0", "--engine-port", "0")
        account.done(f"network of {', '.join(ORGANISATIONS)} made; it bears {made['faults_borne']} that fails")
        with _running(folder, account) as started:
            if not started:
                return
            account.done("four nodes and their engines started; all have the first block")
            _agree(folder, account)
            _go_on_without_one(folder, account)
        account.done("network stopped")


def _agree(folder: Path, account: Account) -> None:
    placed = [_transact(folder, organisation) for organisation in ORGANISATIONS]
    account.done(f"each organisation hands a transaction to its own node: blocks {placed[0].height} to {placed[-1].height}")
    root = _await_one_state(folder, placed[-1].height or 0)
    account.done(f"all four have block {placed[-1].height} with one state, {root}")


def _go_on_without_one(folder: Path, account: Account) -> None:
    run_file = folder / "nodes" / "port" / "run" / "node.json"
    os.kill(json.loads(run_file.read_text(encoding="utf-8"))["pid"], signal.SIGKILL)
    placed = _transact(folder, "bank", "clerk")
    account.done(f"the port's node is killed; the other three commit block {placed.height}")
    root = _await_one_state(folder, placed.height or 0)
    account.done(f"the port's node is started again and has caught up: one state again, {root}")


def _transact(folder: Path, organisation: str, *more: str) -> Submitted:
    """Let an organisation set its admin's roles, those included that are named, through its own node."""
    with _client(folder, organisation) as client:
        roles: dict[str, Any] = {"member": _ADMIN, "roles": [_ADMIN, *more], "status": "active"}
        placed = client.submit(client.build([_key(folder, organisation)], [Call("registry", "set_member", roles)]))
    if placed.code != "OK":
        raise DemoFailedError(f"the transaction of {organisation} was refused with {placed.code} where it should have succeeded")
    return placed


def _await_one_state(folder: Path, height: int) -> str:
    """Wait until all nodes have a block, and return the state root that all have."""
    deadline = monotonic() + _RETURN_TIMEOUT_S
    while True:
        status = _run("network", "status", str(folder), may_fail=True)
        if all((node["height"] or 0) >= height for node in status["nodes"]):
            break
        if monotonic() > deadline:
            raise DemoFailedError(f"not all nodes reached block {height} within {_RETURN_TIMEOUT_S:.0f} s; their logs are in {folder}")
        sleep(_POLL_S)
    roots = set()
    for organisation in ORGANISATIONS:
        with _client(folder, organisation) as client:
            roots.add(str(client.block(height)["header"]["state_root"]))
    if len(roots) != 1:
        raise DemoFailedError(f"the nodes have different states after block {height}: {', '.join(sorted(roots))}")
    return f"{roots.pop()[:18]}…"


def _client(folder: Path, organisation: str) -> Client:
    node = folder / "nodes" / organisation
    address = json.loads((node / "run" / "node.json").read_text(encoding="utf-8"))["address"]
    return Client(address, (node / "secrets" / "api-token").read_text(encoding="ascii").strip(), timeout_s=_RETURN_TIMEOUT_S)


def _key(folder: Path, organisation: str) -> MemberKey:
    passphrase = (folder / "secrets" / "passphrase").read_text(encoding="ascii").strip()
    return read_key_file(folder / "keys" / f"{organisation}.{_ADMIN}.pem").open(passphrase)


@contextmanager
def _running(folder: Path, account: Account) -> Iterator[bool]:
    """Start a network; it has ended when the block ends. Gives whether it was started."""
    # Whatever happens, an interrupt while it starts too.
    try:
        done = _call("network", "start", str(folder))
        error = _error(done.stderr)
        if done.returncode == 0:
            yield True
        elif error.get("code") == _ENGINE_MISSING:
            account.note(f"left out: {error['message']}")
            yield False
        else:
            raise DemoFailedError(f"the network did not start: {error.get('message', done.stderr)}")
    finally:
        _call("network", "stop", str(folder))


def _run(*arguments: str, may_fail: bool = False) -> dict[str, Any]:
    done = _call(*arguments)
    if done.returncode != 0 and not may_fail:
        raise DemoFailedError(f"`yunhe {' '.join(arguments[:2])}` failed: {_error(done.stderr).get('message', done.stderr)}")
    return dict(json.loads(done.stdout))


def _call(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "yunhe.cli", "--json", *arguments]
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise DemoFailedError(f"`yunhe {' '.join(arguments[:2])}` did not end within {_TIMEOUT_S:.0f} s") from error


def _error(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return {}
    return value if isinstance(value, dict) else {}
