from tools.tidy.checkout import Source
from tools.tidy.walls import file_lengths, function_lengths, over_the_wall

TWO_METHODS = Source(
    "a.py",
    "class A:\n    def short(self):\n        pass\n\n    async def long(self):\n        def inner():\n            pass\n        inner()\n",
)


def test_file_lengths_of_code_and_prose_counts_code_only() -> None:
    assert file_lengths([Source("a.py", "1\n2\n"), Source("b.rs", "1\n"), Source("c.md", "1\n")]) == {"a.py": 2, "b.rs": 1}


def test_function_lengths_of_methods_and_inner_functions_are_named_by_path() -> None:
    assert function_lengths([TWO_METHODS]) == {"a.py::A.short": 2, "a.py::A.long": 4, "a.py::A.long.inner": 2}


def test_over_the_wall_at_the_wall_is_accepted() -> None:
    assert over_the_wall({"a": 10}, 10, {}) == []


def test_over_the_wall_above_it_is_found() -> None:
    assert over_the_wall({"a": 11}, 10, {}) == ["a: 11 lines, the wall is 10"]


def test_over_the_wall_recorded_and_unchanged_is_accepted() -> None:
    assert over_the_wall({"a": 12}, 10, {"a": 12}) == []


def test_over_the_wall_recorded_and_grown_is_found() -> None:
    assert over_the_wall({"a": 13}, 10, {"a": 12}) == ["a: 13 lines, it had 12: a ratchet only goes down"]


def test_over_the_wall_recorded_and_mended_leaves_the_record() -> None:
    assert over_the_wall({"a": 9}, 10, {"a": 12}) == ["a: not over the wall of 10 any more, take it out of the record"]
