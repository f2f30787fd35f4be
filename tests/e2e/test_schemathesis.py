"""API-044: the OpenAPI description against the server, in both directions, by schemathesis."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.node_process import NodeProcess
from yunhe.sdk import Call

HERE = Path(__file__).parent
STREAM = "/v1/events/stream"
"""It has no end, which schemathesis would wait for."""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    node = NodeProcess(tmp_path_factory.mktemp("described")).start()
    yield node
    node.close()


def ask(node: NodeProcess, folder: Path, description: dict, *options: str, known: str = "") -> subprocess.CompletedProcess[str]:
    """Ask a node all that a description allows, and what it does not."""
    (folder / "openapi.json").write_text(json.dumps(description))
    (folder / "schemathesis.toml").write_text((HERE / "schemathesis.toml").read_text() + known)
    program = "from schemathesis.cli import schemathesis; schemathesis()"
    command = ["run", "openapi.json", "--url", node.address, "-H", f"Authorization: Bearer {node.token}", "--no-color", *options]
    return subprocess.run(
        [sys.executable, "-c", program, "--config-file", "schemathesis.toml", *command],
        cwd=folder,
        env=os.environ | {"SCHEMATHESIS_HOOKS": str(HERE / "schemathesis_hooks.py")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def there(path: str, **parameters: str) -> str:
    """Tell schemathesis what there is on this ledger, so that it sees more than refusals."""
    values = "".join(f'"{name}" = {json.dumps(value)}\n' for name, value in parameters.items())
    return f'\n[[operations]]\ninclude-path = "{path}"\n[operations.parameters]\n{values}'


@pytest.mark.timeout(300)
def test_description_and_server_agree(node: NodeProcess, tmp_path: Path) -> None:
    """API-044: every route, about a thousand requests."""
    with node.client() as client:
        call = Call("registry", "set_member", {"member": "admin", "roles": ["admin"], "status": "active"})
        identity = client.submit(client.build([node.founder], [call])).transaction_id.hex()
    known = "".join(
        (
            there("/v1/transactions/{transaction_id}", transaction_id=identity),
            there("/v1/receipts/{transaction_id}", transaction_id=identity),
            there("/v1/contracts/{contract}/tables/{table}/record", contract="registry", table="members", key='["port", "admin"]'),
            there("/v1/contracts/{contract}/tables/{table}/records", contract="registry", table="members"),
            there("/v1/contracts/{contract}/views/{view}", contract="registry", view="is_active"),
        )
    )
    description = httpx.get(f"{node.address}/openapi.json").json()
    done = ask(node, tmp_path, description, "--exclude-path", STREAM, known=known)
    assert done.returncode == 0, done.stdout + done.stderr
    operations = sum(map(len, description["paths"].values()))
    assert f"Tested: {operations - 1}" in done.stdout
    passed = re.search(r"(\d+) generated, \1 passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 500
    assert node.process is not None
    assert node.process.poll() is None


@pytest.mark.parametrize(
    ("place", "told", "found"),
    [
        (("get", "parameters", 0, "schema"), {"type": "integer", "minimum": 0, "maximum": 2**60}, "refused for its form"),
        (("get", "responses", "200", "content", "application/json", "schema"), {"type": "array"}, "violates schema"),
    ],
    ids=["allows more than the server", "tells another answer"],
)
def test_description_that_is_wrong_is_found(node: NodeProcess, tmp_path: Path, place: tuple, told: dict, found: str) -> None:
    """API-044 refused: a planted mistake."""
    description = httpx.get(f"{node.address}/openapi.json").json()
    *way, last = place
    part = description["paths"]["/v1/blocks"]
    for step in way:
        part = part[step]
    part[last] = told
    done = ask(node, tmp_path, description, "--include-path", "/v1/blocks", "--phases", "coverage")
    assert done.returncode == 1, done.stdout + done.stderr
    assert found in done.stdout.replace("_", " ")
