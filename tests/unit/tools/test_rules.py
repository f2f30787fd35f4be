from collections import Counter

from tools.tidy.checkout import Source
from tools.tidy.rules import cited, definitions, enforced, tested

# A family that the specification does not have, so that these examples define and cite nothing.
FAMILIES = frozenset({"ZZZ"})

CODE = '''"""Module that talks of ZZZ-001."""

class Thing:
    """Thing of ZZZ-002."""

    def check(self):
        """Decide ZZZ-003."""
        # ZZZ-004
        raise Refused("ZZZ-005", "no")
'''

TESTS = '''"""Tests of ZZZ-001."""

TABLE = {
    "ZZZ-002 accepted": 1,
    "ZZZ-002 refused": 2,
}
UNUSED = {"ZZZ-003": 1}

def test_zzz_004_small_is_accepted():
    pass

# ZZZ-004
@pytest.mark.parametrize("case", ["a"])
def test_large_is_refused():
    pass

@pytest.mark.parametrize("case", TABLE)
def test_table(case):
    """ZZZ-005"""
    assert "ZZZ-005"

class TestGroup:
    """ZZZ-006"""

    def test_one(self):
        pass

    def test_two(self):
        pass

def helper():
    """ZZZ-007"""
'''


def test_definitions_count_bold_identifiers_only() -> None:
    assert definitions([Source("s.md", "- **ZZZ-001** This.\n- **ZZZ-001** Again, see ZZZ-002.\n")]) == Counter({"ZZZ-001": 2})


def test_cited_leaves_longer_numbers_and_other_families_alone() -> None:
    assert cited("ZZZ-001, ZZZ-0021, YYY-003, XZZZ-004", FAMILIES) == {"ZZZ-001"}


def test_enforced_python_counts_comments_function_docstrings_and_messages_but_not_talk() -> None:
    assert enforced(Source("a.py", CODE), FAMILIES) == {"ZZZ-003", "ZZZ-004", "ZZZ-005"}


def test_enforced_rust_leaves_module_documentation_and_tests_out() -> None:
    text = "//! ZZZ-001\n// ZZZ-002\n/// ZZZ-003\n#[cfg(test)]\nmod tests {\n// ZZZ-004\n}\n"
    assert enforced(Source("a.rs", text), FAMILIES) == {"ZZZ-002", "ZZZ-003"}


def test_enforced_elsewhere_is_nothing() -> None:
    assert enforced(Source("a.md", "ZZZ-001"), FAMILIES) == set()


def test_tested_python_counts_each_test_and_each_line_of_a_table_that_a_test_reads() -> None:
    assert tested(Source("tests/test_a.py", TESTS), FAMILIES) == Counter({"ZZZ-002": 2, "ZZZ-004": 2, "ZZZ-005": 1, "ZZZ-006": 2})


def test_tested_rust_counts_the_test_module_only() -> None:
    text = "// ZZZ-001\n#[cfg(test)]\nmod tests {\n// ZZZ-001\n// ZZZ-001\nfn zzz_002_is_held() {}\n}\n"
    assert tested(Source("a.rs", text), FAMILIES) == Counter({"ZZZ-001": 2, "ZZZ-002": 1})


def test_tested_case_file_counts_each_line() -> None:
    assert tested(Source("tests/vectors/a.json", '["ZZZ-001",\n"ZZZ-001"]'), FAMILIES) == Counter({"ZZZ-001": 2})
