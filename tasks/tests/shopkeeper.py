"""A shop, and beside it a shopkeeper who works out what each call must lead to."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from apps.catalog import inventory
from apps.catalog.inventory import OutOfStock
from apps.catalog.models import StockItem
from apps.orders.checkout import KeyReused, OrderForm, order_cart
from shop.mail.models import OutgoingEmail
from tasks.tests.mailbox import Mailbox
from tests.builders import fill_cart, make_address, make_customer, make_variant

SKUS = ("MUG", "CUP")
Basket = Mapping[str, int]


class Shopkeeper:
    """Makes the calls that move stock, and compares. Ada has two addresses to order to."""

    def __init__(self) -> None:
        self._ada = make_customer()
        self._addresses = [make_address(self._ada).pk, make_address(self._ada).pk]
        self._variants = {sku: make_variant(sku, on_hand=5) for sku in SKUS}
        self._available = Counter(dict.fromkeys(SKUS, 5))
        self._bought: dict[int, Counter[str]] = {}
        self._by_key: dict[str, tuple[int, int]] = {}  # key -> address, order
        self._booked: set[tuple[str, str]] = set()  # reference, SKU

    def place(
        self, basket: Basket, *, key: str | None, address: int, now: datetime
    ) -> int | None:
        """The id of the new order, if there has to be one."""
        cart = fill_cart(self._ada, {self._variants[sku]: n for sku, n in basket.items()})
        try:
            return self._order(basket, key, self._addresses[address], now)
        finally:
            cart.items.all().delete()

    def _order(
        self, basket: Basket, key: str | None, address: int, now: datetime
    ) -> int | None:
        earlier = self._by_key.get(key) if key else None
        is_short = any(self._available[sku] < number for sku, number in basket.items())
        form = OrderForm(
            shipping_address_id=address,
            billing_address_id=address,
            payment_method="cod",
            email="ada@example.com",
        )
        try:
            order, is_new = order_cart(form, customer=self._ada, idempotency_key=key, now=now)
        except KeyReused:
            assert earlier is not None
            assert earlier[0] != address
            return None
        except OutOfStock:
            assert is_short
            assert earlier is None
            return None
        if earlier is not None:
            assert (address, order.pk, False) == (*earlier, is_new)
            return None
        assert (is_new, is_short) == (True, False)
        if key:
            self._by_key[key] = (address, order.pk)
        self._bought[order.pk] = Counter(basket)
        self._available -= Counter(basket)
        return order.pk

    def receive(self, sku: str, number: int, *, note: str, now: datetime) -> None:
        inventory.receive({self._variants[sku].pk: number}, reference=note, now=now)
        if (note, sku) not in self._booked:
            self._booked.add((note, sku))
            self._available[sku] += number

    def correct(self, sku: str, number: int, *, now: datetime) -> None:
        reference = f"count-{len(self._booked)}"
        found = {self._variants[sku].pk: number}
        try:
            inventory.correct(found, reference=reference, now=now, reason="counted")
        except OutOfStock:
            assert self._available[sku] + number < 0
            return
        self._booked.add((reference, sku))
        self._available[sku] += number
        assert self._available[sku] >= 0

    def hears_of_cancellation(self, order: int) -> None:
        self._available += self._bought[order]

    def compare(self) -> None:
        """Stock as expected; one mail at most, and one for certain where its row says so."""
        for stock in StockItem.objects.select_related("variant"):
            assert stock.available == self._available[stock.variant.sku]
        reached = {"sent": 1, "unknown": 1}
        rows = {
            mail.subject: reached.get(mail.status, 0) for mail in OutgoingEmail.objects.all()
        }
        assert +Mailbox.taken == +Counter(rows)
