"""The settings of a node, and where their values come from.

A setting is given by a flag of `yunhe node start`, by the environment, or in the file `node.toml`; the first of these that has it counts.
Every setting has a default but the organisation and the node's name. What is unknown is refused, in the file and in the environment,
because a misspelt setting that is silently ignored is found out on the worst day. The page docs/reference/configuration.md is generated
from this module.
"""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias, get_args, get_type_hints

from yunhe.errors import InvalidConfigurationError
from yunhe.limits import GATEWAY_COLLECT_MS, HTTP_CONNECTIONS, HTTP_REQUEST_MS, RELAY_RATE

FILE_NAME: Final = "node.toml"
VARIABLE_PREFIX: Final = "YUNHE_"
PASSPHRASE_VARIABLE: Final = "YUNHE_PASSPHRASE"  # noqa: S105  # a name
OTHER_VARIABLES: Final[Mapping[str, str]] = {
    PASSPHRASE_VARIABLE: "the passphrase of the node's key files; goes before `passphrase_file`",
    "YUNHE_FOLDER": "folder of the node that a command is for, as `--folder`",
    "YUNHE_NODE": "address of the node that a command is for, as `--node`",
    "YUNHE_CA": "PEM file with the authority that signed the certificates of nodes; the system's authorities when it is not set",
    "YUNHE_TOKEN": "API token that a command presents; `--token-file` goes before it",
    "YUNHE_KEY": "key file of a signer, as `--key`",
    "YUNHE_COMETBFT": "program of the engine between organisations; else the one that `make engine` built, else `cometbft` on the path",
    "YUNHE_KEY_PASSPHRASE": "passphrase of a signer's key file; `--passphrase-file` goes before it",
}
"""Variables of the environment that are no settings of a node, with their meaning."""

Scalar: TypeAlias = str | int | bool

_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Setting:
    """What is said about a setting beside its type; the annotation of a field of `NodeConfig`."""

    meaning: str
    """One line for people, with the unit."""
    minimum: int | None = None
    """Smallest number allowed."""
    maximum: int | None = None
    """Largest number allowed."""
    choices: tuple[str, ...] = ()
    """Texts allowed; any when empty."""
    is_identity: bool = False
    """Whether it says who the node is: it stands in the file and nowhere else."""

    def check(self, name: str, value: Scalar) -> None:
        """Check that a value of the right type is allowed.

        Raises:
            InvalidConfigurationError: it is not.
        """
        if self.choices and value not in self.choices:
            raise InvalidConfigurationError(f"{name} must be {_alternatives(self.choices)}, not {value!r}")
        if self.minimum is not None and self.maximum is not None and not self.minimum <= int(value) <= self.maximum:
            raise InvalidConfigurationError(f"{name} must be from {self.minimum} to {self.maximum}, not {value}")


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """Settings of one node."""

    organisation: Annotated[str, Setting("The organisation that the node belongs to.", is_identity=True)]
    node: Annotated[str, Setting("The node's name in its organisation, as enrolled.", is_identity=True)]
    engine: Annotated[
        str,
        Setting("Engine: `solo`, the node orders its own envelopes; `cometbft`, the organisations agree.", choices=("solo", "cometbft")),
    ] = "solo"
    engine_listen: Annotated[str, Setting("`host:port` where the engine takes connections of the other nodes' engines.")] = (
        "127.0.0.1:26656"
    )
    engine_peers: Annotated[
        str, Setting("The other nodes' engines, ID@HOST:PORT, with commas between them; no others are connected to or let in.")
    ] = ""
    host: Annotated[str, Setting("Address that the HTTP API listens on.")] = "127.0.0.1"
    port: Annotated[
        int, Setting("Port of the HTTP API; 0 takes a free one at each start, which `node start` prints.", minimum=0, maximum=65535)
    ] = 8440
    tls_certificate: Annotated[
        str, Setting("PEM file with the API's certificate, relative to the folder; empty for plain HTTP. Read again when it changes.")
    ] = ""
    tls_key: Annotated[str, Setting("PEM file with the certificate's key, without a passphrase, relative to the folder.")] = ""
    passphrase_file: Annotated[str, Setting("File with the passphrase of the node's key files, relative to the folder.")] = (
        "secrets/passphrase"  # noqa: S105  # a path
    )
    collect_ms: Annotated[
        int,
        Setting("How long the gateway collects transactions for one verification, milliseconds.", minimum=0, maximum=1000),
    ] = GATEWAY_COLLECT_MS
    webhook_private_targets: Annotated[bool, Setting("Whether webhooks may go to addresses that are not public, and by plain HTTP.")] = (
        False
    )
    request_timeout_ms: Annotated[
        int,
        Setting(
            "How long a client may take to send a whole request, milliseconds; then its connection is closed.", minimum=100, maximum=600_000
        ),
    ] = HTTP_REQUEST_MS
    connections_max: Annotated[
        int,
        Setting("Connections that the HTTP API holds open at once; one more takes the place of one that waits.", minimum=8, maximum=60_000),
    ] = HTTP_CONNECTIONS
    token_rate_max: Annotated[
        int, Setting("Transactions a second that each API token may submit on average; 0 for any number.", minimum=0, maximum=1_000_000)
    ] = 0
    member_rate_max: Annotated[
        int,
        Setting(
            "Transactions a second that this node takes from each member on average, by whatever token; 0 for any number.",
            minimum=0,
            maximum=1_000_000,
        ),
    ] = 0
    relay_rate_max: Annotated[
        int,
        Setting(
            "Transactions a second that each enrolled member may hand in without a token on average; 0 takes none.",
            minimum=0,
            maximum=1_000_000,
        ),
    ] = RELAY_RATE
    prune_keep_days: Annotated[
        int,
        Setting(
            "Blocks that are older than so many days give way to their headers while the node runs; 0 for none.", minimum=0, maximum=36_500
        ),
    ] = 0
    prune_keep_bytes: Annotated[
        int,
        Setting("The oldest blocks give way while the whole ones have more bytes than this; 0 for any number.", minimum=0, maximum=1 << 50),
    ] = 0
    log_level: Annotated[str, Setting("The least severe messages that are logged.", choices=("debug", "info", "warning", "error"))] = "info"
    log_format: Annotated[
        str, Setting("How a message is written: `json`, one object a line, or `text`, for people.", choices=("json", "text"))
    ] = "json"
    log_file: Annotated[str, Setting("The log, relative to the folder; `-` is standard error, for a supervisor that keeps it.")] = (
        "log/node.log"
    )
    log_bytes_max: Annotated[
        int,
        Setting("The log begins another file before it has more bytes; 0 for any size.", minimum=0, maximum=1 << 40),
    ] = 64 * 1024 * 1024
    log_files_kept: Annotated[
        int, Setting("Earlier files of the log that are kept, as `node.log.1`, the newest, and so on.", minimum=0, maximum=1000)
    ] = 5

    def __post_init__(self) -> None:
        for name, setting in SETTINGS.items():
            setting.check(name, getattr(self, name))

    def to_toml(self) -> str:
        """Return the file's text."""
        lines = ["# Configuration of a Yunhe node. Every setting but the first two may be left out."]
        for item in fields(self):
            value = getattr(self, item.name)
            lines.append(f"{item.name} = {_toml(value)}")
        return "\n".join(lines) + "\n"


_DECLARED: Final = {name: get_args(annotation) for name, annotation in get_type_hints(NodeConfig, include_extras=True).items()}
SETTINGS: Final[Mapping[str, Setting]] = {name: setting for name, (_, setting) in _DECLARED.items()}
"""All settings by name, in the order of the file."""
KINDS: Final[Mapping[str, type[Scalar]]] = {name: kind for name, (kind, _) in _DECLARED.items()}
"""Type of each setting: `str`, `int` or `bool`."""
DEFAULTS: Final[Mapping[str, Scalar]] = {item.name: item.default for item in fields(NodeConfig) if item.default is not MISSING}
"""Default of each setting that has one."""


def variable(name: str) -> str | None:
    """Return the variable of the environment that gives a setting; None for those that only the file gives."""
    return None if SETTINGS[name].is_identity else VARIABLE_PREFIX + name.upper()


def flag(name: str) -> str | None:
    """Return the flag of `yunhe node start` that gives a setting; None for those that only the file gives."""
    return None if SETTINGS[name].is_identity else "--" + name.replace("_", "-")


@dataclass(frozen=True, slots=True)
class ResolvedConfig:
    """Settings with where the value of each comes from."""

    config: NodeConfig
    origins: Mapping[str, str]
    """By name: `flag …`, `environment …`, `file` or `default`."""


def load_config(path: Path) -> NodeConfig:
    """Read a configuration file, and nothing else; raises as `resolve_config`."""
    return resolve_config(path, {}, {}).config


def resolve_config(path: Path, environment: Mapping[str, str], flags: Mapping[str, Scalar]) -> ResolvedConfig:
    """Read a node's settings from all places that can give them.

    Args:
        path: the configuration file.
        environment: variables of the process; those that do not begin with `YUNHE_` are passed over.
        flags: settings that the command line gave.

    Raises:
        InvalidConfigurationError: the file cannot be read; or a setting is unknown, missing, of the wrong type or out of its range. The
            message names the place.
    """
    table = _read(path)
    _check_known(table, path)
    _check_variables(environment)
    values: dict[str, Any] = dict(DEFAULTS)
    origins = dict.fromkeys(DEFAULTS, "default")
    for name, value in table.items():
        _check(name, value, f"{path}: ")
        values[name], origins[name] = value, "file"
    for name in SETTINGS:
        given = variable(name)
        if given is not None and given in environment:
            values[name], origins[name] = _from_text(name, given, environment[given]), f"environment {given}"
    for name, value in flags.items():
        _check(name, value, f"{flag(name)}: ")
        values[name], origins[name] = value, f"flag {flag(name)}"
    for name in SETTINGS:
        if name not in values:
            raise InvalidConfigurationError(
                f"{path}: the setting {name!r} is missing; `yunhe node init` wrote it, and it must stay as it was"
            )
    # In the order of the declaration, whatever the order of the file.
    return ResolvedConfig(NodeConfig(**values), {name: origins[name] for name in SETTINGS})


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise InvalidConfigurationError(f"{path} cannot be read: {error.strerror}; is this a folder made by `yunhe node init`?") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidConfigurationError(f"{path} is not TOML: {error}") from error


def _check_known(table: Mapping[str, Any], path: Path) -> None:
    for name in table:
        if name not in SETTINGS:
            raise InvalidConfigurationError(f"{path}: the setting {name!r} is unknown; {_nearest(name, SETTINGS)}")


def _check_variables(environment: Mapping[str, str]) -> None:
    known = {name for name in map(variable, SETTINGS) if name is not None} | OTHER_VARIABLES.keys()
    for name in sorted(environment):
        if name.startswith(VARIABLE_PREFIX) and name not in known:
            raise InvalidConfigurationError(f"the environment's {name} is unknown; {_nearest(name, sorted(known))}")


def _nearest(name: str, known: "Mapping[str, Any] | list[str]") -> str:
    """Name what was probably meant."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else f"the known ones are {', '.join(known)}"


def _check(name: str, value: Any, place: str) -> None:  # noqa: ANN401  # as the file has it
    kind = KINDS[name]
    if type(value) is not kind:
        wanted = {int: "a whole number", str: "text in quotes", bool: "true or false"}[kind]
        raise InvalidConfigurationError(f"{place}the setting {name!r} must be {wanted}, not {value!r}")
    _check_allowed(name, value, place)


def _check_allowed(name: str, value: Scalar, place: str) -> None:
    try:
        SETTINGS[name].check(name, value)
    except InvalidConfigurationError as error:
        raise InvalidConfigurationError(place + error.message) from error


def _from_text(name: str, given: str, text: str) -> Scalar:
    """Read a variable of the environment."""
    place = f"the environment's {given}: "
    value: Scalar = text
    if KINDS[name] is bool:
        if text.lower() not in _TRUTHS:
            raise InvalidConfigurationError(f"{place}{name} must be true or false, not {text!r}")
        value = _TRUTHS[text.lower()]
    elif KINDS[name] is int:
        if not (text.isascii() and text.isdigit() and len(text) <= 18):
            raise InvalidConfigurationError(f"{place}{name} must be a whole number, not {text!r}")
        value = int(text)
    _check_allowed(name, value, place)
    return value


def _alternatives(choices: tuple[str, ...]) -> str:
    return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} or {choices[-1]}"


def _toml(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else _quoted(value)


def _quoted(text: str) -> str:
    escaped = "".join(f"\\u{ord(c):04x}" if ord(c) < 32 or c in '"\\\x7f' else c for c in text)
    return f'"{escaped}"'
