"""CON-110: exact arithmetic with amounts, against fractions."""

from fractions import Fraction
from math import ceil, floor, trunc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunhe.contracts import Rounding, mul_div, pro_rata
from yunhe.contracts.faults import Fault, IntegerOutOfRange

integers = st.integers(-(2**80), 2**80)


def away(value: Fraction) -> int:
    return ceil(value) if value > 0 else floor(value)


def half_up(value: Fraction) -> int:
    return trunc(value + (Fraction(1, 2) if value >= 0 else Fraction(-1, 2)))


EXACT = {
    Rounding.FLOOR: floor,
    Rounding.CEILING: ceil,
    Rounding.DOWN: trunc,
    Rounding.UP: away,
    Rounding.HALF_UP: half_up,
    Rounding.HALF_EVEN: round,
}


@given(integers, integers, integers.filter(bool), st.sampled_from(list(Rounding)))
def test_con_110_mul_div_is_the_rounded_fraction(a, b, c, rounding) -> None:
    assert mul_div(a, b, c, rounding) == EXACT[rounding](Fraction(a * b, c))


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [
        (Rounding.FLOOR, [-3, -2, -1, 0, 1, 2]),
        (Rounding.CEILING, [-2, -1, 0, 1, 2, 3]),
        (Rounding.DOWN, [-2, -1, 0, 0, 1, 2]),
        (Rounding.UP, [-3, -2, -1, 1, 2, 3]),
        (Rounding.HALF_UP, [-3, -2, -1, 1, 2, 3]),
        (Rounding.HALF_EVEN, [-2, -2, 0, 0, 2, 2]),
    ],
)
def test_con_110_mul_div_halves_go_where_the_rounding_says(rounding, expected) -> None:
    assert [mul_div(a, 1, 2, rounding) for a in (-5, -3, -1, 1, 3, 5)] == expected


@pytest.mark.parametrize("arguments", [(1, 1, 0, Rounding.UP), ("1", 1, 1, Rounding.UP), (True, 1, 1, Rounding.UP), (1, 1, 1, "up")])
def test_con_110_mul_div_of_anything_else_is_a_fault(arguments) -> None:
    with pytest.raises(Fault):
        mul_div(*arguments)


def test_con_122_mul_div_result_beyond_the_range_is_refused() -> None:
    assert mul_div(2**254, 2**254, 2**254, Rounding.FLOOR) == 2**254
    with pytest.raises(IntegerOutOfRange):
        mul_div(2**254, 2, 1, Rounding.FLOOR)


@given(integers, st.lists(st.integers(0, 2**60), min_size=1, max_size=20).filter(any))
def test_con_110_pro_rata_conserves_the_total_and_errs_by_less_than_one(total, weights) -> None:
    shares = pro_rata(total, weights)
    assert sum(shares) == total
    assert all(abs(share - Fraction(total * weight, sum(weights))) < 1 for share, weight in zip(shares, weights, strict=True))


def test_con_110_pro_rata_gives_what_is_left_to_the_largest_remainders_then_to_the_earlier() -> None:
    assert pro_rata(100, [1, 1, 1]) == [34, 33, 33]
    assert pro_rata(-100, [1, 1, 1]) == [-34, -33, -33]
    assert pro_rata(10, [0, 5, 6]) == [0, 5, 5]
    assert pro_rata(7, [3, 3, 1]) == [3, 3, 1]


@pytest.mark.parametrize("arguments", [(1, []), (1, [0]), (1, [-1, 2]), (1, [True]), ("1", [1]), (1, (1,))])
def test_con_110_pro_rata_of_anything_else_is_a_fault(arguments) -> None:
    with pytest.raises(Fault):
        pro_rata(*arguments)
