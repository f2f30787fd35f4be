"""Records listed by an index on a real node, over SDK and command line; rows of indexes proven; gas for votes that build an index."""

import json
from pathlib import Path

import pytest

from tests.e2e.node_process import NodeProcess, yunhe, yunhe_json
from yunhe.errors import CursorError, IndexNotFoundError, RecordNotFoundError
from yunhe.sdk import Client

TRADE = '''"""Bills and their holders."""

from yunhe.contracts import Context, Index, Org, Record, Table, Unique, action


class Bill(Record):
    number: str
    holder: Org
    checksum: bytes


bills: Table[Bill] = Table(key="number")
bills_by_holder: Index[Bill] = Index(bills, by="holder")
bill_of_checksum: Unique[Bill] = Unique(bills, by="checksum")


@action
def issue(ctx: Context, first: int, count: int, holder: Org) -> None:
    for n in range(first, first + count):
        bills.add(Bill(number=f"B{n}", holder=holder, checksum=str(n).encode()))
'''
HELD = [f"B{n}" for n in range(10, 17)]


@pytest.fixture(scope="module")
def node(shared_node: NodeProcess) -> NodeProcess:
    shared_node.deploy("trade", TRADE)
    with shared_node.client() as client:
        client.call(shared_node.founder, "trade", "issue", first=10, count=7, holder="bank")
        client.call(shared_node.founder, "trade", "issue", first=20, count=3, holder="port")
    return shared_node


@pytest.fixture
def client(node: NodeProcess):
    with node.client() as client:
        yield client


def numbers(rows) -> list[str]:
    return [row["fields"]["number"] for row in rows]


def test_api_010_client_lists_by_an_index_within_bounds(client: Client) -> None:
    assert numbers(client.records("trade", "bills", ["bank"], by="holder")) == HELD
    assert numbers(client.records("trade", "bills", by=["holder"], start=["bank", "B15"], end=["port", "B21"])) == ["B15", "B16", "B20"]
    assert numbers(client.records("trade", "bills", by="checksum", start=[b"16"], reverse=True, limit=2)) == ["B22", "B21"]


def test_api_006_client_takes_page_after_page(client: Client) -> None:
    found, cursor = [], None
    for size in (3, 3, 1):
        page = client.record_page("trade", "bills", ["bank"], by="holder", limit=3, cursor=cursor)
        assert len(page["items"]) == size
        found += page["items"]
        cursor = page["next"]
    assert (numbers(found), cursor) == (HELD, None)
    assert found[0] == {"key": ["B10"], "fields": {"number": "B10", "holder": "bank", "checksum": "0x3130"}}


def test_api_006_cursor_of_another_order_is_refused(client: Client) -> None:
    page = client.record_page("trade", "bills", by="holder", limit=1)
    with pytest.raises(CursorError, match="not of this list"):
        client.record_page("trade", "bills", limit=1, cursor=page["next"])


def test_api_011_index_that_is_not_declared_is_refused_by_name(client: Client) -> None:
    with pytest.raises(IndexNotFoundError, match="it has: holder; checksum"):
        list(client.records("trade", "bills", by="number"))


def test_query_lists_by_an_index_and_goes_on_at_its_cursor(node: NodeProcess) -> None:
    arguments = ("query", "records", "trade", "bills", "--by", "holder", "--start", "bank", "--start", "B14", "--folder", str(node.folder))
    first = yunhe_json(*arguments, "--limit", "2")
    assert numbers(first["items"]) == ["B14", "B15"]
    rest = yunhe_json(*arguments, "--cursor", first["next"])
    assert (numbers(rest["items"]), rest["next"]) == (["B16", "B20", "B21", "B22"], None)
    shown = yunhe(*arguments, "--limit", "2").stdout
    assert shown.rstrip().endswith(f"there are more: --cursor {first['next']}")


@pytest.mark.parametrize(("checksum", "kind"), [("0x3135", "record"), ("0x3939", "absence")])
def test_row_of_a_constraint_is_proven_as_a_record_is(node: NodeProcess, tmp_path: Path, checksum: str, kind: str) -> None:
    bundle = tmp_path / "row.yunhe"
    yunhe_json("proof", "record", "trade", "bills#checksum", checksum, "--out", str(bundle), "--folder", str(node.folder))
    done = yunhe("--json", "proof", "verify", str(bundle), "--genesis", str(node.folder / "genesis.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    (subject,) = json.loads(done.stdout)["subjects"]
    row = {"contract": "trade", "table": "bills#checksum", "key": [checksum]}
    held = {"record": {"number": "B15"}} if kind == "record" else {}
    assert subject == {"kind": kind, "fields": row | held}


def test_sys_024_upgrade_that_builds_an_index_takes_the_gas_that_it_is_given(node: NodeProcess, client: Client, tmp_path: Path) -> None:
    source = tmp_path / "trade.py"
    source.write_text(TRADE.replace("\n\n@action", '\nby_both: Index[Bill] = Index(bills, by=("checksum", "holder"))\n\n\n@action', 1))
    upgrade = ("contract", "upgrade", "trade", str(source), "--key", str(node.founder_file.path), "--folder", str(node.folder))
    refused = yunhe("--json", *upgrade, "--gas-limit", "300000")
    assert refused.returncode != 0
    assert "OUT_OF_GAS" in refused.stdout + refused.stderr
    with pytest.raises(IndexNotFoundError):
        list(client.records("trade", "bills", by=("checksum", "holder")))
    assert yunhe_json(*upgrade, "--gas-limit", "2000000")["status"] == "accepted"
    assert numbers(client.records("trade", "bills", by=("checksum", "holder"), limit=2)) == ["B10", "B11"]


def test_api_025_record_and_proof_of_the_past_over_the_command_line(node: NodeProcess, client: Client, tmp_path: Path) -> None:
    at = int(client.status()["height"])
    client.call(node.founder, "trade", "issue", first=30, count=1, holder="late")
    assert client.record("trade", "bills", ["B30"])["height"] == at + 1
    with pytest.raises(RecordNotFoundError, match=f"at height {at}"):
        client.record("trade", "bills", ["B30"], at)
    shown = yunhe_json("query", "record", "trade", "bills", "B10", "--at", str(at), "--folder", str(node.folder))
    assert (shown["height"], shown["fields"]["holder"]) == (at, "bank")
    out = tmp_path / "absent.yunhe"
    yunhe_json("proof", "record", "trade", "bills", "B30", "--at", str(at), "--out", str(out), "--folder", str(node.folder))
    verified = yunhe("proof", "verify", str(out), "--genesis", str(node.folder / "genesis.json"))
    assert verified.returncode == 0, verified.stderr
    assert str(at) in verified.stdout
    assert yunhe("query", "record", "trade", "bills", "B10", "--at", str(at + 9), "--folder", str(node.folder)).returncode == 1
    # API-026: a record that was removed has a version that says so.
    (version,) = client.record_versions("trade", "bills", ["B30"], from_height=at)
    assert (version["height"], version["fields"]["holder"]) == (at + 1, "late")
    listed = yunhe("query", "versions", "trade", "bills", "B30", "--limit", "1", "--folder", str(node.folder))
    assert (listed.returncode, "late" in listed.stdout) == (0, True)


def test_api_010_table_that_there_is_not_is_refused_by_name(node: NodeProcess, client: Client) -> None:
    for arguments in (("records", "trade", "nosuch"), ("record", "trade", "nosuch", "B10"), ("records", "nosuch", "bills")):
        refused = yunhe("query", *arguments, "--folder", str(node.folder))
        assert (refused.returncode, refused.stdout, "TABLE_NOT_FOUND" in refused.stderr) == (1, "", True)
    assert list(client.records("trade", "bills", ["nobody"], by="holder")) == []


def test_blocks_are_listed_between_heights(node: NodeProcess, client: Client) -> None:
    assert [header["height"] for header in client.blocks(from_height=1, to_height=3)] == [3, 2, 1]
    done = yunhe("--json", "query", "blocks", "--folder", str(node.folder), "--from-height", "2", "--to-height", "3")
    assert [header["height"] for header in json.loads(done.stdout)] == [3, 2]
