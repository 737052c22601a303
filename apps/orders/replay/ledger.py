"""Whether the stock ledger, the stock totals and the replayed file agree, for each variant."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet, Sum

from apps.catalog.models import StockItem, StockMovement, Variant
from apps.orders.replay.preparation import RECEIPT
from apps.orders.replay.reader import Invoice
from apps.orders.replay.watching import references

Kind = StockMovement.Kind
_Booked = dict[int, Counter[str]]  # variant id -> kind -> units


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What the comparison found."""

    problems: list[str]
    variants: int
    sold_out: int  # variants of which nothing is on hand, as far as that must be so


def compare_ledger(
    placed: Sequence[Invoice], *, orders: Mapping[str, int], variants: Mapping[str, Variant]
) -> Ledger:
    """Compare what the placed sales bought with what the shop has booked for it."""
    books = _Books(_units(placed, variants), order_ids=list(orders.values()))
    skus = {variant.pk: variant.sku for variant in variants.values()}
    problems = [
        f"{skus[variant_id]}: {problem}"
        for variant_id in books.units
        for problem in books.problems(variant_id)
    ]
    sold_out = sum(books.must_be_empty(variant_id) for variant_id in books.units)
    return Ledger(problems=problems, variants=len(books.units), sold_out=sold_out)


def _units(placed: Sequence[Invoice], variants: Mapping[str, Variant]) -> Counter[int]:
    units: Counter[int] = Counter()
    for sale in placed:
        for line in sale.lines:
            units[variants[line.sku.lower()].pk] += line.quantity
    return units


class _Books:
    """The movements of the variants, read once: all, those of the orders, and the receipts."""

    def __init__(self, units: Counter[int], *, order_ids: Sequence[int]) -> None:
        self.units = units
        movements = StockMovement.objects.filter(variant_id__in=list(units))
        self._all = _booked(movements)
        self._ours = _booked(movements.filter(reference__in=references(order_ids)))
        self._received = _booked(movements.filter(reference__startswith=RECEIPT))
        self._stock = StockItem.objects.in_bulk(list(units))

    def problems(self, variant_id: int) -> Iterator[str]:
        stock, booked = self._stock[variant_id], self._all[variant_id]
        ours, units = self._ours[variant_id], self.units[variant_id]
        yield from _difference("on hand", stock.on_hand, _effect(booked, 0))
        yield from _difference("reserved", stock.reserved, _effect(booked, 1))
        yield from _difference("reserved for the orders", ours[Kind.RESERVATION], units)
        yield from _difference("sold to the orders", ours[Kind.SALE], units)
        if self.must_be_empty(variant_id):
            yield from _difference("left on hand", stock.on_hand, 0)
            yield from _difference("left reserved", stock.reserved, 0)

    def must_be_empty(self, variant_id: int) -> bool:
        """Whether all that ever arrived was received for these orders."""
        booked, units = self._all[variant_id], self.units[variant_id]
        received = self._received[variant_id][Kind.RECEIPT]
        return (
            booked[Kind.RECEIPT] == received == units
            and not booked[Kind.CORRECTION]
            and not booked[Kind.RESTOCK]
        )


def _booked(movements: QuerySet[StockMovement]) -> _Booked:
    booked: _Booked = defaultdict(Counter)
    sums = movements.values_list("variant_id", "kind").annotate(units=Sum("quantity"))
    for variant_id, kind, units in sums:
        booked[variant_id][kind] = units
    return booked


def _effect(booked: Counter[str], column: int) -> int:
    """What the movements make of the total: column 0 is on hand, 1 is reserved."""
    return sum(StockMovement.EFFECT[kind][column] * units for kind, units in booked.items())


def _difference(what: str, found: int, expected: int) -> Iterator[str]:
    if found != expected:
        yield f"{what} {found}, should be {expected}"
