import pytest

from tools.tidy.checkout import Source
from tools.tidy.wording import empty_names, machine_paths, open_promises, registry_hosts


# Planted in pieces, so that the checkout's own check does not find them.
@pytest.mark.parametrize("planted", ["/ro" + "ot/x", "/wo" + "rk/y", "/ho" + "me/ann/z", "../sha" + "red/a.md"])
def test_machine_paths_planted_is_found(planted: str) -> None:
    assert machine_paths(Source("a.md", f"see\n{planted}\n")) == ["a.md:2: names a path of one machine"]


@pytest.mark.parametrize("clean", ["the merkle root/leaf", "framework/x", "/tmp", "/home", "$HOME/x"])
def test_machine_paths_of_no_machine_is_not_found(clean: str) -> None:
    assert machine_paths(Source("a.md", clean)) == []


@pytest.mark.parametrize("planted", ["https://py" + "pi.org/simple", "https://files.python" + "hosted.org", "https://index.crates" + ".io"])
def test_registry_hosts_planted_is_found(planted: str) -> None:
    assert registry_hosts(Source("a.toml", planted)) == ["a.toml:1: names a registry's host"]


def test_registry_hosts_in_prose_about_crates_is_not_found() -> None:
    assert registry_hosts(Source("a.md", "published as a crate")) == []


@pytest.mark.parametrize("path", ["src/util.py", "src/helpers/a.py", "tests/test_common.py", "a/Misc.md"])
def test_empty_names_planted_is_found(path: str) -> None:
    assert empty_names(path) == [f"{path}: name the idea"]


@pytest.mark.parametrize("path", ["src/commonwealth.py", "src/miscount.py", "tests/unit/test_codec.py"])
def test_empty_names_of_an_idea_is_not_found(path: str) -> None:
    assert empty_names(path) == []


def test_open_promises_without_a_condition_is_found() -> None:
    assert open_promises(Source("a.py", "x = 1\n# TO" + "DO later\n")) == ["a.py:2: TO" + "DO that does not say what it waits for"]


def test_open_promises_with_a_condition_is_accepted() -> None:
    assert open_promises(Source("a.py", "# TO" + "DO drop this when CPython 3.12 is the least\n")) == []
