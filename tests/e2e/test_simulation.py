"""API-012: trying calls out shows what they would do, and does nothing."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e import counters
from tests.e2e.node_process import NodeProcess, yunhe, yunhe_json
from yunhe.errors import MalformedError, OverloadedError, YunheError
from yunhe.ledger.codec import encode
from yunhe.limits import SIMULATIONS_MAX
from yunhe.sdk import Call, Client, Member

ADMIN = Member("port", "admin")


@pytest.fixture(scope="module")
def node(shared_node: NodeProcess) -> NodeProcess:
    shared_node.deploy("counters", Path(counters.__file__).read_text(encoding="utf-8"))
    with shared_node.client() as client:
        client.call(shared_node.founder, "counters", "add", name="a", amount=3)
    return shared_node


@pytest.fixture
def client(node: NodeProcess):
    with node.client() as client:
        yield client


def add(amount: int, name: str = "a") -> Call:
    return Call("counters", "add", {"name": name, "amount": amount})


def test_simulation_is_what_the_transaction_then_does_and_leaves_no_trace(node: NodeProcess, client: Client) -> None:
    """API-012"""
    head = client.status()["height"]
    first, again = (client.simulate([ADMIN], [add(4), add(1, "b")]) for _ in range(2))
    assert first == again
    assert client.status()["height"] == head == first["height"]
    assert client.record("counters", "counters", ["a"])["fields"]["value"] == 3
    assert [(change["key"], change["before"], change["after"]) for change in first["changes"]] == [
        (["a"], {"name": "a", "value": 3}, {"name": "a", "value": 7}),
        (["b"], None, {"name": "b", "value": 1}),
    ]
    done = client.submit(client.build([node.founder], [add(4), add(1, "b")]))
    assert (first["code"], first["results"]) == ("OK", done.results)
    # An SM2 signature has no fixed length, and each byte of a transaction has its price.
    assert abs(first["gas_used"] - done.receipt["gas_used"]) <= (0 if node.suite == "ed25519-sha256" else 1000)
    client.submit(client.build([node.founder], [Call("counters", "add", {"name": "c", "amount": 1})]))


def test_refusal_fault_and_spent_gas_are_shown_as_a_receipt_would(client: Client) -> None:
    refused = client.simulate([ADMIN], [add(1), add(0)])
    assert (refused["code"], refused["call_index"], refused["changes"]) == ("AMOUNT_NOT_POSITIVE", 1, [])
    fault = client.simulate([ADMIN], [Call("counters", "fault", {"name": "zz"})])
    assert (fault["code"], fault["changes"]) == ("CONTRACT_FAULT", [])
    assert "contract counters, line 45" in fault["fault"]
    spent = client.simulate([ADMIN], [Call("counters", "loop", {"name": "zz"})], gas_limit=100_000)
    assert (spent["code"], spent["gas_used"]) == ("OUT_OF_GAS", 100_000)


def test_members_who_are_not_enrolled_or_lack_a_role_are_refused_as_they_would_be(client: Client) -> None:
    """API-012, LED-020."""
    assert client.simulate([Member("port", "nobody")], [add(1)])["code"] == "NOT_ENROLLED"
    assert client.simulate([ADMIN, Member("thief", "admin")], [add(1)])["code"] == "NOT_ENROLLED"
    admit = Call("registry", "set_organisation_status", {"organisation": "port", "status": "suspended"})
    assert client.simulate([ADMIN], [admit])["code"] != "OK"


def test_gas_limit_above_the_parameter_is_refused(client: Client) -> None:
    assert client.simulate([ADMIN], [add(1)], gas_limit=50_000_001)["code"] == "GAS_LIMIT_TOO_HIGH"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        encode([[], [["counters", "add", {}]], 1]),
        encode([[["port", "admin"]], [], 1]),
        encode([[["port", "admin"]], [["counters", "add", {}]], 0]),
        encode([[["port", "admin"]], [["counters", "add", []]], 1]),
        encode([[["port", "ADMIN"]], [["counters", "add", {}]], 1]),
        encode([[["port", "admin"]] * 2, [["counters", "add", {}]], 1]),
    ],
    ids=["empty", "no CBOR", "no signer", "no call", "no gas", "ill-typed arguments", "a name that is none", "a key twice"],
)
def test_what_could_be_no_transaction_is_refused_by_name(client: Client, body: bytes) -> None:
    """API-001"""
    with pytest.raises(YunheError) as refused:
        client._request("POST", "/v1/transactions/simulate", client._deadline(), content=body, headers={"Content-Type": "application/cbor"})
    assert refused.value.status < 500
    assert isinstance(refused.value, MalformedError) or refused.value.code == "NOT_CANONICAL"


def test_more_simulations_than_there_is_room_for_are_refused_and_blocks_go_on(node: NodeProcess, client: Client) -> None:
    """API-012, API-008: the hogs spend all the gas there is; a transaction is committed meanwhile."""

    def hog(_: int) -> str:
        with node.client() as own:
            try:
                return str(own.simulate([ADMIN], [Call("counters", "loop", {"name": "zz"})], gas_limit=50_000_000)["code"])
            except OverloadedError as error:
                return error.code

    with ThreadPoolExecutor(4 * SIMULATIONS_MAX) as pool:
        hogs = [pool.submit(hog, number) for number in range(4 * SIMULATIONS_MAX)]
        assert client.call(node.founder, "counters", "add", name="meanwhile", amount=1).code == "OK"
        found = [one.result() for one in hogs]
    assert set(found) <= {"OUT_OF_GAS", "OVERLOADED"}
    assert "OUT_OF_GAS" in found


def test_command_shows_what_would_change(node: NodeProcess) -> None:
    folder = ("--folder", str(node.folder))
    shown = yunhe("tx", "simulate", "counters", "add", "name=new", "amount=2", "--as", "port/admin", *folder)
    assert shown.returncode == 0, shown.stderr
    assert 'would change:\n  counters.counters["new"] added\n    name   "new"\n    value  2\n' in shown.stdout
    value = yunhe_json("tx", "simulate", "counters", "add", "name=new", "amount=2", "--key", str(node.founder_file.path), *folder)
    assert value["results"] == [2]


def test_command_without_a_member_is_told_what_is_missing(node: NodeProcess) -> None:
    done = yunhe("--json", "tx", "simulate", "counters", "add", "name=a", "amount=1", "--folder", str(node.folder))
    assert (json.loads(done.stderr)["code"], done.returncode) == ("USAGE", 2)


def test_command_ends_with_1_and_the_code_where_the_call_would_not_take_effect(node: NodeProcess) -> None:
    call = ("tx", "simulate", "counters", "add", "name=a", "--as", "port/admin", "--folder", str(node.folder))
    refused = yunhe("--json", *call, "amount=0")
    assert (refused.returncode, json.loads(refused.stdout)["code"]) == (1, "AMOUNT_NOT_POSITIVE")
    assert yunhe("--json", *call, "amount=1").returncode == 0


def test_command_given_a_view_or_an_action_of_the_other_kind_names_the_command_for_it(node: NodeProcess) -> None:
    folder = ("--folder", str(node.folder))
    simulated = yunhe("tx", "simulate", "counters", "value", "name=a", "--as", "port/admin", *folder)
    assert (simulated.returncode, "`yunhe query view counters value` asks it" in simulated.stderr) == (1, True), simulated.stderr
    viewed = yunhe("query", "view", "counters", "add", "name=a", *folder)
    assert (viewed.returncode, "`yunhe tx call counters add` calls it" in viewed.stderr) == (1, True), viewed.stderr


def test_command_with_an_argument_twice_or_no_member_is_refused_by_name(node: NodeProcess) -> None:
    call = ("--json", "tx", "simulate", "counters", "add", "name=a", "amount=1", "--folder", str(node.folder))
    for more, code, said in (
        (("amount=2", "--as", "port/admin"), "USAGE", "amount is given twice"),
        (("--as", "admin"), "MALFORMED", "'admin' is no member: write ORGANISATION/MEMBER"),
    ):
        told = json.loads(yunhe(*call, *more).stderr)
        assert (told["code"], said in told["message"]) == (code, True), told
