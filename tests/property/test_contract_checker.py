"""The contract checker at its boundary: any bytes give a verdict, the same one everywhere, and nothing but our error."""

import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunhe.contracts.checker import check
from yunhe.errors import ContractRefusedError, Finding

SAMPLES = [(Path("src/yunhe/contracts/system_contracts") / f"{name}.py").read_text() for name in ("governance", "lifecycle", "registry")]
TOKENS = re.findall(r"\w+|\s+|[^\w\s]", SAMPLES[2])
WORDS = [
    *sorted({token for token in TOKENS if not token.isspace()}),
    *("\n", "\n    ", " ", "lambda", "yield", "async", "await", "match", "case", "try:", "except", "with", "global", "*", "**", ":=", "@"),
    *(
        "{",
        "}",
        "f'",
        'f"',
        "\\",
        "#",
        '"""',
        "...",
        "1.5",
        "0x",
        "_",
        "é",
        "\u202e",
        "if",
        "elif",
        "else:",
        "not",
        "is",
        "in",
        "|",
        "~",
        "<<",
    ),
]


def verdict(source: str | bytes) -> tuple[Finding, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            check(source, system=True)
        except ContractRefusedError as error:
            findings = error.findings
        else:
            return ()
    assert findings
    assert all(finding.rule.startswith("CON-") and finding.reason and finding.instead for finding in findings)
    return findings


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300)))
def test_check_any_input_raises_only_our_error(source) -> None:
    verdict(source)


@given(st.lists(st.sampled_from(WORDS), max_size=80).map(" ".join))
def test_check_any_words_raises_only_our_error(source) -> None:
    verdict(source)


@given(st.sampled_from(SAMPLES), st.data())
def test_check_mutated_contract_raises_only_our_error(sample, data) -> None:
    start = data.draw(st.integers(0, len(sample)))
    end = data.draw(st.integers(start, min(len(sample), start + 40)))
    mutated = sample[:start] + data.draw(st.lists(st.sampled_from(WORDS), max_size=4).map("".join)) + sample[end:]
    assert verdict(mutated) == verdict(mutated.encode(errors="surrogatepass"))


OPENINGS = [
    "(",
    "[",
    "{",
    "{1:",
    "f(",
    "f(a=",
    "a[",
    "lambda:(",
    "lambda x=(",
    "not ",
    "-",
    "~",
    "await ",
    "x if x else ",
    "x ** -",
    "*(",
    "(yield ",
    "x.y(",
    "{**",
    "with (",
    "match (",
    "case (",
    "for x in (",
    "[x for x in ",
    "(x for x in ",
    "print(",
    "x=",
    "x:=(",
    "x: (",
    "del (",
    "import (",
    "from x import (",
    "class x(",
    "def f(x=(",
    "@(",
    "assert (",
    "raise (",
    "return (",
    "x,",
    "x<",
    "x and ",
    "x or ",
    "f'{(",
    "if (",
    "while (",
    "elif ",
    "try:",
    "async ",
    "global ",
    "x|",
    "x@",
    "x;",
]  # a list of words
CLOSINGS = ["", "x", "x" + ")" * 24, "1 1", "=", "\n    x"]


@pytest.mark.parametrize("opening", OPENINGS)
def test_check_anything_repeated_reaches_no_limit_of_the_parser(opening) -> None:
    for count in (8, 12, 20, 24, 100, 250, 500, 5000):
        for closing in CLOSINGS:
            assert verdict(opening * count + closing)
            assert verdict("def f():\n    " + opening * count + closing + "\n")


def test_check_findings_do_not_depend_on_the_process() -> None:
    script = (
        "import sys; sys.path[:0] = eval(sys.argv[1])\n"
        "from yunhe.contracts.checker import check\nfrom yunhe.errors import ContractRefusedError\n"
        "try:\n    check(sys.stdin.read())\nexcept ContractRefusedError as error:\n    print(error.findings)"
    )
    source = SAMPLES[0].replace("require(", "raise(").replace("int", "float") + "\nclass A(B, C):\n    _x = {1, 2}\n"
    answers = {
        subprocess.run(
            [sys.executable, *flags, "-c", script, repr(sys.path)], input=source, capture_output=True, text=True, check=True, env=env
        ).stdout
        for flags, env in (
            [["-I"], {}],
            [["-O"], {"PYTHONHASHSEED": "1"}],
            [["-X", "utf8=0", "-OO"], {"PYTHONHASHSEED": "2", "LC_ALL": "C"}],
        )
    }
    assert len(answers) == 1
    assert answers.pop().count("Finding(") > 50
