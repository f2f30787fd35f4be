"""References that lead nowhere are found, and no others."""

import pytest

from tools.tidy.checkout import Source
from tools.tidy.references import dead_links, missing_documents

PATHS = frozenset({"LICENSE", "README.md", "docs/guide.md", "docs/spec/a b.md", "docs/spec/ledger.md", "src/code.py"})
# Planted in pieces, so that the checkout's own check does not find it.
GONE = "docs/" + "spec/gone.md"
GUIDE = Source("docs/guide.md", "# A `Guide`, in short\n\n## Next\n\n## Next\n\n## 中文\n\n```\n# not one\n```\n")


@pytest.mark.parametrize("text", [f"Specification: {GONE}.", f"[a]({GONE})", f"`{GONE}`"])
def test_missing_documents_planted_is_found(text: str) -> None:
    assert missing_documents(Source("src/a.py", f"x\n{text}\n"), PATHS) == [f"src/a.py:2: there is no {GONE}"]


@pytest.mark.parametrize("text", ["docs/spec/ledger.md, LED-030", "https://example.org/docs/spec/elsewhere.md", "values[key](other)"])
def test_missing_documents_that_exist_is_not_found(text: str) -> None:
    assert missing_documents(Source("src/a.py", text), PATHS) == []


@pytest.mark.parametrize(
    "target",
    [
        "docs/guide.md",
        "docs",
        "docs/",
        ".",
        "LICENSE",
        "src/code.py",
        "docs/spec/a%20b.md",
        "docs/guide.md#a-guide-in-short",
        "docs/guide.md#next",
        "docs/guide.md#next-1",
        "docs/guide.md#中文",
        "docs/guide.md#%E4%B8%AD%E6%96%87",
        "#here",
        "https://example.org/nowhere.md",
        "//example.org/nowhere.md",
        "mailto:a@example.org",
    ],
)
def test_link_that_leads_somewhere_is_not_found(target: str) -> None:
    assert dead_links([Source("README.md", f"# Here\n\nSee [it]({target}).\n"), GUIDE], PATHS) == []


@pytest.mark.parametrize(
    ("target", "finding"),
    [
        ("docs/gone.md", "there is no docs/gone.md"),
        ("guide.md", "there is no guide.md"),
        ("../README.md", "there is no ../README.md"),
        ("/README.md", "there is no /README.md"),
        ("docs/gone.md#next", "there is no docs/gone.md"),
        ("docs/guide.md#gone", "docs/guide.md has no heading #gone"),
        ("docs/guide.md#next-2", "docs/guide.md has no heading #next-2"),
        ("docs/guide.md#not-one", "docs/guide.md has no heading #not-one"),
        ("docs#next", "docs has no heading #next"),
        ("src/code.py#L1", "src/code.py has no heading #L1"),
        ("#gone", "README.md has no heading #gone"),
    ],
)
def test_link_that_leads_nowhere_is_found(target: str, finding: str) -> None:
    assert dead_links([Source("README.md", f"# Here\n\nSee [it]({target}).\n"), GUIDE], PATHS) == [f"README.md:3: {finding}"]


def test_link_is_relative_to_its_page() -> None:
    page = Source("docs/spec/page.md", "x\n[it](../guide.md), [`code` [x]](ledger.md), [it](../../README.md) and [it](guide.md)\n")
    assert dead_links([page], PATHS) == ["docs/spec/page.md:2: there is no docs/spec/guide.md"]


def test_code_holds_no_links() -> None:
    assert dead_links([Source("README.md", "`rows[0](gone)`\n\n```\n[it](gone.md)\n```\n")], PATHS) == []
