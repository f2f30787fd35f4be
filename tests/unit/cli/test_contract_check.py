"""`yunhe contract check`: any file gives an account of what is wrong with it, with the place, in the order of the source."""

import json
import os
import socket
from pathlib import Path

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yunhe.cli.findings import listed
from yunhe.cli.main import app
from yunhe.cli.output import Output
from yunhe.contracts.checker import check
from yunhe.errors import ContractRefusedError, Finding, InvalidInputError, UsageError

THREE_FAULTS = '''"""运河"""
from yunhe.contracts import Context, view
import os


@view
def fee(ctx: Context, amount: int) -> int:
    x = "运河" + str(1.5)
    return amount / 2
'''
TOLLS = '''"""Tolls of ships."""

from yunhe.contracts import Context, Event, Index, Log, Map, Org, Record, Table, action, emit, require, view


class Voyage(Record):
    ship: str
    locks: int = 1


class Charged(Event):
    ship: str
    locks: int


voyages: Table[Voyage] = Table(key="ship")
voyages_by_locks: Index[Voyage] = Index(voyages, by="locks")
passed: Log[str, Voyage] = Log()
tolls: Map[tuple[str, Org], int] = Map(default=0)


@action
def charge(ctx: Context, ship: str) -> None:
    require(voyages[ship].locks > 0, "NO_LOCKS")
    tolls.add((ship, ctx.sender), 1)
    emit(Charged(ship=ship, locks=1))


@view
def total(ctx: Context, ship: str) -> int:
    return tolls[ship, ctx.sender]
'''


def run(*arguments: str) -> int:
    try:
        return int(app(list(arguments), standalone_mode=False) or 0)
    except typer.Exit as end:
        return end.exit_code


def test_findings_are_shown_in_order_with_line_and_mark_below_wide_characters(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("fee.py").write_text(THREE_FAULTS, encoding="utf-8")
    assert run("contract", "check", "fee.py") == 1
    assert capsys.readouterr().out.splitlines() == [
        "fee.py:3:1: `import` is not allowed in contracts (CON-040)",
        "    import os",
        "    ^",
        "    instead: a contract knows only its arguments, its state and the context; "
        "write `from yunhe.contracts import ...` with the names that you use",
        "fee.py:8:20: a number with a fraction (CON-008)",
        '        x = "运河" + str(1.5)',
        "                         ^",
        "    instead: count in the smallest unit, as an integer",
        "fee.py:9:12: `/`, which makes a float, is not allowed in contracts (CON-029)",
        "        return amount / 2",
        "               ^",
        "    instead: write `//`, or mul_div(a, b, c, Rounding....) with a rounding that is named",
        "fee.py: refused, 3 findings",
    ]


def test_findings_as_json_are_whole(tmp_path: Path, capsys) -> None:
    path = tmp_path / "fee.py"
    path.write_text(THREE_FAULTS, encoding="utf-8")
    assert run("--json", "contract", "check", str(path)) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["accepted"], told["code"]) == (False, "CONTRACT_REFUSED")
    assert [(f["rule"], f["line"], f["column"]) for f in told["findings"]] == [("CON-040", 3, 1), ("CON-008", 8, 20), ("CON-029", 9, 12)]


# CON-129
def test_check_refuses_what_only_loading_finds_as_deployment_does(tmp_path: Path, capsys) -> None:
    path = tmp_path / "sums.py"
    constants = "\n".join(f"A{number} = {' + '.join(['1'] * 100)}" for number in range(200))
    view = "@view\ndef f(ctx: Context) -> int:\n    return A0\n"
    path.write_text(f"from yunhe.contracts import Context, view\n\n{constants}\n\n\n{view}", encoding="utf-8")
    assert run("contract", "check", str(path)) == 1
    assert "(CON-129)" in capsys.readouterr().out


# CON-001
def test_source_that_is_no_text_is_refused_at_the_byte(tmp_path: Path, capsys) -> None:
    path = tmp_path / "bytes.py"
    path.write_bytes('a = 1\nb = "运'.encode() + b'\xff"\n')
    assert run("contract", "check", str(path)) == 1
    assert f"{path}:2:7: the source is not UTF-8 from here on (CON-001)" in capsys.readouterr().out


def test_check_of_a_file_that_is_not_there_is_our_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="No such file"):
        run("contract", "check", str(tmp_path / "nothing.py"))


@pytest.mark.parametrize(
    ("kind", "named"), [("FIFO", "is a FIFO"), ("socket", "cannot be read"), ("device", "is a device"), ("folder", "cannot be read")]
)
def test_check_of_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, kind: str, named: str) -> None:
    path = tmp_path / "contract.py"
    with socket.socket(socket.AF_UNIX) as end:
        match kind:
            case "FIFO":
                os.mkfifo(path)
            case "socket":
                end.bind(str(path))
            case "device":
                path = Path(os.devnull)
            case _:
                path.mkdir()
        with pytest.raises(InvalidInputError, match=f"{path} {named}"):
            run("contract", "check", str(path))


def test_check_lists_everything_that_a_contract_offers_and_keeps(tmp_path: Path, capsys) -> None:
    path = tmp_path / "tolls.py"
    path.write_text(TOLLS, encoding="utf-8")
    assert run("contract", "check", str(path)) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "Tolls of ships.",
        "actions:",
        "  charge(ship: str) -> None",
        "views:",
        "  total(ship: str) -> int",
        "tables:",
        "  voyages: Voyage by ship",
        "    index voyages_by_locks by locks",
        "logs:",
        "  passed: Voyage by str",
        "maps:",
        "  tolls: int by str, Org",
        "events:",
        "  Charged(ship: str, locks: int)",
        "refuses with: NO_LOCKS",
    ]


def test_long_line_is_shown_around_the_place() -> None:
    source = ("x" * 500 + "!" + "y" * 500).encode()
    _, line, mark, _, _ = listed(Path("a.py"), source, [Finding("CON-001", 1, 501, "reason", "fix")]).splitlines()
    assert (len(line) < 200, line[mark.index("^")]) == (True, "!")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes_are_listed_with_positions_within_them(raw: bytes) -> None:
    with pytest.raises(ContractRefusedError) as caught:
        check(raw)
    text = listed(Path("a.py"), raw, caught.value.findings)
    lines = raw.decode(errors="replace").split("\n")
    for finding in caught.value.findings:
        assert f": {finding.reason} ({finding.rule})" in text
        assert 0 <= finding.line <= len(lines)


@pytest.mark.parametrize("name", ["Log", "Index", "Event", "Record", "Signer", "Rounding", "Context", "list", "dict", "int"])
@pytest.mark.parametrize("base", ["Record", "Event"])
def test_class_with_a_taken_name_is_a_finding(name: str, base: str) -> None:
    """CON-042: whatever follows it is checked as well."""
    source = (
        "from yunhe.contracts import Context, Event, Record, action\n\n\n"
        f"class {name}({base}):\n    n: int\n\n\n"
        "@action\ndef f(ctx: Context) -> int:\n    a = [1]\n    a[0] = 2\n    return a[0]\n"
    )
    with pytest.raises(ContractRefusedError) as refused:
        check(source)
    assert "CON-042" in {finding.rule for finding in refused.value.findings}


def test_text_of_a_contract_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """A word between colons is no picture, and no place in a file is one."""
    Output().result({}, "Give :anchor: an item, e.py:100:5")
    Output().error(UsageError("sealed :anchor: at 10:100:20"))
    shown = capsys.readouterr()
    assert shown.out == "Give :anchor: an item, e.py:100:5\n"
    assert "sealed :anchor: at 10:100:20" in shown.err
