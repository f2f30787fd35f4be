import pytest

from tools.tidy.checkout import Source
from tools.tidy.references import missing_documents

PATHS = frozenset({"LICENSE", "README.md", "docs/spec/ledger.md", "docs/guides/national-cryptography.md"})
# Planted in pieces, so that the checkout's own check does not find it.
GONE = "docs/" + "spec/gone.md"


@pytest.mark.parametrize(
    ("path", "text", "target"),
    [
        ("src/a.py", f"Specification: {GONE}.", GONE),
        ("README.md", f"[a]({GONE})", GONE),
        ("docs/spec/ledger.md", "[a](gone.md#part)", GONE),
        ("docs/guides/national-cryptography.md", "[a](../spec/ledger.md) and [b](../spec/gone.md)", GONE),
    ],
)
def test_missing_documents_planted_is_found(path: str, text: str, target: str) -> None:
    assert missing_documents(Source(path, f"x\n{text}\n"), PATHS) == [f"{path}:2: there is no {target}"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/a.py", "docs/spec/ledger.md, LED-030"),
        ("docs/guides/national-cryptography.md", "[a](../spec/ledger.md#tree), [b](../spec), [c](https://example.org/x), [d](#here)"),
        ("src/a.py", "values[key](other)"),
    ],
)
def test_missing_documents_that_exist_is_not_found(path: str, text: str) -> None:
    assert missing_documents(Source(path, text), PATHS) == []
