"""Small shops for tests: typed functions, no random data. Ada buys, Bob is another customer,
Sue is staff, and it is always noon."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from apps.accounts.models import Address, Customer, User
from apps.cart.models import Cart
from apps.catalog import inventory
from apps.catalog.models import Category, Product, Variant
from apps.orders.checkout import Line, Purchase
from apps.orders.models import Order

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PASSWORD = "correct horse battery staple"  # noqa: S105 every test user's
# Addresses that look like some, until they are written in lower case or sent to.
NOT_SENDABLE = [
    '"\x01"@example.com',
    "İ" * 240 + "@example.com",
    "a@" + ".".join(["İ" * 20] * 6) + ".example",
    "a" * 243 + "@example.com",
    "ı@example.com",
    "\u212a@example.com",
    "a@\ufffd.example",
    "a@" + "ü" * 60 + ".example",
]


def make_user(email: str, **fields: Any) -> User:
    return User.objects.create_user(email, PASSWORD, **fields)


def make_customer(name: str = "ada") -> Customer:
    return Customer.objects.of_user(make_user(f"{name}@example.com"))


def make_staff() -> User:
    return make_user("sue@example.com", is_staff=True, is_superuser=True)


def make_address(customer: Customer, **fields: Any) -> Address:
    values = {
        "full_name": "Ada Lovelace",
        "address_line1": "12 St James's Square",
        "city": "London",
        "postal_code": "SW1Y 4JH",
        "country": "GB",
    }
    return Address.objects.create(customer=customer, **{**values, **fields})


def make_variant(
    sku: str = "MUG", *, on_hand: int = 0, price: str = "9.50", product: Product | None = None
) -> Variant:
    if product is None:
        category, _ = Category.objects.get_or_create(slug="kitchen", name="Kitchen")
        product = Product.objects.create(name=sku.title(), slug=sku.lower(), category=category)
    variant = Variant.objects.create(product=product, sku=sku, price=Decimal(price))
    if on_hand:
        inventory.receive({variant.pk: on_hand}, reference=f"receipt-{sku}", now=NOON)
    return variant


def fill_cart(customer: Customer, quantities: dict[Variant, int]) -> Cart:
    cart, _ = Cart.objects.get_or_create(customer=customer)
    for variant, quantity in quantities.items():
        cart.items.create(variant=variant, quantity=quantity, unit_price=variant.price)
    return cart


def make_purchase(customer: Customer, **fields: Any) -> Purchase:
    address = {
        "full_name": "Ada Lovelace",
        "phone": "",
        "address_line1": "12 St James's Square",
        "address_line2": "",
        "city": "London",
        "state": "",
        "postal_code": "SW1Y 4JH",
        "country": "GB",
        "country_name": "United Kingdom",
    }
    values: dict[str, Any] = {
        "email": "ada@example.com",
        "shipping_address": address,
        "billing_address": address,
        "payment_method": Order.PaymentMethod.CASH_ON_DELIVERY,
    }
    return Purchase(customer=customer, **{**values, **fields})


def make_line(variant: Variant, quantity: int = 1, *, unit_price: str | None = None) -> Line:
    return Line(
        variant_id=variant.pk,
        sku=variant.sku,
        name=variant.full_name,
        quantity=quantity,
        unit_price=Decimal(unit_price) if unit_price else variant.price,
    )
