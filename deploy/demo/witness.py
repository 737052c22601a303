"""What the databases and the mail directory say about an order, beside the API.

Needs Django to be set up: imported after that.
"""

import os
from functools import cache
from pathlib import Path

import psycopg2
from django.conf import settings

from apps.catalog.models import StockItem
from apps.orders.models import Order
from shop.mail.models import OutgoingEmail


def stock_of(variant_id: int) -> str:
    stock = StockItem.objects.get(pk=variant_id)
    return f"{stock.on_hand} on hand, {stock.reserved} reserved"


@cache
def replica() -> psycopg2.extensions.connection:
    """A connection to the standby, kept."""
    connection = psycopg2.connect(settings.DATABASE_REPLICA_URL.split()[0])
    connection.autocommit = True
    return connection


def is_on_replica(number: str) -> bool:
    """Whether the standby already shows the order."""
    with replica().cursor() as cursor:
        cursor.execute("SELECT 1 FROM orders_order WHERE number = %s", [number])
        return cursor.fetchone() is not None


def mail_about(number: str) -> Path | None:
    """The file with the order's confirmation, once the shop counts it as sent."""
    reference = Order.objects.get(number=number).reference
    if not OutgoingEmail.objects.filter(reference=reference, status="sent").exists():
        return None
    files = sorted(Path(os.environ["EMAIL_FILE_PATH"]).glob("*.log"), reverse=True)
    return next((file for file in files if number in file.read_text(errors="replace")), None)
