"""Outbox, e-mails, dead letters and task failures in the admin: found, read, and settled."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from apps.orders.models import Order
from shop.mail.models import Content, OutgoingEmail
from shop.outbox.models import OutboxMessage
from tests.admin.rows import fill_shop
from tests.builders import NOON, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def sue(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def listed(sue: Client, model: str, **query: Any) -> list[Any]:
    answer = sue.get(reverse(f"admin:{model}_changelist"), query)
    return list(answer.context["cl"].result_list)


def make_email(reference: str = "order-1", *, status: str, html: str = "<p>Hi</p>") -> Any:
    content = Content(subject="Your order", text="One\nTwo", html=html)
    OutgoingEmail.objects.queue(
        reference=reference, kind="order-confirmation", to="ada@example.com", content=content
    )
    emails = OutgoingEmail.objects.filter(reference=reference)
    emails.update(status=status, claimed_at=NOON)
    return emails.get()


def page_of(email: OutgoingEmail) -> str:
    return reverse("admin:mail_outgoingemail_change", args=[email.pk])


def mark_on_page(sue: Client, email: OutgoingEmail) -> HttpResponse:
    url = reverse("admin:mail_outgoingemail_mark_this_sent", args=[email.pk])
    return sue.post(url, {"_form_submitted": "True"})  # type: ignore[return-value]  # the test client's answer has more


def test_finds_outbox_messages_by_order_uuid_and_topic(sue: Client) -> None:
    fill_shop(range(2))
    first, second = OutboxMessage.objects.order_by("pk")
    assert listed(sue, "outbox_outboxmessage", q=first.payload["order_id"]) == [first]
    assert listed(sue, "outbox_outboxmessage", q=second.uuid) == [second]
    assert listed(sue, "outbox_outboxmessage", q="order.placed") == [second, first]
    assert listed(sue, "outbox_outboxmessage", q="order.shipped") == []


def test_filters_outbox_messages_by_what_became_of_them(sue: Client) -> None:
    fill_shop(range(3))
    waiting, sent, gave_up = OutboxMessage.objects.order_by("pk")
    OutboxMessage.objects.exclude(pk=sent.pk).update(sent_at=None)
    OutboxMessage.objects.filter(pk=gave_up.pk).update(gave_up_at=NOON)
    assert listed(sue, "outbox_outboxmessage", state="waiting") == [waiting]
    assert listed(sue, "outbox_outboxmessage", state="sent") == [sent]
    assert listed(sue, "outbox_outboxmessage", state="gave-up") == [gave_up]


def test_finds_emails_by_address_reference_and_order_number(sue: Client) -> None:
    fill_shop(range(2))
    first, second = Order.objects.order_by("pk")
    email = OutgoingEmail.objects.get(reference=first.reference)
    assert listed(sue, "mail_outgoingemail", q=first.number) == [email]
    assert email in listed(sue, "mail_outgoingemail", q=first.reference)
    OutgoingEmail.objects.filter(pk=email.pk).update(to="grace@example.com")
    assert listed(sue, "mail_outgoingemail", q="grace") == [email]
    assert len(listed(sue, "mail_outgoingemail", q="example.com")) == 2
    assert second.number


def test_shows_an_email_in_a_frame_without_rights(sue: Client) -> None:
    email = make_email(status="sent", html='<p>Hi</p><script>alert("x")</script>"')
    page = sue.get(page_of(email)).content.decode()
    assert "<iframe sandbox srcdoc=" in page
    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&quot;" in page
    assert '<script>alert("x")' not in page
    assert "One\nTwo" in page


def test_marks_an_unknown_email_as_sent(sue: Client) -> None:
    email = make_email(status="unknown")
    assert mark_on_page(sue, email)["HX-Redirect"] == page_of(email)
    email.refresh_from_db()
    assert (email.status, email.sent_at) == ("sent", NOON)
    assert LogEntry.objects.get().object_id == str(email.pk)


@pytest.mark.parametrize("status", ["queued", "sending", "sent", "bounced", "withdrawn"])
def test_marks_no_other_email(sue: Client, status: str) -> None:
    email = make_email(status=status)
    mark_on_page(sue, email)
    email.refresh_from_db()
    assert (email.status, email.sent_at) == (status, None)
    assert not LogEntry.objects.exists()
    assert "mark_this_sent" not in sue.get(page_of(email)).content.decode()


def test_marks_the_unknown_ones_of_many(sue: Client) -> None:
    unknown = make_email("order-1", status="unknown")
    queued = make_email("order-2", status="queued")
    chosen = {"action": "mark_sent", "_selected_action": [unknown.pk, queued.pk]}
    sue.post(reverse("admin:mail_outgoingemail_changelist"), chosen)
    unknown.refresh_from_db()
    queued.refresh_from_db()
    assert (unknown.status, queued.status) == ("sent", "queued")


@pytest.mark.parametrize(
    "model",
    [
        "outbox_outboxmessage",
        "mail_outgoingemail",
        "tasks_deadletter",
        "django_celery_results_taskresult",
        "catalog_stockmovement",
        "cart_cart",
        "accounts_customer",
    ],
)
def test_lets_nobody_edit_or_delete_what_the_shop_writes(sue: Client, model: str) -> None:
    fill_shop(range(1))
    [row, *_] = listed(sue, model)
    for page, form in (("change", {"status": "sent"}), ("delete", {"post": "yes"})):
        url = reverse(f"admin:{model}_{page}", args=[row.pk])
        assert sue.post(url, form).status_code == 403
    assert row in listed(sue, model)
