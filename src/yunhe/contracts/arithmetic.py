"""Exact arithmetic with amounts: integers in minor units, rounded by a rule that is named.

There are no floats and no `Decimal` in contracts: equal decimals encode differently, their context is global state, and an exponent escapes
every limit of size. A product may be twice as long as any integer that a contract can hold; the result may not (CON-110, CON-122).
"""

from yunhe.contracts.faults import Fault, IntegerOutOfRange
from yunhe.contracts.scalars import Choice
from yunhe.limits import CONTRACT_INTEGER_BITS_MAX

INTEGER_LIMIT = 2**CONTRACT_INTEGER_BITS_MAX
"""Integers of contract arithmetic are above -INTEGER_LIMIT and below INTEGER_LIMIT."""


class Rounding(Choice):
    """What to do with the part of an amount that is smaller than its unit."""

    FLOOR = "floor"
    """Towards minus infinity, as `//` does."""
    CEILING = "ceiling"
    """Towards plus infinity."""
    DOWN = "down"
    """Towards zero."""
    UP = "up"
    """Away from zero."""
    HALF_UP = "half_up"
    """To the nearest; a half away from zero."""
    HALF_EVEN = "half_even"
    """To the nearest; a half to the even neighbour."""


def mul_div(a: int, b: int, c: int, rounding: Rounding) -> int:
    """Return `a * b / c`, exact before one rounding.

    Raises:
        Fault: an operand is no integer, or `c` is zero.
        IntegerOutOfRange: the result is not an integer of contract arithmetic.
    """
    # CON-110
    if type(a) is not int or type(b) is not int or type(c) is not int:
        raise Fault("mul_div takes integers")
    if c == 0:
        raise Fault("mul_div divides by zero")
    if type(rounding) is not Rounding:
        raise Fault("mul_div takes a Rounding")
    product = a * b
    if c < 0:
        product, c = -product, -c
    quotient, rest = divmod(product, c)
    if rest and _rounds_up(rounding, quotient, rest, c):
        quotient += 1
    if not -INTEGER_LIMIT < quotient < INTEGER_LIMIT:
        raise IntegerOutOfRange("mul_div")
    return quotient


def _rounds_up(rounding: Rounding, floor: int, rest: int, divisor: int) -> bool:
    """Tell whether a value between `floor` and `floor + 1`, `rest / divisor` above it, goes to the upper one."""
    if rounding is Rounding.FLOOR:
        return False
    if rounding is Rounding.CEILING:
        return True
    if rounding is Rounding.DOWN:
        return floor < 0
    if rounding is Rounding.UP:
        return floor >= 0
    if 2 * rest != divisor:
        return 2 * rest > divisor
    if rounding is Rounding.HALF_EVEN:
        return floor % 2 == 1
    return floor >= 0


def pro_rata(total: int, weights: list[int]) -> list[int]:
    """Share `total` in proportion to `weights`, so that the shares add up to `total` exactly.

    Each share is rounded towards zero; what is left goes, one unit each, to the largest remainders, the earlier of equal ones first.

    Args:
        total: what is shared, of either sign.
        weights: integers of zero or more, at least one above zero.

    Raises:
        Fault: no integers, a negative weight, or no weight above zero.
        IntegerOutOfRange: the weights add up to more than contract arithmetic holds.
    """
    # CON-110
    if type(total) is not int or type(weights) is not list:
        raise Fault("pro_rata takes an integer and a list of integers")
    for weight in weights:
        if type(weight) is not int or weight < 0:
            raise Fault("a weight is an integer of zero or more")
    whole = sum(weights)
    if whole == 0:
        raise Fault("pro_rata needs a weight above zero")
    if whole >= INTEGER_LIMIT:
        raise IntegerOutOfRange("the weights of pro_rata")
    sign = -1 if total < 0 else 1
    divided = [divmod(abs(total) * weight, whole) for weight in weights]
    shares = [quotient for quotient, _ in divided]
    missing = abs(total) - sum(shares)
    by_remainder = sorted(range(len(weights)), key=lambda index: (-divided[index][1], index))
    for index in by_remainder[:missing]:
        shares[index] += 1
    return [sign * share for share in shares]
