"""The command `yunhe`.

One file for each group of commands; industry applications add theirs through the entry point group `yunhe.commands`.
"""

import os
import sys
from importlib import metadata
from typing import Annotated, Final

import structlog
import typer
from typer.exceptions import TyperException

import yunhe
from yunhe.cli.on_demand import on_demand
from yunhe.cli.output import exit_code, output
from yunhe.cli.refusals import meaning
from yunhe.errors import TransactionRefusedError, UsageError, YunheError

_NAME: Final = "yunhe"
_COMMANDS: Final = "yunhe.commands"
_EXIT_USAGE: Final = 2
_EXIT_INTERRUPTED: Final = 130

_PLACES: Final = {
    "network": "yunhe.cli.network:app",
    "node": "yunhe.cli.node:app",
    "key": "yunhe.cli.key:app",
    "org": "yunhe.cli.org:app",
    "contract": "yunhe.cli.contract:app",
    "tx": "yunhe.cli.tx:app",
    "query": "yunhe.cli.query:app",
    "webhook": "yunhe.cli.webhook:app",
    "proof": "yunhe.cli.proof:app",
    "token": "yunhe.cli.token:app",
    "witness": "yunhe.cli.witness:app",
    "doctor": "yunhe.cli.doctor:doctor",
    "bench": "yunhe.cli.bench:bench",
}


def _places() -> dict[str, str]:
    """Return where the commands are, those included that installed industry applications add."""
    added = sorted(metadata.entry_points(group=_COMMANDS), key=lambda entry: entry.name)
    return _PLACES | {entry.name: entry.value for entry in added}


app = typer.Typer(
    name=_NAME,
    cls=on_demand(_places()),
    help="Yunhe: a consortium ledger for trusted data circulation.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
        _check_text(arguments)
        # Typer raises its own copies of click's exceptions, and returns the code of `typer.Exit`.
        sys.exit(app(arguments, prog_name=_NAME, standalone_mode=False))
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


def _check_text(arguments: list[str]) -> None:
    """Refuse what is not text where the terminal and the environment could have given any bytes.

    Raises:
        UsageError: an argument, or a variable of ours, is not UTF-8.
    """
    given = [(f"argument {place}", argument) for place, argument in enumerate(arguments, 1)]
    given += [(name, value) for name, value in os.environ.items() if name.startswith("YUNHE_")]
    for name, value in given:
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise UsageError(f"{name} is not text in UTF-8") from error


def _with_help(error: TyperException) -> str:
    """Return what is wrong with a command, and where its help is."""
    text = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    return text if context is None else f"{text}; `{context.command_path} --help` shows how it is used"
