"""References that lead nowhere are found, and no others."""

import pytest

from tools.tidy.checkout import Source
from tools.tidy.references import dead_links, missing_documents

PATHS = frozenset(
    {"LICENSE", "README.md", "pages/guide.md", "pages/more/a b.md", "pages/more/next.md", "docs/spec/ledger.md", "src/code.py"}
)
# Planted in pieces, so that the checkout's own check does not find it.
GONE = "docs/" + "spec/gone.md"
GUIDE = Source("pages/guide.md", "# A `Guide`, in short\n\n## Next\n\n## Next\n\n## 中文\n\n```\n# not one\n```\n")


@pytest.mark.parametrize("text", [f"Specification: {GONE}.", f"[a]({GONE})", f"`{GONE}`"])
def test_missing_documents_planted_is_found(text: str) -> None:
    assert missing_documents(Source("src/a.py", f"x\n{text}\n"), PATHS) == [f"src/a.py:2: there is no {GONE}"]


@pytest.mark.parametrize("text", ["docs/spec/ledger.md, LED-030", "https://example.org/docs/spec/elsewhere.md", "values[key](other)"])
def test_missing_documents_that_exist_is_not_found(text: str) -> None:
    assert missing_documents(Source("src/a.py", text), PATHS) == []


@pytest.mark.parametrize(
    "target",
    [
        "pages/guide.md",
        "pages",
        "pages/",
        ".",
        "LICENSE",
        "src/code.py",
        "pages/more/a%20b.md",
        "pages/guide.md#a-guide-in-short",
        "pages/guide.md#next",
        "pages/guide.md#next-1",
        "pages/guide.md#中文",
        "pages/guide.md#%E4%B8%AD%E6%96%87",
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
        ("pages/gone.md", "there is no pages/gone.md"),
        ("guide.md", "there is no guide.md"),
        ("../README.md", "there is no ../README.md"),
        ("/README.md", "there is no /README.md"),
        ("pages/gone.md#next", "there is no pages/gone.md"),
        ("pages/guide.md#gone", "pages/guide.md has no heading #gone"),
        ("pages/guide.md#next-2", "pages/guide.md has no heading #next-2"),
        ("pages/guide.md#not-one", "pages/guide.md has no heading #not-one"),
        ("pages#next", "pages has no heading #next"),
        ("src/code.py#L1", "src/code.py has no heading #L1"),
        ("#gone", "README.md has no heading #gone"),
    ],
)
def test_link_that_leads_nowhere_is_found(target: str, finding: str) -> None:
    assert dead_links([Source("README.md", f"# Here\n\nSee [it]({target}).\n"), GUIDE], PATHS) == [f"README.md:3: {finding}"]


def test_link_is_relative_to_its_page() -> None:
    page = Source("pages/more/page.md", "x\n[it](../guide.md), [`code` [x]](next.md), [it](../../README.md) and [it](guide.md)\n")
    assert dead_links([page], PATHS) == ["pages/more/page.md:2: there is no pages/more/guide.md"]


def test_code_holds_no_links() -> None:
    assert dead_links([Source("README.md", "`rows[0](gone)`\n\n```\n[it](gone.md)\n```\n")], PATHS) == []
