"""Dead letters in the admin: found, read, replayed, discarded, by those who may."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from apps.orders.models import Order
from shop.outbox.models import OutboxMessage
from tasks.models import DeadLetter
from tests.admin.rows import fill_shop
from tests.builders import NOON, make_staff, make_user

pytestmark = pytest.mark.django_db
LIST = "admin:tasks_deadletter_changelist"


@pytest.fixture
def sue(client: Client) -> Client:
    client.force_login(make_staff())
    return client


@pytest.fixture
def letters() -> list[DeadLetter]:
    """Two open ones of two orders."""
    fill_shop(range(2))
    OutboxMessage.objects.all().delete()
    return list(DeadLetter.objects.order_by("pk"))


def listed(sue: Client, **query: Any) -> list[Any]:
    return list(sue.get(reverse(LIST), query).context["cl"].result_list)


def order_of(letter: DeadLetter) -> Order:
    assert letter.order_id is not None
    return Order.objects.get(pk=letter.order_id)


def page_of(letter: DeadLetter) -> str:
    return reverse("admin:tasks_deadletter_change", args=[letter.pk])


def press(sue: Client, button: str, letter: DeadLetter, **answers: str) -> Any:
    url = reverse(f"admin:tasks_deadletter_{button}", args=[letter.pk])
    return sue.post(url, {"_form_submitted": "True", **answers})


def act(sue: Client, action: str, letters: list[DeadLetter], **answers: str) -> Any:
    chosen = {"action": action, "_selected_action": [letter.pk for letter in letters]}
    return sue.post(reverse(LIST), {**chosen, **answers}, follow=True)


def test_finds_letters_by_order_task_and_reason(sue: Client, letters: list[DeadLetter]) -> None:
    first, second = letters
    number = order_of(first).number
    DeadLetter.objects.filter(pk=second.pk).update(reason="Order.DoesNotExist: gone")
    assert listed(sue, q=number) == [first]
    assert listed(sue, q=first.order_id) == [first]
    assert listed(sue, q=second.task_id) == [second]
    assert listed(sue, q="doesnotexist") == [second]
    assert listed(sue, q="ship") == [second, first]
    assert listed(sue, q="99999999999999999999999") == []


def test_shows_open_letters_unless_others_are_asked_for(
    sue: Client, letters: list[DeadLetter]
) -> None:
    first, second = letters
    DeadLetter.objects.filter(pk=first.pk).update(status="discarded")
    assert listed(sue) == listed(sue, status__exact="open") == [second]
    assert listed(sue, status__exact="discarded") == [first]
    assert listed(sue, status__exact="all") == [second, first]
    assert listed(sue, status__exact="all", order_id=first.order_id) == [first]
    assert listed(sue, status__exact="replayed") == []


def test_links_to_the_order_by_its_number(sue: Client, letters: list[DeadLetter]) -> None:
    (first, second) = letters
    order = order_of(first)
    DeadLetter.objects.filter(pk=second.pk).update(order_id=987_654_321)
    page = sue.get(reverse(LIST)).content.decode()
    url = reverse("admin:orders_order_change", args=[order.pk])
    assert f'href="{url}">{order.number}</a>' in page
    assert "987654321 (there is none)" in page


def test_tells_all_about_a_letter(sue: Client, letters: list[DeadLetter]) -> None:
    (letter, _) = letters
    chain = [{"task": "tasks.order_pipeline.confirm", "task_id": "id-2", "args": []}]
    DeadLetter.objects.filter(pk=letter.pk).update(
        chain=[{**chain[0], "kwargs": {}}],
        error="Traceback:\n  <ValueError>",
        message={"headers": {"x-death": [{"reason": "rejected"}]}, "body": "[[], {}, {}]"},
        replays=2,
        times=3,
        replayed_at=NOON,
    )
    page = sue.get(page_of(letter)).content.decode()
    for text in ("tasks.order_pipeline.confirm\nid-2", "&lt;ValueError&gt;", "x-death"):
        assert text in page
    assert "Replayed 2 times" in page
    assert "It gave up again" in page


def test_replays_a_letter_once_however_often_it_is_pressed(
    sue: Client, letters: list[DeadLetter]
) -> None:
    (letter, _) = letters
    assert press(sue, "replay_this", letter)["HX-Redirect"] == page_of(letter)
    press(sue, "replay_this", letter)
    message = OutboxMessage.objects.get()
    assert message.payload["task_id"] == letter.task_id
    letter.refresh_from_db()
    assert (letter.status, letter.replays) == ("replayed", 1)
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message) == (str(letter.pk), "Replayed.")
    assert "replay_this" not in sue.get(page_of(letter)).content.decode()


def test_replays_many_and_says_which_it_refused_and_why(
    sue: Client, letters: list[DeadLetter]
) -> None:
    good, gone = letters
    DeadLetter.objects.filter(pk=gone.pk).update(task="tasks.gone")
    (message,) = act(sue, "replay", letters).context["messages"]
    assert str(message).startswith("Dead letters started again: 1. Refused: 1. tasks.gone (")
    assert str(message).endswith("This version of the shop has no task tasks.gone.")
    assert OutboxMessage.objects.get().payload["task_id"] == good.task_id


def test_says_on_the_page_why_a_letter_cannot_be_replayed(
    sue: Client, letters: list[DeadLetter]
) -> None:
    (letter, _) = letters
    DeadLetter.objects.filter(pk=letter.pk).update(chain=["tasks.order_pipeline.confirm"])
    page = sue.get(page_of(letter)).content.decode()
    assert "An older version kept it" in page
    assert "replay_this" not in page
    assert "discard_this" in page
    press(sue, "replay_this", letter)
    assert not OutboxMessage.objects.exists()


def test_discards_a_letter_with_a_reason(sue: Client, letters: list[DeadLetter]) -> None:
    (letter, other) = letters
    for nothing in ({}, {"reason": "  "}):
        assert "HX-Redirect" not in press(sue, "discard_this", letter, **nothing)
    assert DeadLetter.objects.open().count() == 2
    press(sue, "discard_this", letter, reason="done by hand")
    letter.refresh_from_db()
    assert (letter.status, letter.resolution) == ("discarded", "done by hand")
    assert letter.resolved_at is not None
    entry = LogEntry.objects.get()
    assert (entry.change_message, str(entry.user)) == (
        "Discarded: done by hand",
        "sue@example.com",
    )
    assert list(DeadLetter.objects.open()) == [other]
    assert "done by hand" in sue.get(page_of(letter)).content.decode()


def test_discards_many_after_asking_for_the_reason(
    sue: Client, letters: list[DeadLetter]
) -> None:
    asked = act(sue, "discard", letters)
    assert "2 dead letters will be closed" in asked.content.decode()
    assert "This field is required." in act(sue, "discard", letters, reason="").content.decode()
    assert DeadLetter.objects.open().count() == 2
    act(sue, "discard", letters, reason="all by hand")
    assert set(DeadLetter.objects.values_list("status", "resolution")) == {
        ("discarded", "all by hand")
    }
    assert LogEntry.objects.count() == 2


def test_discards_a_replayed_letter_and_no_settled_one(
    sue: Client, letters: list[DeadLetter]
) -> None:
    replayed, settled = letters
    DeadLetter.objects.filter(pk=replayed.pk).update(status="replayed", replayed_at=NOON)
    DeadLetter.objects.filter(pk=settled.pk).update(status="succeeded", resolved_at=NOON)
    for letter in letters:
        press(sue, "discard_this", letter, reason="never heard of again")
    assert set(DeadLetter.objects.values_list("pk", "status")) == {
        (replayed.pk, "discarded"),
        (settled.pk, "succeeded"),
    }
    assert LogEntry.objects.count() == 1


def test_who_may_only_look_can_do_nothing(client: Client, letters: list[DeadLetter]) -> None:
    (letter, _) = letters
    eve = make_user("eve@example.com", is_staff=True)
    eve.user_permissions.add(Permission.objects.get(codename="view_deadletter"))
    client.force_login(eve)
    page = client.get(page_of(letter)).content.decode()
    assert letter.reason in page
    assert "replay_this" not in page
    assert "discard_this" not in page
    for button in ("replay_this", "discard_this"):
        assert press(client, button, letter, reason="because").status_code == 403
    for action in ("replay", "discard"):
        act(client, action, letters, reason="because")
    assert DeadLetter.objects.open().count() == 2
    assert not OutboxMessage.objects.exists()
