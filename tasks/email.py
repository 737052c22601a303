"""E-mail, on a queue of its own: a slow mail server must not delay orders."""

from celery import shared_task
from django.utils import timezone

from apps.orders import emails


# With full jitter a retry waits two minutes on average, so 720 of them last a day: a mail
# server's bad night. The longest wait, 240 s, is below the visibility timeout of Redis.
@shared_task(max_retries=720, retry_backoff_max=240)
def send_order_confirmation(*, order_id: int) -> str:
    return emails.send_confirmation(order_id, now=timezone.now())
