"""A witness in its own process beside a node in its own: docs/spec/witness.md, in both suites."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.e2e.node_process import DEADLINE_S, FLAVOURS, PASSPHRASE, NodeProcess, wait_until, yunhe, yunhe_json
from yunhe.sdk import Member, create_key_file


def decide(node: NodeProcess, *names: str) -> None:
    """Make a block for each name, by adding members."""
    with node.client() as client:
        for name in names:
            key = create_key_file(node.home / f"{name}.pem", Member("port", name), PASSPHRASE, node.suite).open(PASSPHRASE)
            client.call(
                node.founder,
                "registry",
                "enrol_member",
                member=name,
                roles=["operator"],
                suite=node.suite,
                public_key=key.key.public_key.raw,
            )


class WitnessProcess:
    """`yunhe witness run` until it is closed."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "yunhe.cli", "--json", "witness", "run", str(folder), "--port", "0"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
        )
        assert self.process.stdout is not None
        self.address = json.loads(self.process.stdout.readline())["address"]

    def size(self) -> int:
        return int(httpx.get(f"{self.address}/checkpoint").text.split("\n")[1])

    def end(self) -> tuple[int, str]:
        """Wait until it ends; return exit code and standard error."""
        _, error = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, error


@pytest.fixture
def node(tmp_path, flavour):
    made = NodeProcess(tmp_path, flavour)
    yield made.start()
    made.close()


def made(node: NodeProcess) -> tuple[Path, str]:
    folder = node.home / "witness"
    options = ("--name", "regulator.example", "--genesis", str(node.folder / "genesis.json"), "--suite", node.suite)
    token = ("--token-file", str(node.folder / "secrets" / "api-token"))
    return folder, yunhe_json("witness", "init", str(folder), *options, "--node", node.address, *token)["key"]


@pytest.mark.parametrize("flavour", list(FLAVOURS))
def test_wit_006_witness_follows_answers_and_ends_when_it_meets_a_second_history(node):
    folder, key = made(node)
    node.stop()
    copied = node.home / "copied"
    shutil.copytree(node.folder, copied)
    # One address for both histories, as somebody who forges one has it.
    port = node.address.rpartition(":")[2]
    settings = (node.folder / "node.toml").read_text().replace("port = 0", f"port = {port}")
    for place in (node.folder, copied):
        (place / "node.toml").write_text(settings)
    node.start()
    decide(node, "pilot", "crane")
    assert yunhe_json("witness", "run", str(folder), "--once")["checkpoint"].split("\n")[1] == "3"
    witness = WitnessProcess(folder)
    try:
        decide(node, "tug")
        wait_until(lambda: witness.size() == 4, "the next block's witness")
        proof, note = node.home / "proof.yunhe", node.home / "note"
        record = ("registry", "members", "port", "tug", "--out", str(proof))
        yunhe_json("proof", "record", *record, "--folder", str(node.folder))
        note.write_text(httpx.get(f"{witness.address}/checkpoint/4").text)
        verify = (
            "proof",
            "verify",
            str(proof),
            "--genesis",
            str(node.folder / "genesis.json"),
            "--witness",
            str(note),
            "--witness-key",
            key,
        )
        assert yunhe_json(*verify)["witness"]["name"] == "regulator.example"
        note.write_text(httpx.get(f"{witness.address}/checkpoint/3").text)
        assert "PRF-030" in yunhe(*verify).stdout
        assert httpx.get(f"{witness.address}/checkpoint/5").json()["code"] == "BLOCK_NOT_FOUND"
        node.stop()
        node.folder = copied
        node.start()
        decide(node, "another")
        code, error = witness.end()
    finally:
        witness.process.kill()
    assert code == 4
    assert json.loads(error.splitlines()[-1])["code"] == "HISTORY_CONTRADICTED"
    assert [path.name.partition("-")[0] for path in (folder / "evidence").iterdir()] == ["block"]


@pytest.mark.parametrize("flavour", [next(iter(FLAVOURS))])
def test_wit_006_witness_goes_on_while_its_node_is_away_and_ends_by_a_signal(node):
    folder, _ = made(node)
    witness = WitnessProcess(folder)
    try:
        decide(node, "pilot")
        wait_until(lambda: witness.size() == 2, "the block's witness")
        node.kill()
        assert witness.size() == 2
        witness.process.send_signal(signal.SIGTERM)
        code, error = witness.end()
    finally:
        witness.process.kill()
    assert (code, "Traceback" in error) == (0, False)
    done = yunhe("--json", "witness", "run", str(folder), "--once")
    assert done.returncode == 3
    assert json.loads(done.stderr.splitlines()[-1])["code"] == "NODE_UNREACHABLE"
