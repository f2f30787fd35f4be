"""Commands that are imported when they are looked up."""

import subprocess
import sys

import pytest
import typer
from typer.main import get_command

from yunhe.cli.main import app
from yunhe.cli.on_demand import on_demand

OF_A_NODE = ("starlette", "uvicorn", "yunhe.gateway", "yunhe.node")


def modules_of(*arguments: str, unwanted: tuple[str, ...]) -> list[str]:
    """Return which of some modules a command's process has imported."""
    program = (
        "import sys; sys.argv = ['yunhe', *sys.argv[1:]]\n"
        "from yunhe.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('imported', *(name for name in {unwanted!r} if name in sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    return ended.stdout.splitlines()[-1].split()[1:]


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (("--version",), (*OF_A_NODE, "httpx", "sqlite3", "yunhe.contracts", "yunhe.sdk")),
        (("key", "list"), OF_A_NODE),
        (("tx", "call"), OF_A_NODE),
    ],
    ids=["version", "key", "tx"],
)
def test_command_imports_nothing_that_only_others_need(arguments: tuple[str, ...], unwanted: tuple[str, ...]) -> None:
    assert modules_of(*arguments, unwanted=unwanted) == []


def test_check_of_imports_sees_what_a_command_does_import() -> None:
    assert modules_of("node", "--help", unwanted=OF_A_NODE) == ["yunhe.node"]


def test_every_command_is_found_where_its_place_says() -> None:
    group = get_command(app)
    names = list(group.commands)
    assert {"node", "key", "org", "contract", "tx", "query", "proof", "demo"} <= set(names)
    for name in names:
        assert group.commands[name].name == name


def test_commands_of_its_own_come_first_and_mistyped_ones_are_suggested(capsys: pytest.CaptureFixture[str]) -> None:
    group = typer.Typer(cls=on_demand({"later": "yunhe.cli.bench:bench"}))
    group.command("now")(lambda: None)
    group.callback()(lambda: None)
    with pytest.raises(SystemExit):
        group(["--help"])
    shown = capsys.readouterr().out
    assert shown.index("now") < shown.index("later")
    with pytest.raises(SystemExit):
        group(["latr"])
    assert "later" in capsys.readouterr().err
