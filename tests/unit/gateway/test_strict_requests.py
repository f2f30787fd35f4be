"""API-006 and API-040 to API-043: requests mean one thing only, and lists are paged in one way."""

import re
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests.unit.gateway.served_node import PROBLEM, serve
from tools.reference.pages import openapi
from yunhe import errors
from yunhe.errors import MalformedError, NameRepeatedError, YunheError
from yunhe.gateway.problems import problem
from yunhe.gateway.strict_json import read_json
from yunhe.node import EventFilter, EventPlace, Node

JSON = {"Content-Type": "application/json"}
RECORD = "/v1/contracts/registry/tables/members/record"
RECORDS = "/v1/contracts/registry/tables/members/records"
WEBHOOK = "0123456789abcdef"
FILLED = {"{height}": "0", "{contract}": "registry", "{table}": "members", "{view}": "member", "{webhook_id}": WEBHOOK}
LISTS = ["/v1/blocks", "/v1/events", RECORDS, "/v1/webhooks", f"/v1/webhooks/{WEBHOOK}/dead-letters"]

REFUSED_JSON = {
    "a name twice": ('{"a": 1, "b": 2, "a": 1}', NameRepeatedError, '"a" stands twice'),
    "a name twice further in": ('[{"a": {"x": null, "x": null}}]', NameRepeatedError, '"x"'),
    "a name twice, once escaped": ('{"a": 1, "\\u0061": 2}', NameRepeatedError, '"a"'),
    "a fraction": ("[1.0]", MalformedError, "1.0"),
    "an exponent": ("[1e3]", MalformedError, "1e3"),
    "minus zero": ("[-0]", MalformedError, "-0"),
    "too many digits": ("[" + "9" * 5000 + "]", MalformedError, "9…"),
    "no number": ("[NaN]", MalformedError, "NaN"),
    "infinity": ("[-Infinity]", MalformedError, "-Infinity"),
    "half a character": ('["\\ud800"]', MalformedError, "not Unicode"),
    "half a character as a name": ('{"\\udc00": 1}', MalformedError, "not Unicode"),
    "no UTF-8": (b'["\xff"]', MalformedError, "not Unicode"),
    "a byte order mark": ("\ufeff[]", MalformedError, "not JSON"),
    "a leading zero": ("[01]", MalformedError, "not JSON"),
    "nothing": ("", MalformedError, "not JSON"),
    "more than one value": ("[] []", MalformedError, "not JSON"),
    "a trailing comma": ("[1,]", MalformedError, "not JSON"),
    "endless nesting": ("[" * 200_000, MalformedError, "nests too deeply"),
}


@pytest.mark.parametrize(("text", "kind", "said"), REFUSED_JSON.values(), ids=REFUSED_JSON)
def test_json_that_can_be_read_in_two_ways_is_refused(text, kind, said) -> None:
    """API-040 refused."""
    with pytest.raises(kind, match=re.escape(said)):
        read_json(text, "the text")


def test_json_of_one_meaning_is_read() -> None:
    """API-040."""
    text = b' {"a": [0, -1, 9223372036854775807, true, null, "\\ud83d\\udea2 \xe8\x88\xb9"], "b": {"a": {}}}\n'
    assert read_json(text, "the text") == {"a": [0, -1, 2**63 - 1, True, None, "\U0001f6a2 船"], "b": {"a": {}}}


def described() -> list[tuple[str, str, list[dict]]]:
    """Return method, path with its places filled, and query parameters of each route."""
    found = []
    for path, operations in openapi()["paths"].items():
        filled = path.replace("{transaction_id}", "0" * 64)
        for place, value in FILLED.items():
            filled = filled.replace(place, value)
        for method, operation in operations.items():
            found.append((method, filled, [p for p in operation.get("parameters", []) if p["in"] == "query"]))
    return found


def kinds(parameter: dict) -> set[str]:
    schema = parameter.get("schema", {})
    return {one.get("type", "") for one in schema.get("anyOf", [schema])}


async def refused(answer: httpx.Response, code: str, said: str) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (400, PROBLEM), answer.url
    assert (answer.json()["code"], answer.json()["type"]) == (code, f"urn:yunhe:error:{code}"), answer.url
    assert said in answer.json()["detail"]


def test_every_route_refuses_parameters_that_it_does_not_have_or_has_twice(tmp_path: Path) -> None:
    """API-041: by name, and before anything else is looked at; the description itself too."""

    async def ask(_node: Node, client: httpx.AsyncClient) -> None:
        for method, path, parameters in [*described(), ("get", "/openapi.json", [])]:
            for unknown in ("Limit", "limit%5B%5D", "", "_", "\u00e9"):
                await refused(await client.request(method, f"{path}?{unknown}=1"), "PARAMETER_UNKNOWN", "has no query parameter")
            for parameter in parameters:
                twice = f"{parameter['name']}=1&{parameter['name']}=1"
                await refused(await client.request(method, f"{path}?{twice}"), "PARAMETER_REPEATED", parameter["name"])

    serve(tmp_path, ask)


def test_parameters_of_a_route_are_taken_together(tmp_path: Path) -> None:
    """API-041: those of a list and its own."""

    async def ask(_node: Node, client: httpx.AsyncClient) -> None:
        for path in ("/v1/blocks?limit=1&cursor=0&from_height=0&to_height=0", "/v1/events?limit=1&cursor=0&from_height=0&where=%7B%7D"):
            assert (await client.get(path)).status_code == 200
        asked = await client.get(f"{RECORDS}?prefix=%5B%5D&start=%5B%5D&end=%5B%5D&by=&limit=1&reverse=true")
        assert (asked.status_code, asked.json()["items"][0]["key"]) == (200, ["port", "admin"]), asked.text

    serve(tmp_path, ask)


NOT_INTEGERS = ["", "01", "+1", "-0", "-1", " 1", "1 ", "1.0", "1e0", "1_0", "0x1", "\u0661", "true", "9" * 20, "null"]
NOT_FLAGS = ["", "1", "0", "yes", "True", "TRUE", "on", "t"]


def test_numbers_and_flags_have_one_form_in_every_query(tmp_path: Path) -> None:
    """API-042 refused: whichever route declares one."""

    async def ask(_node: Node, client: httpx.AsyncClient) -> None:
        seen = set()
        for method, path, parameters in described():
            for parameter in parameters:
                for kind, bad in (("integer", NOT_INTEGERS), ("boolean", NOT_FLAGS)):
                    if kind in kinds(parameter):
                        seen.add(parameter["name"])
                        for text in bad:
                            answer = await client.request(method, f"{path}?{parameter['name']}={quote(text)}")
                            await refused(answer, "REQUEST_INVALID", f"query.{parameter['name']}")
        assert seen == {"again", "from_height", "height", "limit", "reverse", "to_height", "wait_ms"}

    serve(tmp_path, ask)


def test_numbers_in_paths_have_one_form(tmp_path: Path) -> None:
    """API-042."""

    async def ask(_node: Node, client: httpx.AsyncClient) -> None:
        assert (await client.get("/v1/blocks/0")).status_code == 200
        for text in NOT_INTEGERS[1:]:
            await refused(await client.get(f"/v1/blocks/{quote(text)}"), "REQUEST_INVALID", "path.height")

    serve(tmp_path, ask)


def test_key_has_one_form(tmp_path: Path) -> None:
    """API-042: of what asks for the same record, one spelling is taken."""

    async def ask(_node: Node, client: httpx.AsyncClient) -> None:
        for bad, code in {
            '["0xAB"]': "MALFORMED",
            '["0xabc"]': "MALFORMED",
            '["0x ab"]': "MALFORMED",
            '["0Xab", "0x\\n"]': "MALFORMED",
            "[1.0]": "MALFORMED",
            "[-0]": "MALFORMED",
            "[true]": "MALFORMED",
            "[null]": "MALFORMED",
            "[]": "MALFORMED",
            '{"a": 1, "a": 1}': "NAME_REPEATED",
            '["\\ud800"]': "MALFORMED",
            "[9223372036854775808]": "MALFORMED",
        }.items():
            await refused(await client.get(RECORD, params={"key": bad}), code, "")
        for good in ('["0xab"]', '["0x"]', '["shipper", -1]'):
            assert (await client.get(RECORD, params={"key": good})).json()["code"] == "RECORD_NOT_FOUND"

    serve(tmp_path, ask)


def test_body_has_its_fields_with_their_types_and_no_others(tmp_path: Path) -> None:
    """API-040: what would be guessed at elsewhere is refused here, with the place."""
    proofs, view = "/v1/proofs", "/v1/contracts/registry/views/member"

    async def ask(_node: Node, client: httpx.AsyncClient) -> None:
        for path, body, code, said in (
            (proofs, '{"subjects": [], "subjects": []}', "NAME_REPEATED", '"subjects"'),
            (proofs, '{"subjects": [{"kind": "record", "kind": "receipt"}]}', "NAME_REPEATED", '"kind"'),
            (proofs, '{"subjects": [], "height": "1"}', "REQUEST_INVALID", "body.height"),
            (proofs, '{"subjects": [], "height": true}', "REQUEST_INVALID", "body.height"),
            (proofs, '{"subjects": [], "height": 1.0}', "MALFORMED", "1.0"),
            (proofs, '{"subjects": [], "hight": 1}', "REQUEST_INVALID", "body.hight"),
            (proofs, '{"subjects": [{"kind": "record", "tables": "a"}]}', "REQUEST_INVALID", "body.subjects.0.record.tables"),
            (proofs, '{"subjects": [{"kind": "block"}]}', "REQUEST_INVALID", "body.subjects.0"),
            (proofs, '{"subjects": []}', "REQUEST_INVALID", "body.subjects"),
            (view, '{"argument": {}}', "REQUEST_INVALID", "body.argument"),
            (view, "[", "MALFORMED", "the body is not JSON"),
            ("/v1/webhooks", '{"url": "https://example.org", "where": {"a": "\\ud800"}}', "MALFORMED", "Unicode"),
            ("/v1/webhooks", '{"url": "https://example.org", "from_height": "1"}', "REQUEST_INVALID", "body.from_height"),
        ):
            await refused(await client.post(path, content=body, headers=JSON), code, said)
        answer = await client.post(view, json={"arguments": {"member": "nobody"}})
        assert (answer.status_code, answer.json()["code"]) == (409, "VIEW_REFUSED")

    serve(tmp_path, ask)


@pytest.mark.parametrize("path", LISTS)
def test_every_list_takes_limit_and_cursor_and_answers_with_items_and_next(tmp_path: Path, path: str) -> None:
    """API-006: in the description, and over the wire; a cursor that no list gave is refused by its code."""
    parameters = {p["name"] for _, described_path, names in described() for p in names if described_path == path}
    assert {"limit", "cursor"} < parameters

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        hook = await node.webhooks.add("https://192.0.32.7/events", EventFilter(), EventPlace(0))
        asked = path.replace(WEBHOOK, hook.id)
        page = (await client.get(asked)).json()
        assert isinstance(page["items"], list)
        assert "next" in page
        for bad in ("", "x", "-1", "01", "1.0", "a" * 5000, "9" * 19, "1.2.3.4", " 1", "0x00", hook.id, f"1.{hook.id}x"):
            await refused(await client.get(asked, params={"cursor": bad}), "CURSOR_INVALID", "")

    serve(tmp_path, ask)


def test_blocks_are_listed_within_their_heights(tmp_path: Path) -> None:
    """API-006: a cursor above the highest block that was asked for is of another list."""

    async def ask(_node: Node, client: httpx.AsyncClient) -> None:
        for query, heights in (("", [0]), ("?to_height=0", [0]), ("?from_height=1", []), ("?from_height=0&to_height=5", [0])):
            page = (await client.get(f"/v1/blocks{query}")).json()
            assert ([header["height"] for header in page["items"]], page["next"]) == (heights, None)
        await refused(await client.get("/v1/blocks?cursor=1"), "CURSOR_INVALID", "not of this list")

    serve(tmp_path, ask)


def test_webhooks_are_listed_page_by_page_and_by_contract_and_state(tmp_path: Path) -> None:
    """API-006: a page goes on where the last one ended, also when that webhook has been removed since."""

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        for contract in ("bill", "bill", None):
            await node.webhooks.add("https://192.0.32.7/events", EventFilter(contract), EventPlace(0))
        whole = (await client.get("/v1/webhooks")).json()
        ids = [hook["id"] for hook in whole["items"]]
        assert (len(ids), whole["next"]) == (3, None)
        first = (await client.get("/v1/webhooks?limit=1")).json()
        await client.delete(f"/v1/webhooks/{ids[0]}")
        rest = (await client.get("/v1/webhooks", params={"cursor": first["next"]})).json()
        assert [hook["id"] for hook in first["items"] + rest["items"]] == ids
        for query, count in (("contract=bill", 1), ("state=running", 2), ("state=halted", 0), ("contract=bill&state=failing", 0)):
            assert len((await client.get(f"/v1/webhooks?{query}")).json()["items"]) == count

    serve(tmp_path, ask)


def test_type_of_a_problem_is_an_absolute_uri_of_its_code() -> None:
    """API-043: for every error there is."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, YunheError)]
    assert len(kinds) > 50
    for kind in kinds:
        error = kind.__new__(kind)
        YunheError.__init__(error, "said")
        if kind is errors.ViewRefusedError:
            error.refusal = "NOT_FOUND"
        assert problem(error).type == f"urn:yunhe:error:{kind.code}"
        assert re.fullmatch("urn:yunhe:error:[A-Z][A-Z0-9_]+", problem(error).type)
