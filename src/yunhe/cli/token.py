"""`yunhe token`: make, list and revoke the API tokens of a node on this machine, running or not."""

from pathlib import Path
from typing import Annotated

import typer

from yunhe.cli.output import output, table, utc
from yunhe.limits import TOKEN_DAYS_MAX
from yunhe.node import NodeFolder
from yunhe.node.audit import audited
from yunhe.node.node import clock_ms
from yunhe.node.tokens import SCOPES, Token, create_token, read_tokens, revoke_token

app = typer.Typer(name="token", help="Make, list and revoke the API tokens of a node on this machine.", no_args_is_help=True)

DirArgument = Annotated[Path, typer.Argument(help="The node's folder; the node may be running.")]
NameArgument = Annotated[str, typer.Argument(help="The token's name: lower case letters, digits and hyphens.")]

_DAY_MS = 86_400_000


@app.command()
def create(
    folder: DirArgument,
    name: NameArgument,
    scope: Annotated[list[str], typer.Option("--scope", help=f"What it allows ({', '.join(SCOPES)}). Give it again for more.")],
    days: Annotated[int, typer.Option("--days", min=1, max=TOKEN_DAYS_MAX, help="Days after which it expires.")] = 90,
) -> None:
    """Make a token and show it. It is shown only now; the node keeps its hash."""
    NodeFolder.load(folder)
    with audited(folder, "token create", {"name": name, "scopes": ",".join(scope), "days": days}):
        token, text = create_token(folder, name, scope, days * _DAY_MS, clock_ms())
    output.fields({"name": name, "scopes": list(token.scopes), "expires": utc(token.expires_ms), "token": text})


@app.command("list")
def list_(folder: DirArgument) -> None:
    """List the tokens and how each is; those that ended are kept for a while."""
    NodeFolder.load(folder)
    now_ms = clock_ms()
    rows = [_shown(token, now_ms) for token in read_tokens(folder)]
    columns = ["name", "scopes", "state", "created", "expires"]
    output.result(rows, table(columns, [[row[column] for column in columns] for row in rows]))


@app.command()
def revoke(folder: DirArgument, name: NameArgument) -> None:
    """End a token. The running node refuses it at once."""
    NodeFolder.load(folder)
    with audited(folder, "token revoke", {"name": name}):
        revoked = revoke_token(folder, name, clock_ms())
    output.result(_shown(revoked, clock_ms()), f"revoked {name}")


def _shown(token: Token, now_ms: int) -> dict[str, object]:
    return {
        "name": token.name,
        "scopes": list(token.scopes),
        "state": token.state(now_ms),
        "created": utc(token.created_ms),
        "expires": utc(token.expires_ms),
    }
