"""The page of a node's settings, from their declarations."""

from collections.abc import Iterator

from tools.reference.markdown import page, table
from yunhe.node.config import DEFAULTS, FILE_NAME, KINDS, OTHER_VARIABLES, SETTINGS, flag, variable

_KIND_NAMES = {str: "text", int: "whole number", bool: "true or false"}


def configuration_page() -> str:
    """Return docs/reference/configuration.md."""
    lines = [
        f"The settings of a node. `yunhe node init` writes all of them into `{FILE_NAME}` in the node's folder; `yunhe node config FOLDER`",
        "shows each with its value and where the value comes from.",
        "",
        "A setting counts from the first of these places that has it:",
        "",
        "1. a flag of `yunhe node start`,",
        "2. the environment,",
        f"3. the file `{FILE_NAME}`,",
        "4. the default.",
        "",
        "What is unknown is refused, in the file and, as far as it begins with `YUNHE_`, in the environment. Who the node is stands in the",
        "file only. A change counts from the next start on.",
        "",
        "## Settings",
        "",
        *table(["Setting", "Type", "Default", "Environment", "Flag", "Meaning"], _rows()),
        "## Other variables of the environment",
        "",
        *table(["Variable", "Meaning"], ((f"`{name}`", meaning) for name, meaning in OTHER_VARIABLES.items())),
    ]
    return page("Configuration", lines)


def _rows() -> Iterator[tuple[str, str, str, str, str, str]]:
    for name, setting in SETTINGS.items():
        kind = _KIND_NAMES[KINDS[name]]
        if setting.minimum is not None:
            kind += f", {setting.minimum} to {setting.maximum}"
        if setting.choices:
            kind = "one of " + ", ".join(f"`{choice}`" for choice in setting.choices)
        default = DEFAULTS.get(name)
        shown = "required" if default is None else f"`{str(default).lower() if isinstance(default, bool) else default}`"
        yield f"`{name}`", kind, shown, _code(variable(name)), _code(flag(name)), setting.meaning


def _code(text: str | None) -> str:
    return f"`{text}`" if text else ""
