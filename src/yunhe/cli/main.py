"""The command `yunhe`.

One file for each group of commands; industry applications add theirs through the entry point group `yunhe.commands`.
"""

import sys
from functools import cache
from importlib import metadata
from typing import Annotated, Final

import structlog
import typer
from typer.exceptions import TyperException

import yunhe
from yunhe.cli import bench, contract, key, node, org, profile, proof, query, replay, simulate, token, tx, webhook
from yunhe.cli.output import exit_code, output
from yunhe.cli.refusals import meaning
from yunhe.errors import TransactionRefusedError, UsageError, YunheError

_NAME: Final = "yunhe"
_COMMANDS: Final = "yunhe.commands"
_EXIT_USAGE: Final = 2
_EXIT_INTERRUPTED: Final = 130

app = typer.Typer(
    name=_NAME,
    help="Yunhe: a consortium ledger for trusted data circulation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
tx.app.command("simulate")(simulate.simulate)
tx.app.command("replay")(replay.replay)
contract.app.command("profile")(profile.profile)
for _group in (node, key, org, contract, tx, query, webhook, proof, token):
    app.add_typer(_group.app)
app.command("bench")(bench.bench)


def _print_version(wanted: bool) -> None:  # the form of a typer callback
    if wanted:
        output.result({"version": yunhe.__version__}, f"yunhe {yunhe.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON value instead of text.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")] = False,  # noqa: ARG001
) -> None:
    output.json = json


@cache
def command_line() -> typer.Typer:
    """Return the app, with the commands that installed industry applications add."""
    for entry in sorted(metadata.entry_points(group=_COMMANDS), key=lambda entry: entry.name):
        app.command(entry.name)(entry.load())
    return app


def main() -> None:
    """Run the command line; the process ends with the exit codes of `yunhe.cli.output`."""
    arguments = sys.argv[1:]
    # `--json` may stand anywhere, as people add it at the end.
    if "--json" in arguments and "--" not in arguments:
        arguments = ["--json", *(argument for argument in arguments if argument != "--json")]
    output.json = "--json" in arguments[:1]
    # What parts of the node log in a command's process is no result of the command.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        # Typer raises its own copies of click's exceptions, and returns the code of `typer.Exit`.
        sys.exit(command_line()(arguments, prog_name=_NAME, standalone_mode=False))
    except typer.Abort:
        sys.exit(_EXIT_INTERRUPTED)
    except TyperException as error:
        # The help that is shown when no command is given comes as an error without a message.
        if error.format_message():
            output.error(UsageError(_with_help(error)))
        sys.exit(_EXIT_USAGE)
    except UsageError as error:
        output.error(error)
        sys.exit(_EXIT_USAGE)
    except TransactionRefusedError as error:
        output.error(error, meaning(error.contract, error.receipt_code))
        sys.exit(exit_code(error))
    except YunheError as error:
        output.error(error)
        sys.exit(exit_code(error))


def _with_help(error: TyperException) -> str:
    """Return what is wrong with a command, and where its help is."""
    text = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    return text if context is None else f"{text}; `{context.command_path} --help` shows how it is used"
