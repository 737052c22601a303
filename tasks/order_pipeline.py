"""The order's tasks, all on `order.process`: each one calls the function that others call."""

from celery import shared_task
from django.utils import timezone

from apps.orders import fulfilment


@shared_task
def update_inventory(*, order_id: int) -> str:
    return fulfilment.update_inventory(order_id, now=timezone.now())


@shared_task
def confirm(*, order_id: int) -> str:
    return fulfilment.confirm(order_id, now=timezone.now())


# What a person asked for is rare enough to keep its result for the admin.
@shared_task(ignore_result=False)
def start_processing(*, order_id: int) -> str:
    return fulfilment.start_processing(order_id, now=timezone.now())


@shared_task(ignore_result=False)
def ship(*, order_id: int) -> str:
    return fulfilment.ship(order_id, now=timezone.now())


@shared_task(ignore_result=False)
def deliver(*, order_id: int) -> str:
    return fulfilment.deliver(order_id, now=timezone.now())


@shared_task(ignore_result=False)
def cancel(*, order_id: int) -> str:
    return fulfilment.cancel(order_id, now=timezone.now())
