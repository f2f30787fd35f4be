"""The node's configuration file, `node.toml`.

Every setting has a default but the organisation and the node's name. An unknown setting is refused, because a misspelt one that is silently
ignored is found out on the worst day.
"""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from yunhe.errors import InvalidConfigurationError
from yunhe.limits import GATEWAY_COLLECT_MS, HTTP_REQUEST_MS

FILE_NAME = "node.toml"


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """Settings of one node."""

    organisation: str
    """The organisation that the node belongs to."""
    node: str
    """The node's name in its organisation, as enrolled."""
    engine: str = "solo"
    """Engine; `solo` is the only one of this version."""
    host: str = "127.0.0.1"
    """Address that the HTTP API listens on."""
    port: int = 8440
    """Port of the HTTP API; 0 takes a free one, which `node start` prints."""
    passphrase_file: str = "secrets/passphrase"  # noqa: S105  # a path
    """File with the passphrase of the node's key files, relative to the folder; the environment's YUNHE_PASSPHRASE goes before it."""
    collect_ms: int = GATEWAY_COLLECT_MS
    """How long the gateway collects transactions for one verification, milliseconds."""
    webhook_private_targets: bool = False
    """Whether webhooks may go to addresses that are not public, and by plain HTTP."""
    request_timeout_ms: int = HTTP_REQUEST_MS
    """How long a client may take to send a whole request, milliseconds; then its connection is closed."""
    log_level: str = "info"
    """`debug`, `info`, `warning` or `error`."""

    def __post_init__(self) -> None:
        if self.engine != "solo":
            raise InvalidConfigurationError(f"the engine {self.engine!r} is unknown; this version has 'solo'")
        if not 0 <= self.port <= 65535:
            raise InvalidConfigurationError("port must be from 0 to 65535")
        if self.log_level not in ("debug", "info", "warning", "error"):
            raise InvalidConfigurationError("log_level must be debug, info, warning or error")
        if not 0 <= self.collect_ms <= 1000:
            raise InvalidConfigurationError("collect_ms must be from 0 to 1000")
        if not 100 <= self.request_timeout_ms <= 600_000:
            raise InvalidConfigurationError("request_timeout_ms must be from 100 to 600000")

    def to_toml(self) -> str:
        """Return the file's text."""
        lines = ["# Configuration of a Yunhe node. Every setting but the first two may be left out."]
        for item in fields(self):
            value = getattr(self, item.name)
            lines.append(f"{item.name} = {_toml(value)}")
        return "\n".join(lines) + "\n"


def load_config(path: Path) -> NodeConfig:
    """Read a configuration file.

    Raises:
        InvalidConfigurationError: it cannot be read, or a setting is unknown, missing or of the wrong type.
    """
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
    except OSError as error:
        raise InvalidConfigurationError(f"{path} cannot be read: {error.strerror}; is this a folder made by `yunhe node init`?") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidConfigurationError(f"{path} is not TOML: {error}") from error
    return _from_table(table, path)


def _from_table(table: dict[str, Any], path: Path) -> NodeConfig:
    known = {item.name: item for item in fields(NodeConfig)}
    for name, value in table.items():
        if name not in known:
            raise InvalidConfigurationError(f"{path}: the setting {name!r} is unknown; the settings are {', '.join(known)}")
        if type(value) is not known[name].type:
            kind = "a whole number" if known[name].type is int else "text in quotes"
            raise InvalidConfigurationError(f"{path}: the setting {name!r} must be {kind}, not {value!r}")
    for name in ("organisation", "node"):
        if name not in table:
            raise InvalidConfigurationError(
                f"{path}: the setting {name!r} is missing; `yunhe node init` wrote it, and it must stay as it was"
            )
    try:
        return NodeConfig(**table)
    except InvalidConfigurationError as error:
        raise InvalidConfigurationError(f"{path}: {error.message}") from error


def _toml(value: str | int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else _quoted(value)


def _quoted(text: str) -> str:
    escaped = "".join(f"\\u{ord(c):04x}" if ord(c) < 32 or c in '"\\\x7f' else c for c in text)
    return f'"{escaped}"'
