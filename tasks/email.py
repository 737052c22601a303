"""E-mail, on a queue of its own: a slow mail server must not delay orders."""

from celery import shared_task
from django.utils import timezone

from apps.orders import emails


# Ten retries wait about five minutes in all, longer than a mail server's restart.
@shared_task(max_retries=10)
def send_order_confirmation(*, order_id: int) -> str:
    return emails.send_confirmation(order_id, now=timezone.now())
