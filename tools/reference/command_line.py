"""The page of the command line, from the commands themselves, those that installed apps add included."""

import typer
import typer.main
from typer.cli import get_docs_for_click

from tools.reference.markdown import NOTICE


def command_page(name: str, app: typer.Typer) -> str:
    """Return docs/reference/cli.md: an app and all commands below it, as Typer describes them."""
    root = typer.main.get_command(app)
    text = get_docs_for_click(obj=root, ctx=typer.Context(root, info_name=name), name=name, title="Command line")
    return f"{NOTICE}\n\n{text.rstrip()}\n"
