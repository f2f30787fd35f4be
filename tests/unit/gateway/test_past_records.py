"""API-025, API-026: a record as it was after a block of the past, and what its versions were."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from tests.unit.gateway.served_node import CBOR, serve
from tests.unit.node.open_node import DEADLINE_S, transaction
from yunhe.node import Node
from yunhe.storage import record_versions

RECORD = "/v1/contracts/registry/tables/members/record"


async def clerk(client: httpx.AsyncClient, height: object = None) -> tuple[int, str, object]:
    """Ask for the clerk; return status, code or roles, and height."""
    answer = await client.get(RECORD, params={"key": '["port","clerk"]'} | ({} if height is None else {"height": str(height)}))
    body = answer.json()
    return answer.status_code, body["fields"]["roles"] if "fields" in body else body["code"], body.get("height")


def commits(node: Node, client: httpx.AsyncClient) -> Callable[..., Awaitable[None]]:
    """Return what makes a block of one call about the clerk."""

    async def commit(action: str, **arguments: object) -> None:
        made = transaction(node, action, salt=node.head().height, member="clerk", **arguments)  # type: ignore[arg-type]  # values of calls
        answer = await client.post("/v1/transactions", content=made.encoded, headers=CBOR, timeout=DEADLINE_S)
        assert answer.json()["receipt"]["code"] == "OK"

    return commit


def test_record_of_the_past_is_as_it_was_then_or_refused_by_name(tmp_path: Path) -> None:
    """API-025 accepted within the history that is kept, refused below and above."""

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        commit = commits(node, client)
        key = transaction(node).body.signers[0]
        await commit("enrol_member", roles=["a"], suite=key.suite, public_key=bytes(31) + b"c")
        await commit("set_member", roles=["a", "b"], status="active")
        await commit("set_member", roles=["c"], status="active")
        assert await clerk(client) == (200, ["c"], 3)
        assert await clerk(client, 3) == (200, ["c"], 3)
        assert await clerk(client, 2) == (200, ["a", "b"], 2)
        assert await clerk(client, 1) == (200, ["a"], 1)
        assert await clerk(client, 0) == (404, "RECORD_NOT_FOUND", None)
        assert await clerk(client, 4) == (404, "BLOCK_NOT_FOUND", None)
        assert (await clerk(client, -1))[0] == 400
        await commit("set_member", roles=["d"], status="active")
        assert await clerk(client, 0) == (410, "HISTORY_GONE", None)
        said = (await client.get(RECORD, params={"key": '["port","clerk"]', "height": "0"})).json()["detail"]
        assert "bundle" in said
        assert "tx replay" in said

    serve(tmp_path, ask, parameters={"state_history_blocks": 3})


def test_versions_of_a_record_are_what_blocks_wrote_newest_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """API-026 accepted: further back than the history of proofs, page by page, within heights."""

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        async def versions(**query: object) -> tuple[list[tuple[int, object]], str | None]:
            answer = await client.get(f"{RECORD}/versions", params={"key": '["port","clerk"]'} | {n: str(v) for n, v in query.items()})
            assert answer.status_code == 200, answer.text
            assert answer.json()["oldest"] == 0
            assert all(item["time_ms"] == node.store.header(item["height"]).time_ms for item in answer.json()["items"])
            return [(item["height"], item["fields"]["roles"]) for item in answer.json()["items"]], answer.json()["next"]

        commit = commits(node, client)
        assert await versions() == ([], None)
        key = transaction(node).body.signers[0]
        await commit("enrol_member", roles=["a"], suite=key.suite, public_key=bytes(31) + b"c")
        await commit("set_member", roles=["b"], status="active")
        made = transaction(node, "enrol_member", member="else", roles=[], suite=key.suite, public_key=bytes(31) + b"d")
        await client.post("/v1/transactions", content=made.encoded, headers=CBOR, timeout=DEADLINE_S)
        await commit("set_member", roles=["c"], status="active")
        assert await versions() == ([(4, ["c"]), (2, ["b"]), (1, ["a"])], None)
        assert await versions(from_height=2, to_height=3) == ([(2, ["b"])], None)
        assert await versions(to_height=1) == ([(1, ["a"])], None)
        assert await versions(limit=1) == ([(4, ["c"])], "2")
        assert await versions(limit=1, cursor=2) == ([(2, ["b"])], "1")
        assert await versions(limit=1, cursor=1) == ([(1, ["a"])], None)
        monkeypatch.setattr(record_versions, "VERSION_BLOCKS_PER_READ_MAX", 1)
        assert await versions() == ([(4, ["c"])], "3")
        assert await versions(cursor=3) == ([], "2")
        monkeypatch.setattr(record_versions, "VERSION_BLOCKS_PER_READ_MAX", 1000)
        monkeypatch.setattr(record_versions, "VERSION_BYTES_PER_READ_MAX", 1)
        assert await versions(cursor=2) == ([(2, ["b"])], "1")

    serve(tmp_path, ask, parameters={"state_history_blocks": 1})


def test_versions_of_what_is_not_there_or_out_of_range_are_refused_by_name(tmp_path: Path) -> None:
    """API-026 refused; of blocks that were pruned, see the tests of pruning."""

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        for path, query, code in (
            (RECORD.replace("members", "nosuch"), {}, "TABLE_NOT_FOUND"),
            (RECORD, {"cursor": "1"}, "CURSOR_INVALID"),
            (RECORD, {"cursor": "x"}, "CURSOR_INVALID"),
            (RECORD, {"limit": "0"}, "REQUEST_INVALID"),
            (RECORD, {"key": "5"}, "MALFORMED"),
            (RECORD, {"heihgt": "1"}, "PARAMETER_UNKNOWN"),
        ):
            answer = await client.get(f"{path}/versions", params={"key": '["port","clerk"]'} | query)
            assert (answer.status_code // 100, answer.json()["code"]) == (4, code), query

    serve(tmp_path, ask)
