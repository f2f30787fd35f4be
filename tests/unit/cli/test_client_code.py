"""Generated clients: for every contract of the checkout they type, lint and format, whatever the contract calls its own."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.cli.contract_sources import ALL
from yunhe.cli.client_code import _literal, client_source
from yunhe.cli.main import app
from yunhe.contracts.interface import interface_of
from yunhe.errors import UsageError

RULES = "B,E,F,I,N,UP,W"


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clients")
    for name, source in ALL.items():
        (folder / f"{name}_client.py").write_text(client_source(name, interface_of(source)), encoding="utf-8")
    return folder


def tool(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr


def run(*arguments: str) -> int:
    try:
        return int(app(list(arguments), standalone_mode=False) or 0)
    except typer.Exit as end:
        return end.exit_code


def test_contracts_of_the_checkout_are_found() -> None:
    assert ALL.keys() >= {"bill_of_lading", "governance", "lifecycle", "registry", "counters", "points", "clashing"}


def test_clients_of_all_contracts_type_strictly(clients: Path) -> None:
    tool("mypy", "--strict", "--no-incremental", *map(str, clients.glob("*.py")))


def test_clients_of_all_contracts_lint_and_are_formatted(clients: Path) -> None:
    tool("ruff", "check", "--isolated", "--line-length", "140", "--select", RULES, str(clients))
    tool("ruff", "format", "--isolated", "--line-length", "140", "--check", str(clients))


@pytest.mark.parametrize("name", ALL)
def test_client_is_a_function_of_the_source(clients: Path, name: str) -> None:
    code = (
        "import sys; from yunhe.cli.client_code import client_source; from yunhe.contracts.interface import interface_of\n"
        "sys.stdout.write(client_source(sys.argv[1], interface_of(sys.stdin.read())))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, name], input=ALL[name], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"}
    )
    assert done.stdout == (clients / f"{name}_client.py").read_text(encoding="utf-8")


def test_classes_of_the_client_give_way_to_those_of_the_contract(clients: Path) -> None:
    text = (clients / "clashing_client.py").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("class Clashing")] == [
        "class ClashingClient:",
        "class ClashingEvent:",
        "class ClashingRefusal(_enum.StrEnum):",
        "class ClashingClient2:",
    ]


# --- The command --------------------------------------------------------------------------------------------------------


@pytest.fixture
def parcel(tmp_path: Path) -> Path:
    path = tmp_path / "counters.py"
    path.write_text(ALL["counters"], encoding="utf-8")
    return path


def test_interface_prints_the_schema_the_same_with_json(parcel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("contract", "interface", str(parcel)) == 0
    shown = json.loads(capsys.readouterr().out)
    assert run("--json", "contract", "interface", str(parcel)) == 0
    assert json.loads(capsys.readouterr().out) == shown
    assert (shown["title"], [entry["name"] for entry in shown["contract"]["views"]]) == ("counters", ["value", "spin"])


def test_interface_writes_the_client_and_names_its_class(parcel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = parcel.with_name("counters_client.py")
    assert run("--json", "contract", "interface", str(parcel), "--client", str(target)) == 0
    assert json.loads(capsys.readouterr().out) == {"client": str(target), "class": "CountersClient"}
    assert target.read_text(encoding="utf-8") == client_source("counters", interface_of(ALL["counters"]))


def test_interface_of_a_source_that_is_refused_shows_why(parcel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parcel.write_text("import os\n", encoding="utf-8")
    assert run("contract", "interface", str(parcel)) == 1
    assert "(CON-040)" in capsys.readouterr().out


def test_interface_of_a_file_whose_name_no_contract_can_have_is_refused(parcel: Path) -> None:
    with pytest.raises(UsageError, match="name the file as the contract"):
        run("contract", "interface", str(parcel.rename(parcel.with_name("Counters-2.py"))))


@given(st.one_of(st.text(max_size=12), st.text("'\"\\a\n", max_size=8), st.binary(max_size=8)))
def test_literal_of_any_default_is_that_value(value: str | bytes) -> None:
    assert ast.literal_eval(_literal(value)) == value
