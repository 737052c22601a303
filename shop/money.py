"""Money: Decimal, one currency for the shop, rounded in this one place."""

from decimal import ROUND_HALF_UP, Decimal

_CENT = Decimal("0.01")


def to_money(amount: Decimal) -> Decimal:
    """The amount in whole cents, halves away from zero; once a line, never on sums."""
    return amount.quantize(_CENT, rounding=ROUND_HALF_UP)
