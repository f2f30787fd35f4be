"""Scoped tokens on a real node, from the command line to the SDK: API-030 to API-034."""

import httpx
import pytest

from tests.e2e.node_process import NodeProcess, wait_until, yunhe, yunhe_json
from yunhe.errors import ScopeMissingError, TokenExpiredError, TokenRevokedError, TokenWrongError
from yunhe.ledger.transaction import Call
from yunhe.node.node import clock_ms
from yunhe.node.tokens import READ, create_token
from yunhe.sdk import Client

pytestmark = pytest.mark.parametrize("own_node", ["SM2 and SM3"], indirect=True)
"""What guards the node is the same whatever the ledger's suites are; those of most other tests are Ed25519 and SHA-256."""

SILENCE_S = 60.0
"""More than a stream of events is silent."""


def create(node: NodeProcess, name: str, *scopes: str) -> str:
    options = [part for scope in scopes for part in ("--scope", scope)]
    return str(yunhe_json("token", "create", str(node.folder), name, *options)["token"])


def test_token_counts_on_the_running_node_and_after_a_restart(own_node: NodeProcess) -> None:
    """API-031, API-033: for what it has, and for nothing else."""
    reader = create(own_node, "reader", "read")
    sender = create(own_node, "sender", "submit")
    for _ in range(2):
        with Client(own_node.address, reader) as reading, Client(own_node.address, sender) as sending:
            assert reading.status()["status"] == "running"
            with pytest.raises(ScopeMissingError, match="operate"):
                reading.webhooks.all()
            with pytest.raises(ScopeMissingError, match="submit"):
                reading.call(own_node.founder, "registry", "set_member", member="admin", roles=["admin"], status="active")
            sent = sending.call(own_node.founder, "registry", "set_member", member="admin", roles=["admin"], status="active")
            assert reading.receipt(sent.transaction_id)["receipt"]["code"] == "OK"
            with pytest.raises(ScopeMissingError, match="read"):
                sending.receipt(sent.transaction_id)
        own_node.stop()
        own_node.start()


def test_revoked_token_is_refused_by_the_running_node(own_node: NodeProcess) -> None:
    """API-032, API-033 refused: at once, by its own code; the command line takes a token from a file and from the environment."""
    token = create(own_node, "app", "read")
    file = own_node.home / "token"
    file.write_text(token + "\n")
    assert yunhe("node", "status", "--node", own_node.address, "--token-file", str(file)).returncode == 0
    assert yunhe("node", "status", "--node", own_node.address, environment={"YUNHE_TOKEN": token}).returncode == 0
    assert yunhe_json("token", "revoke", str(own_node.folder), "app")["state"] == "revoked"
    with Client(own_node.address, token) as client, pytest.raises(TokenRevokedError):
        client.status()
    refused = yunhe("node", "status", "--node", own_node.address, "--token-file", str(file))
    assert (refused.returncode, "TOKEN_REVOKED" in refused.stderr) == (1, True)
    again = yunhe("token", "create", str(own_node.folder), "app", "--scope", "read")
    assert (again.returncode, "TOKEN_EXISTS" in again.stderr) == (1, True)
    log = (own_node.folder / "log" / "node.log").read_text()
    assert token.partition(".")[2] not in log + refused.stderr + (own_node.folder / "secrets" / "tokens.json").read_text()


def test_client_without_a_token_reads_what_is_open_and_is_refused_the_rest_at_once(own_node: NodeProcess) -> None:
    """API-030 refused: the node answers, so nothing is tried again."""
    tried: list[str] = []
    with Client(own_node.address, on_retry=lambda failure: tried.append(failure.code)) as client:
        assert client.version()["network_id"]
        with pytest.raises(TokenWrongError):
            client.status()
    refused = yunhe("node", "status", "--node", own_node.address)
    assert (refused.returncode, "TOKEN_WRONG" in refused.stderr) == (1, True)
    assert tried == []


def test_expired_token_is_refused(own_node: NodeProcess) -> None:
    """API-032 refused."""
    _, token = create_token(own_node.folder, "old", [READ], 1, clock_ms() - 1)
    with Client(own_node.address, token) as client, pytest.raises(TokenExpiredError):
        client.status()


def test_transaction_that_is_refused_for_its_token_has_no_effect(own_node: NodeProcess) -> None:
    """API-031 refused: before anything of it is read; the same transaction is accepted with another token."""
    with Client(own_node.address, create(own_node, "reader", "read")) as client:
        arguments = {"member": "admin", "roles": ["admin"], "status": "active"}
        transaction = client.build([own_node.founder], [Call("registry", "set_member", arguments)])
        with pytest.raises(ScopeMissingError):
            client.submit(transaction)
        height = client.status()["height"]
    with own_node.client() as operator:
        assert operator.submit(transaction).height == height + 1


def test_member_without_a_token_hands_a_transaction_in(own_node: NodeProcess) -> None:
    """API-021: through the SDK, where the node's address is all that is known, and on the command line."""
    with Client(own_node.address) as stranger:
        arguments = {"member": "admin", "roles": ["admin"], "status": "active"}
        transaction = stranger.build([own_node.founder], [Call("registry", "set_member", arguments)])
        with pytest.raises(TokenWrongError):
            stranger.submit(transaction)
        assert stranger.relay(transaction).code == "OK"
    call = ("tx", "call", "registry", "set_member", "member=admin", 'roles=["admin"]', "status=active")
    options = ("--folder", str(own_node.folder), "--key", str(own_node.founder_file.path), "--relay", own_node.address)
    assert yunhe_json(*call, *options)["code"] == "OK"


def test_stream_of_events_ends_with_its_token(own_node: NodeProcess) -> None:
    """API-033: a stream that was open before goes on while its token counts, and no longer."""
    headers = {"Authorization": f"Bearer {create(own_node, 'follower', 'read')}"}
    with (
        httpx.Client(base_url=own_node.address, headers=headers, timeout=SILENCE_S) as http,
        http.stream("GET", "/v1/events/stream") as stream,
    ):
        parts = stream.iter_text()
        assert next(parts).startswith(":")
        yunhe_json("token", "revoke", str(own_node.folder), "follower")
        # It ends as a whole answer does, not as a broken connection.
        assert all(not part.startswith("data") for part in parts)
        assert http.get("/v1/events/stream").json()["code"] == "TOKEN_REVOKED"


def test_list_shows_names_and_states_and_no_secrets(own_node: NodeProcess) -> None:
    """API-030: shown once, and never again."""
    tokens = [create(own_node, name, "read", "submit") for name in ("one", "two")]
    yunhe_json("token", "revoke", str(own_node.folder), "one")
    listed = yunhe("token", "list", str(own_node.folder))
    assert listed.returncode == 0
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["name", "one", "two"]
    assert "revoked" in listed.stdout.splitlines()[1]
    assert "active" in listed.stdout.splitlines()[2]
    assert not any(token.partition(".")[2] in listed.stdout for token in tokens)


def test_tokens_are_made_while_the_node_does_not_run(own_node: NodeProcess) -> None:
    own_node.stop()
    token = create(own_node, "early", "read")
    own_node.start()
    with Client(own_node.address, token) as client:
        assert wait_until(lambda: client.status()["status"] == "running", "the node's start")
