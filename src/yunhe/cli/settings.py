"""A flag for each setting of a node, made from the settings themselves, and `yunhe node config`, which shows them with their origins."""

import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

import typer

from yunhe.cli.output import output, table
from yunhe.node.config import FILE_NAME, KINDS, PASSPHRASE_VARIABLE, SETTINGS, Scalar, flag, resolve_config, variable

Flags: TypeAlias = Mapping[str, Scalar]
"""Settings that were given by flags, by name."""
_HIDDEN: Final = "(hidden)"


def with_setting_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command a flag for each setting that can have one; those that were given reach it as its parameter `flags`."""
    signature = inspect.signature(command)
    own = [parameter for name, parameter in signature.parameters.items() if name != "flags"]
    named = [name for name in SETTINGS if flag(name) is not None]
    added = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_option(name)) for name in named]

    @wraps(command)
    def flagged(**given: Any) -> None:  # noqa: ANN401  # as Typer gives them
        flags = {name: value for name in named if (value := given.pop(name)) is not None}
        command(**given, flags=flags)

    # Typer asks for the signature, and so gets the flags beside the command's own parameters.
    flagged.__signature__ = signature.replace(parameters=[*own, *added])  # type: ignore[attr-defined]  # functions may have one
    return flagged


def as_arguments(flags: Flags) -> list[str]:
    """Return flags as they are typed."""
    arguments = []
    for name, value in flags.items():
        typed = flag(name) or ""
        if isinstance(value, bool):
            arguments.append(typed if value else typed.replace("--", "--no-", 1))
        else:
            arguments += [typed, str(value)]
    return arguments


def _option(name: str) -> Any:  # noqa: ANN401  # an annotation
    setting, typed = SETTINGS[name], flag(name) or ""
    help_text = f"{setting.meaning} In node.toml `{name}`, in the environment {variable(name)}."
    if KINDS[name] is bool:
        return Annotated[bool | None, typer.Option(f"{typed}/{typed.replace('--', '--no-', 1)}", help=help_text)]
    option = typer.Option(typed, min=setting.minimum, max=setting.maximum, help=help_text)
    return Annotated[KINDS[name] | None, option]


@with_setting_flags
def show_settings(folder: Annotated[Path, typer.Argument(help="The node's folder.")], flags: Flags) -> None:
    """Show every setting of a node with its value, and where the value comes from: flag, environment, file or default."""
    found = resolve_config(folder / FILE_NAME, os.environ, flags)
    rows: list[dict[str, Scalar]] = [
        {"setting": name, "value": value, "origin": found.origins[name]} for name, value in asdict(found.config).items()
    ]
    by_variable = bool(os.environ.get(PASSPHRASE_VARIABLE))
    origin = f"environment {PASSPHRASE_VARIABLE}" if by_variable else "passphrase_file"
    rows.append({"setting": "passphrase", "value": _HIDDEN, "origin": origin})
    output.result(rows, table(list(rows[0]), [list(row.values()) for row in rows]))
