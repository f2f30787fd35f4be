"""`yunhe contract new`, `test` and `run`: what is made works at once, under any name that a ledger takes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from yunhe.cli.scaffold_folder import check_name, make_folder
from yunhe.errors import ContractNameError, FolderExistsError, InvalidInputError

LONGEST = "a" * 40


def yunhe(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "yunhe.cli", "contract", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=100)


def tool(folder: Path, *arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("contracts")
    make_folder("parcel", parent)
    return parent / "parcel"


# --- Making a folder ----------------------------------------------------------------------------------------------------


def test_new_tells_what_it_made_and_what_to_do_next(tmp_path: Path) -> None:
    done = yunhe(tmp_path, "new", "parcel", "--json")
    told = json.loads(done.stdout)
    assert told["next"] == "cd parcel && yunhe contract test"
    assert "parcel/.vscode/launch.json" in told["files"]
    assert sorted(told["files"]) == sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())


def test_new_folder_of_any_name_is_formatted_typed_and_tidy(tmp_path: Path) -> None:
    for name in ("p", "parcel", LONGEST):
        make_folder(name, tmp_path)
        made = tmp_path / name
        tool(made, "ruff", "check", ".")
        tool(made, "ruff", "format", "--check", ".")
        # What it knows of the libraries is the same for all.
        tool(made, "mypy", "--cache-dir", str(tmp_path / "cache"), ".")


@pytest.mark.parametrize(
    ("name", "reason"),
    {
        "with a capital": ("Parcel", "a-z, 0-9 and _"),
        "empty": ("", "a-z, 0-9 and _"),
        "of one character too many": (LONGEST + "a", "at most 40"),
        "with a path": ("../parcel", "a-z, 0-9 and _"),
        "a word of Python": ("class", "word of Python"),
        "a built-in of Python": ("len", "Python's own.*len_rules"),
        "a module of Python": ("token", "another module"),
        "the package itself": ("yunhe", "another module"),
        "a system contract": ("registry", "registry_rules"),
    }.values(),
)
def test_new_with_a_name_that_could_not_be_used_is_refused_and_makes_nothing(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(ContractNameError, match=reason):
        make_folder(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["p", "parcel_2", LONGEST])
def test_name_that_can_be_used_is_accepted(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch], ids=["folder", "file"])
def test_new_where_something_is_already_is_refused_and_leaves_it(tmp_path: Path, make) -> None:
    make(tmp_path / "parcel")
    with pytest.raises(FolderExistsError, match="choose another name"):
        make_folder("parcel", tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["parcel"]


def test_new_below_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="No such file"):
        make_folder("parcel", tmp_path / "nowhere")


# --- Checking and testing -------------------------------------------------------------------------------------------------


def test_check_accepts_what_new_makes(folder: Path) -> None:
    done = yunhe(folder, "check", "parcel.py")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "parcel.py: accepted"), done.stdout + done.stderr


@pytest.mark.parametrize("kind", ["plain", "metered"])
def test_test_passes_arguments_to_pytest(folder: Path, kind: str) -> None:
    done = yunhe(folder, "test", "--chain", kind, "-k", "nobody_else", "-p", "no:cacheprovider")
    assert (done.returncode, "1 passed, 5 deselected" in done.stdout) == (0, True), done.stdout + done.stderr


def test_test_finds_the_folder_that_it_is_given_and_tells_of_each_test(folder: Path) -> None:
    done = yunhe(folder.parent, "test", "parcel", "-p", "no:cacheprovider", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["passed"], told["pytest_exit_code"]) == (0, True, 0), done.stderr
    assert [test["outcome"] for test in told["tests"]] == ["passed"] * 6
    first = told["tests"][0]
    lines = (folder / "tests" / "test_parcel.py").read_text().splitlines()
    assert first["test"].endswith("tests/test_parcel.py::test_item_is_held_by_who_registered_it")
    assert lines[first["line"] - 1].startswith("def test_item_is_held_by_who_registered_it")


def test_failed_test_is_told_with_its_place_and_its_message(tmp_path: Path) -> None:
    make_folder("parcel", tmp_path)
    folder = tmp_path / "parcel"
    (folder / "tests" / "test_more.py").write_text(
        "import pytest\n\n\n"
        "def test_sum() -> None:\n    assert 1 + 1 == 3, 'the sums differ'\n\n\n"
        "@pytest.fixture\ndef broken() -> None:\n    raise ValueError('no table')\n\n\n"
        "def test_with_what_is_broken(broken: None) -> None:\n    pass\n\n\n"
        "@pytest.mark.skip(reason='later')\ndef test_later() -> None:\n    pass\n"
    )
    (folder / "tests" / "test_unreadable.py").write_text("def test(:\n")
    done = yunhe(folder, "test", "tests/test_more.py", "tests/test_unreadable.py", "-p", "no:cacheprovider", "--json")
    assert json.loads(done.stdout)["pytest_exit_code"] == 2
    assert [(test["test"], test["outcome"]) for test in json.loads(done.stdout)["tests"]] == [("tests/test_unreadable.py", "error")]
    (folder / "tests" / "test_unreadable.py").unlink()
    done = yunhe(folder, "test", "tests/test_more.py", "-p", "no:cacheprovider", "--json")
    assert done.returncode == 1
    failed, errored, skipped = json.loads(done.stdout)["tests"]
    assert (failed["outcome"], Path(failed["file"]).name, failed["line"]) == ("failed", "test_more.py", 5)
    assert "the sums differ" in failed["message"]
    assert (errored["outcome"], Path(errored["file"]).name, errored["line"]) == ("error", "test_more.py", 10)
    assert "no table" in errored["message"]
    assert (skipped["outcome"], skipped["message"]) == ("skipped", "")


def test_test_of_a_broken_contract_fails_with_our_code(tmp_path: Path) -> None:
    make_folder("parcel", tmp_path)
    contract = tmp_path / "parcel" / "parcel.py"
    contract.write_text(contract.read_text().replace('require(item.holder == ctx.sender, "NOT_HOLDER")', ""))
    done = yunhe(tmp_path / "parcel", "test")
    assert (done.returncode, done.stderr.split(":")[0]) == (1, "TESTS_FAILED")
    assert "not refused with NOT_HOLDER" in done.stdout


def test_random_calls_find_what_breaks_the_declared_invariant(tmp_path: Path) -> None:
    make_folder("parcel", tmp_path)
    contract = tmp_path / "parcel" / "parcel.py"
    contract.write_text(contract.read_text().replace('    require(item_id != "", "ITEM_ID_EMPTY")\n', ""))
    done = yunhe(tmp_path / "parcel", "test", "-k", "Random", "-p", "no:cacheprovider")
    assert (done.returncode, "every_item_is_kept_under_its_own_id does not hold" in done.stdout) == (1, True), done.stdout


def test_no_launch_entry_lets_a_debugger_into_other_processes(folder: Path) -> None:
    launch = json.loads((folder / ".vscode" / "launch.json").read_text())
    assert [entry["subProcess"] for entry in launch["configurations"]] == [False, False]


def test_test_where_there_are_none_says_where_to_go(tmp_path: Path) -> None:
    done = yunhe(tmp_path, "test", "-p", "no:cacheprovider")
    assert (done.returncode, "contract test FOLDER" in done.stderr) == (1, True), done.stderr


def test_test_with_an_argument_that_pytest_has_not_is_a_wrong_use(folder: Path) -> None:
    done = yunhe(folder, "test", "--no-such-option")
    assert (done.returncode, "no-such-option" in done.stderr) == (2, True)


# --- Playing the scenario -------------------------------------------------------------------------------------------------


def test_run_plays_the_scenario_from_any_folder(folder: Path) -> None:
    done = yunhe(folder.parent, "run", "parcel/scenario.py")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "parcel/scenario.py: passed, 4 steps"), done.stdout + done.stderr


def test_run_of_a_scenario_that_fails_ends_with_its_exit_code(folder: Path) -> None:
    failing = folder / "failing.py"
    failing.write_text('def scenario(chain):\n    assert 1 == 2, "the sums differ"\n')
    done = yunhe(folder, "run", "failing.py")
    assert done.returncode == 1
    assert done.stderr.startswith("SCENARIO_FAILED: ")
    assert "the sums differ" in done.stderr
