"""Tasks of a worker that a test starts: they set a price, and look at one that may be late."""

from typing import Any

from celery import current_task, shared_task
from django.db import OperationalError, connections

from apps.catalog.models import Variant
from tasks.base import ShopTask


class ReadingTask(ShopTask):
    abstract = True
    reads_replica = True


@shared_task(name="price.set")
def set_price(*, order_id: int, price: int) -> None:
    Variant.objects.filter(pk=order_id).update(price=price)


@shared_task(base=ReadingTask, name="price.look", ignore_result=False)
def look(*, order_id: int) -> list[Any]:
    return _seen(order_id)


@shared_task(base=ReadingTask, name="price.look_unluckily", ignore_result=False)
def look_unluckily(*, order_id: int) -> list[Any]:
    """Its second query is one that the standby has not the columns for."""
    database = str(Variant.objects.get(pk=order_id)._state.db)
    if database != "default":
        with connections[database].cursor() as cursor:
            cursor.execute("SELECT newer FROM catalog_variant")
    return _seen(order_id)


@shared_task(base=ReadingTask, name="price.raise", ignore_result=False)
def raise_price(*, order_id: int, price: int) -> list[Any]:
    """Writes, fails, and looks when it is retried."""
    if not current_task.request.retries:
        Variant.objects.filter(pk=order_id).update(price=price)
        raise OperationalError
    return _seen(order_id)


def _seen(pk: int) -> list[Any]:
    variant = Variant.objects.get(pk=pk)
    return [int(variant.price), variant._state.db]
