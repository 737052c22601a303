"""Some rows of everything that the admin lists."""

from collections.abc import Iterable
from datetime import timedelta

from django.contrib.auth.models import Group
from django_celery_results.models import TaskResult

from apps.catalog.models import Brand, Category, Product
from apps.catalog.search.models import Boost, EmptySearch, Renaming, SearchIndex, Synonym
from apps.orders import fulfilment
from apps.orders.checkout import place_order
from shop.outbox.models import OutboxMessage
from tasks.models import DeadLetter, Heartbeat
from tests.builders import (
    NOON,
    fill_cart,
    make_address,
    make_customer,
    make_line,
    make_purchase,
    make_variant,
)


def fill_shop(numbers: Iterable[int]) -> None:
    """A row, or more, in every list of the admin for each number."""
    for n in numbers:
        _fill(n)


def _fill(n: int) -> None:
    below = Category.objects.order_by("pk").last()
    shelf = Category.objects.create(name=f"Shelf {n}", slug=f"shelf-{n}", parent=below)
    brand = Brand.objects.create(name=f"Brand {n}", slug=f"brand-{n}")
    product = Product.objects.create(
        name=f"Product {n}", slug=f"product-{n}", category=shelf, brand=brand
    )
    small = make_variant(f"SMALL-{n}", on_hand=9, product=product)
    large = make_variant(f"LARGE-{n}", on_hand=9, product=product)
    ada = make_customer(f"ada{n}")
    make_address(ada)
    fill_cart(ada, {small: 1, large: 2})
    order = place_order(
        make_purchase(ada), lines=[make_line(small), make_line(large)], now=NOON
    )
    fulfilment.update_inventory(order.pk, now=NOON)
    fulfilment.confirm(order.pk, now=NOON)
    OutboxMessage.objects.filter(payload__order_id=order.pk).update(sent_at=NOON)
    DeadLetter.objects.record(
        task_id=f"task-{n}",
        task="tasks.order_pipeline.ship",
        queue="order.process",
        order_id=order.pk,
        reason="WrongStatus",
        now=NOON + timedelta(minutes=n),
    )
    TaskResult.objects.create(
        task_id=f"task-{n}", task_name="tasks.order_pipeline.ship", status="FAILURE"
    )
    Heartbeat.objects.create(name=f"part-{n}", at=NOON)
    Group.objects.create(name=f"Packers {n}")
    Synonym.objects.create(terms=f"mug {n}, beaker {n}")
    Boost.objects.create(query=f"mug {n}", product=product)
    EmptySearch.objects.create(query=f"tea cosy {n}")
    SearchIndex.objects.create(name=f"products-{n}", state="dropped", started_at=NOON)
    Renaming.objects.create(category_id=n)
