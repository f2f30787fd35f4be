"""Coverage of contracts: what is measured is the author's file with its own lines, whichever way the calls run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CONTRACT = '''"""Tolls: by weight, and nothing for the light."""

from yunhe.contracts import Context, Map, action, require, view

paid: Map[str, int] = Map(default=0)


def toll_of(tons: int) -> int:
    if tons < 2:
        return 0
    return sum(
        rate * 2
        for rate in range(tons)
    )


@action
def pay(ctx: Context, tons: int) -> int:
    require(tons > 0, "WEIGHT_INVALID")
    toll = toll_of(tons)
    if toll == 0:
        return 0
    paid.add(ctx.sender, toll)
    return toll


@view
def total(ctx: Context, payer: str) -> int:
    return paid[payer]
'''
TEST = """import tolls


def test_heavy(chain):
    chain.deploy(tolls)
    assert chain.member("carrier").call(tolls.pay, 3) == 6
"""


def _line(text: str) -> int:
    return CONTRACT.splitlines().index(text) + 1


@pytest.mark.parametrize("kind", ["plain", "metered", "node"])
def test_contract_is_measured_in_its_own_file_line_by_line(tmp_path: Path, kind: str) -> None:
    (tmp_path / "tolls.py").write_text(CONTRACT)
    (tmp_path / "test_tolls.py").write_text(TEST)
    options = [
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        "--chain",
        kind,
        "--cov=tolls",
        "--cov-branch",
        "--cov-report=json",
    ]
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    files = json.loads((tmp_path / "coverage.json").read_text())["files"]
    assert list(files) == ["tolls.py"]
    light, free = _line("        return 0"), _line("    if toll == 0:") + 1
    assert files["tolls.py"]["missing_lines"] == [light, free, _line("    return paid[payer]")]
    assert files["tolls.py"]["missing_branches"] == [[light - 1, light], [free - 1, free]]
