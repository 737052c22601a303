"""The page of what is stuck: who sees which answers, where they lead, and at what cost."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from shop.outbox.models import OutboxMessage
from tasks.models import DeadLetter, Heartbeat
from tests.builders import make_staff, make_user
from tests.statements import counted

pytestmark = pytest.mark.django_db

PAGE = "/admin/stuck/"
WELL = "All is well: nothing is stuck."


def fill(number: int) -> None:
    hour_ago = timezone.now() - timedelta(hours=1)
    for _ in range(number):
        message = OutboxMessage.objects.create(topic="<t>", payload={}, created_at=hour_ago)
        DeadLetter.objects.record(
            task_id=str(message.uuid), task="tasks.x", reason="<b>", now=hour_ago
        )


def beat() -> None:
    for name in ("relay", "beat", "sweeper"):
        Heartbeat.objects.create(name=name, at=timezone.now())


def page_of(client: Client) -> str:
    answer = client.get(PAGE)
    assert answer.status_code == 200
    return answer.content.decode()


def test_says_that_all_is_well(client: Client) -> None:
    client.force_login(make_staff())
    beat()
    page = page_of(client)
    assert WELL in page
    assert "Relay silent" in page


def test_leads_to_the_lists_and_the_oldest_rows(client: Client) -> None:
    client.force_login(make_staff())
    beat()
    fill(6)
    page = page_of(client)
    assert WELL not in page
    first, *_, last = OutboxMessage.objects.order_by("pk")
    url = reverse("admin:outbox_outboxmessage_change", args=[first.pk])
    assert f'href="{url}">&lt;t&gt; {{}}</a>' in page
    assert reverse("admin:outbox_outboxmessage_change", args=[last.pk]) not in page
    assert "tasks.x: &lt;b&gt;" in page
    assert f'{reverse("admin:tasks_deadletter_changelist")}?status__exact=open"' in page


def test_tells_nobody_about_what_he_may_not_list(client: Client) -> None:
    fill(1)
    clerk = make_user("clerk@example.com", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_deadletter"))
    client.force_login(clerk)
    page = page_of(client)
    assert "tasks.x" in page
    assert "Outbox" not in page
    assert "Relay" not in page
    assert f'href="{PAGE}"' in page


def test_is_closed_to_who_may_list_none_of_it(client: Client) -> None:
    packer = make_user("packer@example.com", is_staff=True)
    packer.user_permissions.set(Permission.objects.filter(codename="view_product"))
    client.force_login(packer)
    assert client.get(PAGE).status_code == 403
    assert f'href="{PAGE}"' not in client.get(reverse("admin:index")).content.decode()
    client.force_login(make_user("bob@example.com"))
    assert client.get(PAGE)["Location"] == f"{reverse('admin:login')}?next={PAGE}"


def test_costs_the_same_however_much_is_stuck(client: Client) -> None:
    client.force_login(make_staff())
    costs = []
    for number in (1, 20):
        fill(number)
        with counted() as statements:
            page_of(client)
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 37
