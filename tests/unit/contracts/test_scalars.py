import pytest

from yunhe.contracts import Choice, Org
from yunhe.limits import NAME_CHARS_MAX


class Status(Choice):
    OPEN = "open"
    SHUT = "shut"


def test_org_equals_and_sorts_as_its_name() -> None:
    assert Org("carrier") == "carrier"
    assert sorted([Org("port"), Org("bank")]) == ["bank", "port"]
    assert f"{Org('bank')}" == "bank"


@pytest.mark.parametrize("name", ["", "Bank", "1bank", "bank-2", "bänk", "b" * (NAME_CHARS_MAX + 1), "bank\n"])
def test_org_of_no_name_is_refused(name) -> None:
    with pytest.raises(ValueError, match="organisation"):
        Org(name)


def test_org_has_no_attributes_to_set() -> None:
    with pytest.raises(AttributeError):
        Org("bank").note = 1


def test_choice_is_the_text_of_its_member() -> None:
    assert Status("open") is Status.OPEN
    assert Status.OPEN == "open"
    assert f"{Status.SHUT}" == "shut"


def test_choice_of_unknown_text_is_refused() -> None:
    with pytest.raises(ValueError, match="ajar"):
        Status("ajar")


@pytest.mark.parametrize("target", [Status, Status.OPEN])
def test_choice_cannot_be_changed(target) -> None:
    with pytest.raises(AttributeError):
        target.note = 1


def test_choice_member_cannot_be_added_or_replaced() -> None:
    with pytest.raises(AttributeError):
        Status.AJAR = Status.OPEN
    with pytest.raises(AttributeError):
        Status.OPEN = Status.SHUT
