import pytest

from tools.tidy.checkout import Source
from tools.tidy.purity import ambient_calls, floating_point, foreign_imports


@pytest.mark.parametrize(
    "planted",
    [
        "x = 1.5",
        "x = 1e3",
        "x = 2j",
        "x = a / b",
        "x /= b",
        "x = float(a)",
        "x = round(a)",
        "def f(a=0.5): pass",
        "def f():\n    return [a / b]",
    ],
)
def test_floating_point_planted_is_found(planted: str) -> None:
    assert len(floating_point(Source("a.py", planted), ())) == 1


@pytest.mark.parametrize("clean", ["x = 1", "x = a // b", "x //= b", "'1.5 / 2'", "isinstance(a, float)", "x = a.round()"])
def test_floating_point_in_integer_code_is_not_found(clean: str) -> None:
    assert floating_point(Source("a.py", clean), ()) == []


def test_floating_point_in_an_excepted_function_is_accepted_there_only() -> None:
    source = Source("a.py", "def number():\n    return 1.5\n\ndef other():\n    return 1.5\n")
    assert floating_point(source, {"number"}) == ["a.py:5: float literal 1.5"]


def test_foreign_imports_of_allowed_packages_is_accepted() -> None:
    assert foreign_imports(Source("a.py", "import json\nfrom collections.abc import Mapping\n"), {"json", "collections"}) == []


def test_foreign_imports_hidden_in_a_function_are_found() -> None:
    source = Source("a.py", "def f():\n    from yunhe.ledger import codec\n    import json, httpx.client\n")
    assert foreign_imports(source, {"json"}) == ["a.py:2: imports yunhe.ledger", "a.py:3: imports httpx.client"]


@pytest.mark.parametrize("planted", ["x = hash(a)", "x = id(a)", "f = open('a')", "print(1)", "def f():\n    input()"])
def test_ambient_calls_planted_is_found(planted: str) -> None:
    assert len(ambient_calls(Source("a.py", planted))) == 1


@pytest.mark.parametrize("clean", ["x.open()", "x.hash(a)", "id = 1", "'print(1)'"])
def test_ambient_calls_of_our_own_is_not_found(clean: str) -> None:
    assert ambient_calls(Source("a.py", clean)) == []
