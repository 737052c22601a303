"""What must be there before an invoice can be replayed: products, stock and customers.

Everything is found again by the next run: variants by their SKU, customers by their e-mail
address, orders by the invoice's number as their idempotency key.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import QuerySet, Sum
from django.db.models.functions import Lower
from django.utils.text import slugify

from apps.accounts.models import Address, Customer, User
from apps.catalog import inventory
from apps.catalog.models import Category, Product, StockMovement, Variant
from apps.orders.checkout import Line, Purchase
from apps.orders.models import Order, OrderItem
from apps.orders.replay.reader import Invoice, InvoiceLine
from shop.alone import alone
from shop.json_lines import Unreadable

RECEIPT = "replay-receipt-"
_KEY = "replay-"
# Reserved by RFC 2606: nobody can receive mail there, or reset a password with it.
_DOMAIN = "@replay.invalid"
MAX_UNITS = 2**31 - 1  # what a stock item can count
_LOCK = 7_263_501  # any number that nothing else in this database locks


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The customers and variants that the invoices name."""

    customers: dict[str | None, Customer]
    variants: dict[str, Variant]  # by SKU in lower case

    def purchase(self, sale: Invoice) -> Purchase:
        """The sale as checkout knows it; its number is the idempotency key."""
        address = _address(sale).as_printed()
        return Purchase(
            customer=self.customers[sale.customer],
            email=_email(sale.customer),
            shipping_address=address,
            billing_address=address,
            payment_method=Order.PaymentMethod.CASH_ON_DELIVERY,
            idempotency_key=_key(sale),
            request_hash=_digest(sale),
        )

    def lines(self, sale: Invoice) -> list[Line]:
        """The sale's lines at the prices of the invoice, a SKU as often as it stands there."""
        return [
            Line(
                variant_id=self.variants[line.sku.lower()].pk,
                sku=self.variants[line.sku.lower()].sku,
                name=self.variants[line.sku.lower()].full_name,
                quantity=line.quantity,
                unit_price=line.unit_price,
            )
            for line in sale.lines
        ]


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """Which sales an earlier run placed, and which it placed with another content."""

    orders: dict[str, int]  # number of the invoice -> id of the order
    differing: dict[str, str]  # number of the invoice -> what is wrong


@contextmanager
def only_replay(*, waiting: Callable[[], None]) -> Iterator[None]:
    """Runs while no other replay does in this database; calls `waiting` if it has to wait.

    Orders are safe without it, by their keys. It keeps two runs from bringing the goods for
    the same order twice, and one from finding fault with what the other has half done.
    """
    with alone(_LOCK, waiting=waiting):
        yield


def find_earlier(sales: Sequence[Invoice]) -> Earlier:
    """What earlier runs have placed of these sales."""
    orders = _replayed_orders().filter(idempotency_key__in=[_key(sale) for sale in sales])
    found = {
        key: (order_id, digest)
        for key, order_id, digest in orders.values_list("idempotency_key", "pk", "request_hash")
    }
    earlier = Earlier(orders={}, differing={})
    for sale in sales:
        order_id, digest = found.get(_key(sale), (None, None))
        if digest == _digest(sale) and order_id is not None:
            earlier.orders[sale.number] = order_id
        elif order_id is not None:
            earlier.differing[sale.number] = "was replayed before with another content"
    return earlier


@transaction.atomic
def prepare(sales: Sequence[Invoice], *, to_place: Sequence[Invoice], now: datetime) -> Stage:
    """Make what the sales need and receive exactly the goods of those still `to_place`."""
    stage = Stage(
        customers=_customers({sale.customer for sale in sales}), variants=_variants(sales)
    )
    units: Counter[int] = Counter()
    for sale in to_place:
        for line in sale.lines:
            units[stage.variants[line.sku.lower()].pk] += line.quantity
    _receive(units, now=now)
    return stage


def _replayed_orders() -> QuerySet[Order]:
    return Order.objects.filter(
        idempotency_key__startswith=_KEY, customer__user__email__endswith=_DOMAIN
    )


def _customers(names: Iterable[str | None]) -> dict[str | None, Customer]:
    """One customer for each name, as a user without a password: nobody can log in as one.

    A user and not a guest, because a guest is found by the hash of a secret, which a second
    run could only know if the secret were none.
    """
    emails = {name: _email(name) for name in names}
    User.objects.bulk_create(
        [User(email=email, password=make_password(None)) for email in set(emails.values())],
        ignore_conflicts=True,
    )
    users = User.objects.filter(email__in=emails.values())
    Customer.objects.bulk_create([Customer(user=user) for user in users], ignore_conflicts=True)
    found = {
        customer.user.email: customer
        for customer in Customer.objects.filter(user__in=users).select_related("user")
        if customer.user is not None
    }
    return {name: found[email] for name, email in emails.items()}


def _variants(sales: Iterable[Invoice]) -> dict[str, Variant]:
    """The variant of every SKU in the sales; a new SKU gets a product of its own.

    It is not published: a replay tries the shop out and does not fill its shelves.
    """
    first: dict[str, InvoiceLine] = {}
    for sale in sales:
        for line in sale.lines:
            first.setdefault(line.sku.lower(), line)
    missing = [first[sku] for sku in first.keys() - _variants_of(first)]
    if missing:
        category, _ = Category.objects.get_or_create(
            slug="replay", defaults={"name": "Replayed orders"}
        )
        slugs = {line.sku: _slug(line.sku) for line in missing}
        Product.objects.bulk_create(
            [
                Product(name=sku, slug=slug, category=category, is_published=False)
                for sku, slug in slugs.items()
            ],
            ignore_conflicts=True,
        )
        products = {
            product.slug: product for product in Product.objects.filter(slug__in=slugs.values())
        }
        Variant.objects.bulk_create(
            [
                Variant(product=products[slugs[line.sku]], sku=line.sku, price=line.unit_price)
                for line in missing
            ],
            ignore_conflicts=True,
        )
    return _variants_of(first)


def _variants_of(skus: Iterable[str]) -> dict[str, Variant]:
    variants = Variant.objects.alias(lower_sku=Lower("sku")).filter(lower_sku__in=list(skus))
    return {variant.sku.lower(): variant for variant in variants.select_related("product")}


def _receive(units: Counter[int], *, now: datetime) -> None:
    """Book one receipt a variant, so that receipts of replays cover all replayed orders.

    What an interrupted run received and did not sell is counted, and not received again.
    """
    receipts = StockMovement.objects.filter(
        kind=StockMovement.Kind.RECEIPT, reference__startswith=RECEIPT
    )
    ours = receipts.filter(variant_id__in=list(units)).values_list("variant_id")
    received = dict(ours.annotate(units=Sum("quantity")))
    items = OrderItem.objects.filter(order__in=_replayed_orders(), variant_id__in=list(units))
    ordered = dict(items.values_list("variant_id").annotate(units=Sum("quantity")))
    missing = {
        variant_id: wanted + ordered.get(variant_id, 0) - received.get(variant_id, 0)
        for variant_id, wanted in units.items()
    }
    if max(missing.values(), default=0) > MAX_UNITS:
        raise Unreadable(f"The file sells more than {MAX_UNITS} units of one SKU.")
    number = receipts.values("reference").distinct().count() + 1
    inventory.receive(
        {variant_id: wanted for variant_id, wanted in missing.items() if wanted > 0},
        reference=f"{RECEIPT}{number}",
        now=now,
    )


def _email(customer: str | None) -> str:
    name = "anonymous" if customer is None else f"customer-{customer}"
    return f"{name.lower()}{_DOMAIN}"


def _key(sale: Invoice) -> str:
    return f"{_KEY}{sale.number}"


def _digest(sale: Invoice) -> str:
    """What tells two sales with one number apart."""
    lines = [[line.sku, line.quantity, str(line.unit_price)] for line in sale.lines]
    content = json.dumps([sale.customer, sale.country, lines])
    return hashlib.sha256(content.encode()).hexdigest()


def _slug(sku: str) -> str:
    # "10 A" and "10-A" are two SKUs and would be one slug.
    digest = hashlib.sha256(sku.lower().encode()).hexdigest()[:10]
    return f"replay-{slugify(sku)}-{digest}"


def _address(sale: Invoice) -> Address:
    """An invented address in the invoice's country, which no customer's book keeps."""
    return Address(
        full_name="Anonymous" if sale.customer is None else f"Customer {sale.customer}",
        address_line1="1 Replay Street",
        city="Replay",
        postal_code="00000",
        country=sale.country,
    )
