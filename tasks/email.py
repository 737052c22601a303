"""E-mail, on a queue of its own: a slow mail server must not delay orders."""

from celery import shared_task
from django.utils import timezone

from apps.orders import emails


# Ninety retries last about 45 minutes on average: a mail server's bad hour, not its bad day.
@shared_task(max_retries=90)
def send_order_confirmation(*, order_id: int) -> str:
    return emails.send_confirmation(order_id, now=timezone.now())
