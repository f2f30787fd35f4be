"""API-045: the page of the API for readers."""

import re
from html.parser import HTMLParser
from pathlib import Path

import httpx

from tests.unit.gateway.served_node import serve
from tools.reference.pages import openapi
from yunhe import errors
from yunhe.gateway.api_page import HEADERS, api_page
from yunhe.node import Node

VOID = {"meta"}


class Page(HTMLParser):
    """What a browser would see of a page: nesting, identifiers, links, and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        given = dict(attrs)
        if "id" in given:
            self.ids.append(str(given["id"]))
        if tag == "a":
            self.links.append(str(given["href"]))
        elif tag in ("script", "link", "img", "iframe", "object", "embed", "form") or {"src", "href", "style"} & given.keys():
            self.loaded.append((tag, str(given)))
        assert not any(name.startswith("on") for name in given)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_page_has_every_route_type_and_code_and_its_links_lead_somewhere() -> None:
    """API-045."""
    document = openapi()
    page = Page(api_page(document).decode())
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    for path, operations in document["paths"].items():
        for method in operations:
            assert f"{method.upper()} {path}" in page.text
    for name in document["components"]["schemas"]:
        assert name in page.text
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.YunheError):
            assert kind.code in page.text
    for link in page.links:
        assert link == "/openapi.json" or link.removeprefix("#") in page.ids


def test_page_loads_and_runs_nothing() -> None:
    """API-045: there is no address in it but its own, and the policy would stop one."""
    text = api_page(openapi()).decode()
    page = Page(text)
    assert page.loaded == []
    assert not re.search(r"url\(|@import|javascript:", text)
    assert HEADERS["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")


def test_texts_of_the_description_are_escaped() -> None:
    """API-045 refused: markup in a text is text."""
    document = openapi()
    evil = "<script>alert(1)</script>\"'`<b>`"
    document["info"]["summary"] = evil
    operation = document["paths"]["/v1/blocks"]["get"]
    operation["description"] = evil
    operation["parameters"][0]["name"] = evil
    operation["parameters"][0]["schema"]["pattern"] = evil
    document["components"]["schemas"]["BlockBody"]["properties"] = {evil: {"type": evil, "enum": [evil]}}
    page = Page(api_page(document).decode())
    assert page.loaded == []
    assert "script" not in page.open
    assert evil.replace("`", "") in page.text


def test_page_needs_no_token_and_is_sent_once_to_who_keeps_it(tmp_path: Path) -> None:
    """API-002, API-016, API-045."""

    async def ask(_node: Node, client: httpx.AsyncClient) -> None:
        page = await client.get("/docs", headers={"Authorization": ""})
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert {name: page.headers[name] for name in HEADERS} == HEADERS
        again = await client.get("/docs", headers={"If-None-Match": page.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert (await client.get("/docs?x=1")).json()["code"] == "PARAMETER_UNKNOWN"
        assert (await client.get("/openapi.json", headers={"If-None-Match": "*"})).status_code == 304

    serve(tmp_path, ask)
