from tools.tidy.locks import disagreements, listed, pinned, unhashed

LOCK = """attrs==1.0 \\
    --hash=sha256:00
    # via a
PyYAML==2.0 ; sys_platform == 'win32' \\
    --hash=sha256:11
"""


def test_listed_leaves_comments_and_inclusions_out() -> None:
    assert listed("# why\n-r runtime.in\nattrs>=1  # because\n\nuvloop>=1; sys_platform != 'win32'\n") == {
        "attrs>=1",
        'uvloop>=1; sys_platform != "win32"',
    }


def test_pinned_normalises_names() -> None:
    assert pinned(LOCK) == {"attrs": "1.0", "pyyaml": "2.0"}


def test_unhashed_pin_is_found() -> None:
    assert unhashed("attrs==1.0\n" + LOCK) == ["attrs==1.0"]


def test_unhashed_lock_with_hashes_is_accepted() -> None:
    assert unhashed(LOCK) == []


def test_disagreements_of_lists_that_their_locks_cover_are_none() -> None:
    assert disagreements({"dev": "attrs\nPyYAML\n"}, {"dev": LOCK, "build": "attrs==1.0\n"}) == []


def test_disagreements_name_what_a_lock_lacks() -> None:
    assert disagreements({"dev": "attrs\nnewcomer\n"}, {"dev": LOCK}) == ["requirements/dev.txt lacks newcomer: run `make lock`"]


def test_disagreements_name_two_versions_of_one_thing() -> None:
    found = disagreements({}, {"dev": LOCK, "build": "attrs==1.1\n"})
    assert found == ["attrs is 1.0 in requirements/dev.txt and 1.1 in requirements/build.txt"]
