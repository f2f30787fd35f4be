"""Settings: one precedence, everything unknown refused by name, and each value with its origin."""

from dataclasses import asdict
from pathlib import Path

import pytest

from yunhe.errors import InvalidConfigurationError
from yunhe.node.config import DEFAULTS, KINDS, OTHER_VARIABLES, SETTINGS, NodeConfig, Scalar, flag, resolve_config, variable

GIVABLE = [name for name in SETTINGS if not SETTINGS[name].is_identity]
OTHER_THAN_DEFAULT: dict[str, tuple[Scalar, Scalar, Scalar]] = {
    "engine_listen": ("0.0.0.0:1", "0.0.0.0:2", "0.0.0.0:3"),
    "engine_peers": ("a", "b", "c"),
    "host": ("a.example", "b.example", "c.example"),
    "passphrase_file": ("a", "b", "c"),
    "tls_certificate": ("a", "b", "c"),
    "tls_key": ("a", "b", "c"),
    "log_file": ("a", "b", "-"),
    "webhook_private_targets": (True, False, True),
}
"""Values for file, environment and flag, where no number or choice gives them."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "node.toml"
    path.write_text('organisation = "port"\nnode = "node1"\n')
    return path


def values(name: str) -> tuple[Scalar, Scalar, Scalar]:
    """Return three allowed values, which differ where the setting has as many."""
    setting = SETTINGS[name]
    if setting.choices:
        return (setting.choices * 3)[:3]
    if setting.minimum is not None:
        return setting.minimum, setting.minimum + 1, setting.minimum + 2
    return OTHER_THAN_DEFAULT[name]


def as_text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("name", GIVABLE)
def test_setting_counts_from_flag_then_environment_then_file_then_default(file: Path, name: str) -> None:
    in_file, in_environment, in_flag = values(name)
    found = resolve_config(file, {}, {})
    assert (asdict(found.config)[name], found.origins[name]) == (DEFAULTS[name], "default")
    shown = as_text(in_file) if KINDS[name] is not str else f'"{in_file}"'
    file.write_text(file.read_text() + f"{name} = {shown}\n")
    found = resolve_config(file, {}, {})
    assert (asdict(found.config)[name], found.origins[name]) == (in_file, "file")
    environment = {str(variable(name)): as_text(in_environment)}
    found = resolve_config(file, environment, {})
    assert (asdict(found.config)[name], found.origins[name]) == (in_environment, f"environment {variable(name)}")
    found = resolve_config(file, environment, {name: in_flag})
    assert (asdict(found.config)[name], found.origins[name]) == (in_flag, f"flag {flag(name)}")


def test_file_that_init_writes_says_what_it_was_made_from(tmp_path: Path) -> None:
    config = NodeConfig("port", "node1", host="::1", port=0, webhook_private_targets=True, passphrase_file='a"b\\c\n')
    (tmp_path / "node.toml").write_text(config.to_toml())
    assert resolve_config(tmp_path / "node.toml", {}, {}).config == config


def test_who_the_node_is_comes_from_the_file_alone(file: Path) -> None:
    """YUNHE_NODE is the address that a command asks; it renames no node."""
    assert (variable("node"), flag("organisation")) == (None, None)
    assert resolve_config(file, {"YUNHE_NODE": "http://127.0.0.1:1"}, {}).config.node == "node1"


def test_variables_of_commands_and_of_other_programs_are_passed_over(file: Path) -> None:
    given = dict.fromkeys(OTHER_VARIABLES, "x") | {"PATH": "/bin", "yunhe_port": "x", "XYUNHE_PORT": "x"}
    assert set(resolve_config(file, given, {}).origins.values()) == {"file", "default"}


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("prot = 1", "the setting 'prot' is unknown; did you mean 'port'?"),
        ("log-level = 'info'", "the setting 'log-level' is unknown; did you mean 'log_level'?"),
        ("Port = 1", "did you mean 'port'?"),
        ("passphrase = 'hunter2'", "did you mean 'passphrase_file'?"),
        ("xyz = 1", "the known ones are organisation, node, engine"),
        ("[log]\nlevel = 'info'", "the setting 'log' is unknown"),
        ("port = true", "'port' must be a whole number, not True"),
        ("port = 1.5", "'port' must be a whole number, not 1.5"),
        ("port = -1", "port must be from 0 to 65535, not -1"),
        ("webhook_private_targets = 1", "must be true or false, not 1"),
        ("log_level = 'loud'", "log_level must be debug, info, warning or error, not 'loud'"),
        ("a = " + "[" * 5000, "is not TOML"),
    ],
)
def test_file_with_what_is_unknown_or_wrong_is_refused_by_name(file: Path, line: str, named: str) -> None:
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(InvalidConfigurationError) as refusal:
        resolve_config(file, {}, {})
    assert named in refusal.value.message
    assert str(file) in refusal.value.message
    assert "hunter2" not in refusal.value.message


@pytest.mark.parametrize(
    ("given", "text", "named"),
    [
        ("YUNHE_PROT", "1", "the environment's YUNHE_PROT is unknown; did you mean 'YUNHE_PORT'?"),
        ("YUNHE_ORGANISATION", "x", "YUNHE_ORGANISATION is unknown"),
        ("YUNHE_PORT", "tcp://10.0.0.1:8440", "YUNHE_PORT: port must be a whole number, not 'tcp://10.0.0.1:8440'"),
        ("YUNHE_PORT", "", "port must be a whole number, not ''"),
        ("YUNHE_PORT", "٣", "port must be a whole number"),
        ("YUNHE_PORT", "9" * 5000, "port must be a whole number"),
        ("YUNHE_PORT", "65536", "port must be from 0 to 65535, not 65536"),
        ("YUNHE_WEBHOOK_PRIVATE_TARGETS", "yes", "must be true or false, not 'yes'"),
        ("YUNHE_LOG_LEVEL", "INFO", "log_level must be debug"),
    ],
)
def test_environment_with_what_is_unknown_or_wrong_is_refused_by_name(file: Path, given: str, text: str, named: str) -> None:
    with pytest.raises(InvalidConfigurationError) as refusal:
        resolve_config(file, {given: text}, {})
    assert named in refusal.value.message


def test_flag_out_of_its_range_is_refused_by_name(file: Path) -> None:
    with pytest.raises(InvalidConfigurationError, match="--port: port must be from 0 to 65535, not 70000"):
        resolve_config(file, {}, {"port": 70_000})
