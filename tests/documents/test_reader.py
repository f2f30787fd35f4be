"""The reader of documents notices what is wrong with one."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.documents.fences import Command, DocumentError, SavedFile, matches, steps
from tests.documents.reader import Reader


def document(*lines: str, language: str = "console", mark: str = "") -> str:
    return "\n".join(["# Title", "", *([mark] if mark else []), f"```{language}", *lines, "```", ""])


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("text", "steps_of_it"),
    [
        (
            document("$ one", "$ two \\", "> more", "out", "", "put"),
            [Command(4, "one", []), Command(5, "two \\\nmore", ["out", "", "put"])],
        ),
        (document("one  # why", "", "two", language="sh"), [Command(4, "one  # why"), Command(6, "two")]),
        (document("x = 1", language="python", mark="<!-- file: a.py -->"), [SavedFile(4, "a.py", "x = 1\n")]),
        (document("x", language="text") + document("x", language="python", mark="<!-- not run: an excerpt -->"), []),
        (document("$ false", "$ echo $?", "1"), [Command(4, "false", [], may_fail=True), Command(5, "echo $?", ["1"])]),
    ],
    ids=["console", "sh", "file", "not run", "exit code"],
)
def test_steps_are_what_the_fences_say(text: str, steps_of_it: list[Command | SavedFile]) -> None:
    assert steps(text).steps == steps_of_it


@pytest.mark.parametrize(
    "text",
    [document("x = 1", language="python"), document("x", language=""), document("output", "$ one"), "```sh\nopen\n"],
    ids=["a snippet that nobody runs", "no language", "output before a command", "not closed"],
)
def test_fence_that_goes_untried_is_an_error(text: str) -> None:
    with pytest.raises(DocumentError, match="line"):
        steps(text)


@pytest.mark.parametrize(
    ("expected", "output", "is_match"),
    [
        (["height  1"], "height  1\n", True),
        (["height  1"], "height  1  \n\n", True),
        (["height  1"], "height  12\n", False),
        (["id  …", "height  1"], "id  ab.cd\nheight  1\n", True),
        (["id  …"], "id  ab\nheight  1\n", False),
        (["a", "…", "z"], "a\nb\nc\nz\n", True),
        (["a", "…"], "a\n", True),
        (["a.c"], "abc\n", False),
        ([], "", True),
        ([], "something\n", False),
    ],
)
def test_output_is_compared_but_for_ellipses(expected: list[str], output: str, is_match: bool) -> None:
    assert matches(expected, output) == is_match


def test_session_keeps_folder_variables_and_exit_codes(reader: Reader, tmp_path: Path) -> None:
    text = document("mkdir a && cd a", "export WORD='one two'", language="sh")
    text += document("echo $WORD", language="sh", mark="<!-- file: say -->")
    text += document("$ bash say; pwd", "one two", f"{tmp_path}/a", "$ (exit 3)", "$ echo $?", "3", "$ cat", "$ echo 8440 >&2", "8440")
    assert reader.follow(steps(text)) == []


def test_command_that_fails_ends_the_session_and_is_named(reader: Reader, tmp_path: Path) -> None:
    (found,) = reader.follow(steps(document("true", "echo why; (exit 7)", "touch after", language="sh")))
    assert found == "line 5: exit code 7 after\n    why"
    assert not (tmp_path / "after").exists()


def test_other_output_than_shown_is_named(reader: Reader) -> None:
    (found,) = reader.follow(steps(document("$ echo one", "two", "$ echo three", "three")))
    assert found == "line 4: shown is\n    two\nbut it prints\n    one"


def test_reader_has_neither_our_commands_nor_our_home(reader: Reader, tmp_path: Path) -> None:
    text = document("$ command -v yunhe", "$ echo $?", "1", "$ echo $HOME", str(tmp_path))
    assert reader.follow(steps(text)) == []


def test_node_that_is_left_running_is_ended_and_told(reader: Reader, tmp_path: Path) -> None:
    process = subprocess.Popen(["/bin/sleep", "100"])
    (tmp_path / "node" / "run").mkdir(parents=True)
    (tmp_path / "node" / "run" / "node.json").write_text(json.dumps({"pid": process.pid}), encoding="utf-8")
    assert reader.follow(steps(document("true", language="sh"))) == [f"a node was left running in {tmp_path / 'node'}"]
    assert process.wait(30) < 0
