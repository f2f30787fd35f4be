"""`yunhe tx replay` beside a running node: what it shows, and what it says when it cannot."""

import json
from pathlib import Path

import pytest

from tests.e2e import counters
from tests.e2e.node_process import NodeProcess, yunhe, yunhe_json
from yunhe.sdk import Call


@pytest.fixture(scope="module")
def ids(shared_node: NodeProcess) -> list[str]:
    """Transactions of one block: two on one counter, one that is refused, one that fails."""
    shared_node.deploy("counters", Path(counters.__file__).read_text(encoding="utf-8"))
    calls = [("add", {"name": "a", "amount": 3}), ("add", {"name": "a", "amount": 4}), ("add", {"name": "a", "amount": 0})]
    with shared_node.client() as client:
        transactions = [
            client.build([shared_node.founder], [Call("counters", action, arguments)], gas_limit=1_000_000)
            for action, arguments in [*calls, ("fault", {"name": "b"})]
        ]
        submitted = client.submit_batch(transactions)
        assert len({client.transaction(one.transaction_id)["height"] for one in submitted}) == 1
        return [one.transaction_id.hex() for one in submitted]


def test_replay_shows_the_transaction_its_changes_and_the_proof(shared_node: NodeProcess, ids: list[str]) -> None:
    value = yunhe_json("tx", "replay", ids[1], "--folder", str(shared_node.folder))
    with shared_node.client() as client:
        receipt = client.receipt(bytes.fromhex(ids[1]))["receipt"]
        header = client.block(value["height"])["header"]
    assert {name: value[name] for name in ("code", "gas_used", "results", "position")} == {
        "code": "OK",
        "gas_used": receipt["gas_used"],
        "results": [7],
        "position": 1,
    }
    assert value["changes"] == [
        {"contract": "counters", "table": "counters", "key": ["a"], "before": {"name": "a", "value": 3}, "after": {"name": "a", "value": 7}}
    ]
    assert value["receipt_same"]
    assert (value["receipts_root"], value["header_hash"]) == (header["receipts_root"], header["hash"])
    shown = yunhe("tx", "replay", ids[1], "--folder", str(shared_node.folder)).stdout
    assert '  counters.counters["a"]\n    value  3 -> 7\n' in shown
    assert "byte for byte" in shown


def test_replay_of_a_refusal_and_of_a_fault_shows_how_they_ended(shared_node: NodeProcess, ids: list[str]) -> None:
    refused = yunhe("tx", "replay", ids[2], "--folder", str(shared_node.folder)).stdout
    assert "AMOUNT_NOT_POSITIVE in call 0" in refused
    assert "changes:\n  nothing\n" in refused
    fault = yunhe_json("tx", "replay", ids[3], "--folder", str(shared_node.folder))
    assert (fault["code"], fault["changes"]) == ("CONTRACT_FAULT", [])
    assert "contract counters, line 45" in fault["fault"]


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [(["00" * 32], "TRANSACTION_NOT_FOUND", 1), (["00"], "MALFORMED", 1)],
)
def test_replay_of_no_transaction_is_refused_by_name(shared_node: NodeProcess, arguments: list[str], code: str, exit_code: int) -> None:
    done = yunhe("--json", "tx", "replay", *arguments, "--folder", str(shared_node.folder))
    assert (json.loads(done.stderr)["code"], done.returncode) == (code, exit_code)


def test_replay_without_a_folder_is_told_what_is_missing(tmp_path: Path) -> None:
    done = yunhe("--json", "tx", "replay", "00" * 32)
    assert (json.loads(done.stderr)["code"], done.returncode) == ("USAGE", 2)
    done = yunhe("--json", "tx", "replay", "00" * 32, "--folder", str(tmp_path))
    assert (json.loads(done.stderr)["code"], done.returncode) == ("CONFIGURATION_INVALID", 4)


def test_profile_lists_the_lines_with_gas_that_sums_up(shared_node: NodeProcess, ids: list[str]) -> None:
    folder = ("--folder", str(shared_node.folder))
    value = yunhe_json("contract", "profile", "--tx", ids[1], *folder)
    parts = value["transaction_gas"] + value["calls_gas"] + value["results_gas"]
    assert sum(line["gas"] for line in value["lines"]) + parts == value["gas_used"] > parts
    assert value["gas_used"] == yunhe_json("tx", "replay", ids[1], *folder)["gas_used"]
    source = Path(counters.__file__).read_text(encoding="utf-8").split("\n")
    assert all(line["text"] == source[line["line"] - 1] for line in value["lines"])
    shown = yunhe("contract", "profile", "--tx", ids[1], *folder).stdout
    assert "    counter.value += amount\n" in shown
    assert shown.endswith(f"{value['gas_used']:>12}  gas in all\n")
    done = yunhe("--json", "contract", "profile", "--tx", ids[1])
    assert (json.loads(done.stderr)["code"], done.returncode) == ("USAGE", 2)


def test_un_metered_run_of_a_system_contract_goes_by_the_ledgers_own_hash(shared_node: NodeProcess, tmp_path: Path) -> None:
    """CON-146: the code hash that it returns and writes is of SHA-256 on one ledger, of SM3 on the other."""
    source = Path(counters.__file__).read_text(encoding="utf-8").replace("A contract for", "A contract of")
    with shared_node.client() as client:
        submitted = client.call(shared_node.founder, "lifecycle", "submit", source=source)
    folders = ("--folder", str(shared_node.folder), "--sources", str(tmp_path / "sources"))
    value = yunhe_json("tx", "replay", submitted.transaction_id.hex(), *folders)
    assert (value["results"], value["plain_differences"]) == (submitted.results, [])
    assert [Path(file).name.split("-")[0] for file in value["sources"]] == ["lifecycle"]
