"""COD-060, COD-061: state keys keep the order of what they encode."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunhe.errors import InvalidInputError, MalformedError, TooLargeError
from yunhe.ledger.codec import as_name
from yunhe.ledger.state_keys import component_end, decode_state_key, encode_component, index_table, prefix_end, state_key, table_prefix
from yunhe.limits import INTEGER_MAX, INTEGER_MIN, KEY_COMPONENTS_MAX

TEXT = st.text(max_size=20)
INTEGERS = st.integers(INTEGER_MIN, INTEGER_MAX)
COMPONENTS = st.lists(TEXT | INTEGERS | st.binary(max_size=20), min_size=1, max_size=KEY_COMPONENTS_MAX)


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


@pytest.mark.parametrize(
    "components", [[], [1] * (KEY_COMPONENTS_MAX + 1), [True], [None], [1.5], ["\ud800"], [INTEGER_MAX + 1], [INTEGER_MIN - 1]]
)
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


@given(COMPONENTS)
def test_component_end_takes_a_state_key_apart(components):
    """COD-060: where one component ends the next one begins, and the last one ends with the key."""
    prefix = table_prefix("bill", "bills")
    key = prefix + b"".join(encode_component(component) for component in components)
    position = len(prefix)
    for component in components:
        end = component_end(key, position)
        assert key[position:end] == encode_component(component)
        position = end
    assert position == len(key)


def test_index_table_is_a_name_that_no_contract_has():
    """COD-062: the rows of an index lie apart from every table, those whose names begin alike included."""
    name = index_table("bills", ("carrier", "status"))
    assert name == "bills#carrier,status"
    key = state_key("bill", name, ("maeu", "live", "b1"))
    assert decode_state_key(key) == ("bill", name, ("maeu", "live", "b1"))
    assert not key.startswith(table_prefix("bill", "bills"))
    with pytest.raises(MalformedError):
        as_name(name, "a table")
