"""The list of generated pages, and how they are written and compared."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, cast

from tools.reference.command_line import command_page
from tools.reference.configuration import configuration_page
from tools.reference.contracts import contract_page
from tools.reference.error_codes import error_page
from tools.reference.http_api import http_page, openapi_page
from tools.tidy.checkout import ROOT
from yunhe.cli.main import app
from yunhe.gateway.app import create_app
from yunhe.node import Node
from yunhe.node.tokens import AccessTokens


def openapi() -> dict[str, Any]:
    """Return the OpenAPI document that a node serves. There is no node here: the routes are described, not called."""
    return create_app(cast("Node", object()), AccessTokens("", None, lambda: 0)).openapi()


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "docs/reference/cli.md": lambda: command_page("yunhe", app),
    "docs/reference/configuration.md": configuration_page,
    "docs/reference/contracts.md": contract_page,
    "docs/reference/errors.md": error_page,
    "docs/reference/http.md": lambda: http_page(openapi()),
    "docs/reference/openapi.json": lambda: openapi_page(openapi()),
}
"""What renders each page, by its path in the checkout."""


def write_pages(root: Path = ROOT) -> list[str]:
    """Write the pages below `root` and return the paths of those that changed."""
    changed = [path for path in PAGES if stale(path, root)]
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(PAGES[path](), encoding="utf-8")
    return changed


def stale(path: str, root: Path = ROOT) -> bool:
    """Say whether a page is missing or differs from what would be written now."""
    file = root / path
    return not file.is_file() or file.read_text(encoding="utf-8") != PAGES[path]()
