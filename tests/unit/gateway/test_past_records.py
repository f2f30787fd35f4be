"""API-025: a record as it was after a block of the past."""

from pathlib import Path

import httpx

from tests.unit.gateway.served_node import CBOR, serve
from tests.unit.node.open_node import DEADLINE_S, transaction
from yunhe.node import Node

RECORD = "/v1/contracts/registry/tables/members/record"


async def clerk(client: httpx.AsyncClient, height: object = None) -> tuple[int, str, object]:
    """Ask for the clerk; return status, code or roles, and height."""
    answer = await client.get(RECORD, params={"key": '["port","clerk"]'} | ({} if height is None else {"height": str(height)}))
    body = answer.json()
    return answer.status_code, body["fields"]["roles"] if "fields" in body else body["code"], body.get("height")


def test_record_of_the_past_is_as_it_was_then_or_refused_by_name(tmp_path: Path) -> None:
    """API-025 accepted within the history that is kept, refused below and above."""

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        async def commit(action: str, **arguments: object) -> None:
            made = transaction(node, action, salt=node.head().height, member="clerk", **arguments)  # type: ignore[arg-type]  # values of calls
            answer = await client.post("/v1/transactions", content=made.encoded, headers=CBOR, timeout=DEADLINE_S)
            assert answer.json()["receipt"]["code"] == "OK"

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
