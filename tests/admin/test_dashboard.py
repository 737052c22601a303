"""The admin's first page: each number is the length of the list that it links to."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.catalog.models import Product
from apps.orders import fulfilment
from apps.orders.checkout import place_order
from shop.mail.models import OutgoingEmail
from shop.outbox.models import OutboxMessage
from tasks.answers import Answer
from tasks.models import DeadLetter, Heartbeat
from tests.builders import (
    make_customer,
    make_line,
    make_purchase,
    make_staff,
    make_user,
    make_variant,
)

pytestmark = pytest.mark.django_db


def cards_of(client: Client) -> dict[str, Any]:
    context = client.get(reverse("admin:index")).context
    return {card.title: card for card in [*context["look"], *context["today"]]}


def beat() -> None:
    """Relay and beat were heard just now."""
    for name in ("relay", "beat", "sweeper"):
        Heartbeat.objects.create(name=name, at=timezone.now())


def make_troubled_shop() -> None:
    """1 order of yesterday and 1 of an hour ago pending, 4 new ones confirmed, and so on."""
    now = timezone.now()
    mug = make_variant("MUG", on_hand=6)
    make_variant("EMPTY")
    hidden = make_variant("HIDDEN").product
    Product.objects.filter(pk=hidden.pk).update(is_published=False)
    ages = [timedelta(days=1), timedelta(minutes=6), *[timedelta()] * 4]
    for n, age in enumerate(ages):
        purchase = make_purchase(make_customer(f"ada{n}"))
        order = place_order(purchase, lines=[make_line(mug)], now=now - age)
        if not age:
            fulfilment.update_inventory(order.pk, now=now)
            fulfilment.confirm(order.pk, now=now)
    unknown, bounced, stuck, sending = OutgoingEmail.objects.order_by("pk")
    OutgoingEmail.objects.filter(pk=unknown.pk).update(status="unknown")
    OutgoingEmail.objects.filter(pk=bounced.pk).update(status="bounced")
    for email, minutes in ((stuck, 11), (sending, 9)):
        claimed_at = now - timedelta(minutes=minutes)
        OutgoingEmail.objects.filter(pk=email.pk).update(
            status="sending", claimed_at=claimed_at
        )
    OutboxMessage.objects.filter(payload__order_id=order.pk).update(sent_at=now)
    late, lately = OutboxMessage.objects.waiting().order_by("pk")[:2]
    for message, seconds in ((late, 31), (lately, 25)):
        created_at = now - timedelta(seconds=seconds)
        OutboxMessage.objects.filter(pk=message.pk).update(created_at=created_at)
    DeadLetter.objects.record(task_id="1", task="t", reason="r", now=now)
    DeadLetter.objects.record(task_id="2", task="t", reason="r", now=now)
    DeadLetter.objects.filter(task_id="2").update(status="succeeded")


def test_counts_what_needs_a_look(client: Client) -> None:
    make_troubled_shop()
    client.force_login(make_staff())
    numbers = {title: card.number for title, card in cards_of(client).items()}
    assert numbers["Orders pending for more than 5 minutes"] == 2
    assert numbers["Dead letters"] == 1
    assert numbers["Outbox messages waiting for more than 30 seconds"] == 1
    assert numbers["E-mails unknown"] == 1
    assert numbers["E-mails sending for more than 10 minutes"] == 1
    assert numbers["E-mails bounced in the last 7 days"] == 1
    # The mug is sold out too: six were there and six are promised.
    assert numbers["Published products sold out"] == 2
    assert numbers["confirmed"] == 4
    assert numbers["delivered"] == 0


def test_links_each_number_to_a_list_of_that_length(client: Client) -> None:
    make_troubled_shop()
    client.force_login(make_staff())
    cards = cards_of(client)
    assert len(cards) == 28
    heartbeats = reverse("admin:tasks_heartbeat_changelist")
    counting = {
        title: card for title, card in cards.items() if not card.url.startswith(heartbeats)
    }
    assert len(counting) == 20
    for title, card in counting.items():
        assert client.get(card.url).context["cl"].result_count == card.number, title


def test_raises_no_alarm_in_a_shop_without_trouble(client: Client) -> None:
    beat()
    client.force_login(make_staff())
    cards = cards_of(client).values()
    assert {card.number for card in cards} == {0}
    assert not any(card.needs_a_look for card in cards if isinstance(card, Answer))


def test_shows_only_what_the_person_may_list(client: Client) -> None:
    packer = make_user("packer@example.com", is_staff=True)
    packer.user_permissions.set(Permission.objects.filter(codename="view_product"))
    client.force_login(packer)
    assert set(cards_of(client)) == {"Published products sold out"}
