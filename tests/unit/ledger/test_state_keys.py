"""COD-060, COD-061: state keys keep the order of what they encode."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunhe.errors import InvalidInputError, MalformedError, TooLargeError
from yunhe.ledger.state_keys import decode_state_key, encode_component, prefix_end, state_key, table_prefix
from yunhe.limits import INTEGER_MAX, INTEGER_MIN

TEXT = st.text(max_size=20)
INTEGERS = st.integers(INTEGER_MIN, INTEGER_MAX)
COMPONENTS = st.lists(TEXT | INTEGERS | st.binary(max_size=20), min_size=1, max_size=4)


@given(COMPONENTS)
def test_state_key_round_trip(components):
    """COD-060, COD-061 accepted."""
    key = state_key("bill", "bills", components)
    assert decode_state_key(key) == ("bill", "bills", tuple(components))
    assert table_prefix("bill", "bills") < key < prefix_end(table_prefix("bill", "bills"))


@given(st.one_of(st.tuples(TEXT, TEXT), st.tuples(INTEGERS, INTEGERS), st.tuples(st.binary(), st.binary())))
def test_component_order_is_the_order_of_the_values(pair):
    """COD-060: UTF-8 keeps the order of code points."""
    one, two = pair
    assert (encode_component(one) < encode_component(two)) == (one < two)


@given(COMPONENTS, COMPONENTS)
def test_state_keys_are_never_prefixes_of_one_another(one, two):
    key_one, key_two = state_key("bill", "bills", one), state_key("bill", "bills", two)
    if len(one) == len(two) and one != two:
        assert not key_one.startswith(key_two)


def test_known_encodings():
    """COD-060, worked by hand."""
    assert state_key("bill", "t", ["A\x00", 5, b"\xff"]) == (
        b"bill\x00t\x00" + b"\x02A\x00\xff\x00" + b"\x03\x80\x00\x00\x00\x00\x00\x00\x05" + b"\x01\xff\x00"
    )


@pytest.mark.parametrize("components", [[], [1, 2, 3, 4, 5], [True], [None], [1.5], ["\ud800"], [INTEGER_MAX + 1], [INTEGER_MIN - 1]])
def test_state_key_of_no_key_is_refused(components):
    """COD-060, COD-061 refused."""
    with pytest.raises(MalformedError):
        state_key("bill", "bills", components)


def test_state_key_over_the_size_limit_is_refused():
    """COD-061 refused."""
    assert len(state_key("b", "t", ["x" * 506])) == 512
    with pytest.raises(TooLargeError):
        state_key("b", "t", ["x" * 507])


@given(st.binary(max_size=60))
def test_decode_state_key_any_bytes_give_a_key_or_our_error(data):
    try:
        contract, table, components = decode_state_key(data)
    except InvalidInputError:
        return
    assert state_key(contract, table, components) == data
