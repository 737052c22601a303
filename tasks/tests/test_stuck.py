"""What is stuck: each question counts what it asks about, and nothing else."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from apps.catalog.search.models import DirtyProduct, Renaming, SearchIndex
from apps.orders.checkout import place_order
from apps.orders.models import Order
from shop.mail.models import Content, OutgoingEmail
from shop.outbox.models import OutboxMessage
from tasks.answers import Answer
from tasks.models import DeadLetter, Heartbeat
from tasks.stuck import QUESTIONS, ask
from tests.builders import (
    NOON,
    make_customer,
    make_line,
    make_purchase,
    make_staff,
    make_variant,
)
from tests.statements import counted

pytestmark = pytest.mark.django_db
Maker = Callable[[str, timedelta], Any]


@pytest.fixture
def names_an_engine(settings: Settings) -> None:
    settings.SEARCH_URL = "http://127.0.0.1:9"


def ago(**duration: float) -> timedelta:
    return timedelta(**duration)


def answers(*, examples: int = 0) -> dict[str, Answer]:
    found = ask(QUESTIONS, now=NOON, examples=examples)
    return {answer.code: answer for answer in found}


def stuck() -> dict[str, int]:
    """What is stuck besides the parts that were never heard."""
    numbers = {code: answer.number for code, answer in answers().items() if answer.number}
    for name in ("relay", "beat"):
        assert numbers.pop(f"{name}_silent") == 1
    numbers.pop("sweeper_silent", None)  # it is missed only where there are orders
    return numbers


def an_order(name: str, age: timedelta) -> Order:
    variant = make_variant(name.upper(), on_hand=1)
    purchase = make_purchase(make_customer(name))
    order = place_order(purchase, lines=[make_line(variant)], now=NOON - age)
    OutboxMessage.objects.all().delete()
    return order


def a_message(name: str, age: timedelta, **facts: Any) -> OutboxMessage:
    return OutboxMessage.objects.create(
        topic="t", payload={"of": name}, created_at=NOON - age, **facts
    )


def a_message_given_up(name: str, age: timedelta) -> OutboxMessage:
    return a_message(name, age, gave_up_at=NOON - age)


def a_letter(name: str, age: timedelta) -> DeadLetter:
    DeadLetter.objects.record(task_id=name, task="t", reason="r", now=NOON - age)
    return DeadLetter.objects.get(task_id=name)


def a_replayed_letter(name: str, age: timedelta) -> DeadLetter:
    letter = a_letter(name, age)
    letter.status, letter.replayed_at = DeadLetter.Status.REPLAYED, NOON - age
    letter.save()
    return letter


def an_email(name: str, age: timedelta, **facts: Any) -> OutgoingEmail:
    content = Content(subject="Your order", text="Hi", html="<p>Hi</p>")
    OutgoingEmail.objects.queue(reference=name, kind="k", to="ada@example.com", content=content)
    emails = OutgoingEmail.objects.filter(reference=name)
    emails.update(created_at=NOON - age, claimed_at=NOON - age, **facts)
    return emails.get()


def a_change(name: str, age: timedelta) -> DirtyProduct:
    product_id = DirtyProduct.objects.count() + 1
    return DirtyProduct.objects.create(
        product_id=product_id, version=len(name), dirty_since=NOON - age
    )


def a_renaming(_name: str, age: timedelta) -> Renaming:
    return Renaming.objects.create(brand_id=1, renamed_at=NOON - age)


def an_email_that_is(**facts: Any) -> Maker:
    return lambda name, age: an_email(name, age, **facts)


@pytest.mark.usefixtures("names_an_engine")
@pytest.mark.parametrize(
    ("code", "make", "too_long", "not_yet"),
    [
        ("orders_stalled", an_order, ago(minutes=6), ago(minutes=4)),
        ("outbox_late", a_message, ago(seconds=31), ago(seconds=29)),
        ("outbox_given_up", a_message_given_up, ago(hours=1), None),
        ("dead_letters_open", a_letter, ago(hours=1), None),
        ("dead_letters_unheard", a_replayed_letter, ago(minutes=21), ago(minutes=19)),
        ("emails_unknown", an_email_that_is(status="unknown"), ago(hours=1), None),
        (
            "emails_sending",
            an_email_that_is(status="sending"),
            ago(minutes=11),
            ago(minutes=9),
        ),
        ("emails_failing", an_email_that_is(attempts=3), ago(minutes=9), None),
        ("emails_waiting", an_email_that_is(), ago(minutes=16), ago(minutes=14)),
        ("products_unindexed", a_change, ago(minutes=6), ago(minutes=4)),
        ("renamings_waiting", a_renaming, ago(minutes=6), ago(minutes=4)),
        ("emails_bounced", an_email_that_is(status="bounced"), ago(days=6), ago(days=8)),
    ],
)
def test_counts_what_is_stuck_and_lists_just_that(
    client: Client, code: str, make: Maker, too_long: timedelta, not_yet: timedelta | None
) -> None:
    if not_yet is not None:
        make("fine", not_yet)
        assert stuck() == {}
    row = make("ill", too_long)
    assert stuck() == {code: 1}
    answer = answers(examples=3)[code]
    assert answer.oldest == NOON - too_long
    assert [each.text for each in answer.examples] == [str(row)]
    client.force_login(make_staff())
    assert client.get(answer.examples[0].url).context["original"] == row
    if code != "orders_stalled":  # that list reads the clock itself: tests/admin
        assert list(client.get(answer.url).context["cl"].result_list) == [row]


def test_counts_nothing_that_came_to_an_end() -> None:
    Order.objects.filter(pk=an_order("ada", ago(days=1)).pk).update(status="confirmed")
    a_message("sent", ago(hours=1), sent_at=NOON)
    for status in ("succeeded", "discarded"):
        a_letter(status, ago(hours=1))
        DeadLetter.objects.filter(task_id=status).update(status=status)
    for status in ("sent", "withdrawn"):
        an_email(status, ago(hours=1), status=status, attempts=5)
    an_email("queued", ago(minutes=14), attempts=2)
    assert stuck() == {}


def test_forgets_a_message_of_which_a_person_gave_up_too() -> None:
    message = a_message_given_up("of ada", ago(hours=1))
    a_letter(str(message.uuid), ago(hours=1))
    DeadLetter.objects.update(status="discarded")
    assert stuck() == {}


def test_shows_the_oldest_first_and_no_more_than_asked_for() -> None:
    for minutes in (2, 4, 3):
        a_message(f"{minutes}", ago(minutes=minutes))
    answer = answers(examples=2)["outbox_late"]
    assert (answer.number, answer.oldest) == (3, NOON - ago(minutes=4))
    assert [each.text for each in answer.examples] == ["t {'of': '4'}", "t {'of': '3'}"]
    assert answers()["outbox_late"].examples == []


def heard(name: str, at: datetime, **facts: Any) -> None:
    Heartbeat.objects.update_or_create(name=name, defaults={"at": at, "facts": facts})


@pytest.mark.parametrize(("name", "seconds"), [("relay", 60), ("beat", 120), ("sweeper", 300)])
def test_knows_who_is_silent(name: str, seconds: int) -> None:
    an_order("of ada", ago(hours=1))
    answer = answers(examples=1)[f"{name}_silent"]
    assert (answer.number, answer.oldest) == (1, None)
    assert answer.examples[0].text == "was never heard"
    heard(name, NOON - ago(seconds=seconds - 1))
    assert answers()[f"{name}_silent"].number == 0
    heard(name, NOON - ago(seconds=seconds + 1))
    answer = answers()[f"{name}_silent"]
    assert (answer.number, answer.oldest) == (1, NOON - ago(seconds=seconds + 1))


def test_tells_of_a_relay_that_is_alive_and_has_no_broker() -> None:
    heard("relay", NOON, connected=True)
    assert answers()["relay_silent"].number == 0
    heard("relay", NOON, connected=False, error="OperationalError")
    answer = answers(examples=1)["relay_silent"]
    assert answer.examples[0].text == "without its broker: OperationalError"


def see_left(seconds: int, *, at: datetime = NOON) -> None:
    """The last look at two queues, one of them left alone for so long."""
    left = {"messages": 3, "consumers": 0}
    left["left_since"] = (NOON - ago(seconds=seconds)).isoformat()  # type: ignore[assignment]
    fine = {"messages": 9, "consumers": 1, "left_since": None}
    heard("queues", at, **{"order.process": left, "email.send_order_confirmation": fine})


def test_names_the_queues_that_nobody_empties_for_a_minute() -> None:
    see_left(59)
    assert stuck() == {}
    see_left(61)
    answer = answers(examples=3)["queues_left"]
    assert (answer.number, answer.oldest) == (1, NOON - ago(seconds=61))
    [example] = answer.examples
    assert example.text == "order.process, 3 waiting"


def test_says_nothing_of_queues_that_it_did_not_see_lately() -> None:
    see_left(3600, at=NOON - ago(seconds=121))
    assert stuck() == {}


def test_repeats_what_the_last_audit_found() -> None:
    heard("audit", NOON, violations=0, codes=[], took_ms=5)
    assert stuck() == {}
    heard("audit", NOON, violations=7, codes=["I1", "I4"], took_ms=5)
    assert stuck() == {"audit_violated": 2}
    texts = [each.text for each in answers(examples=3)["audit_violated"].examples]
    assert texts == ["I1 is violated", "I4 is violated"]


@pytest.mark.usefixtures("names_an_engine")
def test_costs_the_same_however_much_is_stuck() -> None:
    costs = []
    for n in range(2):
        for row in range(1 + 20 * n):
            a_message(f"{n}-{row}", ago(hours=1))
            a_letter(f"{n}-{row}", ago(hours=1))
            an_email(f"{n}-{row}", ago(hours=1), status="unknown")
        with counted() as statements:
            answers(examples=5)
        costs.append(len(statements))
    assert (
        costs[0] == costs[1] == 35
    )  # two for each of twelve, one for each heartbeat, two for orders, one for indexes
    with counted() as statements:
        answers()
    assert len(statements) == 23


def test_a_new_shop_has_nothing_to_sweep() -> None:
    an_order("of ada", ago(seconds=299))
    assert answers()["sweeper_silent"].number == 0
    an_order("of grace", ago(seconds=301))
    assert answers()["sweeper_silent"].number == 1


def test_misses_the_audit_of_a_shop_that_has_orders_of_the_day_before_yesterday() -> None:
    line = make_line(make_variant(on_hand=1))
    placed_at = NOON - ago(hours=26)
    place_order(make_purchase(make_customer()), lines=[line], now=placed_at)
    OutboxMessage.objects.all().delete()
    Order.objects.update(placed_at=placed_at, announced_at=NOON)
    assert answers()["audit_silent"].number == 0
    Order.objects.update(placed_at=placed_at - ago(seconds=1))
    assert answers()["audit_silent"].number == 1
    heard("audit", NOON - ago(hours=26), violations=0, codes=[])
    assert answers()["audit_silent"].number == 0


def an_index(state: str, live_for: timedelta) -> None:
    facts = {"state": state, "started_at": NOON - live_for, "live_at": NOON - live_for}
    SearchIndex.objects.create(name=f"products-{state}", **facts)


@pytest.mark.usefixtures("names_an_engine")
def test_misses_the_comparison_of_an_index_that_was_live_the_day_before_yesterday() -> None:
    an_index("live", ago(hours=26))
    assert answers()["search_silent"].number == 0
    SearchIndex.objects.update(live_at=NOON - ago(hours=26, seconds=1))
    assert answers()["search_silent"].number == 1
    heard("search", NOON - ago(hours=26), different=0, products=1)
    assert answers()["search_silent"].number == 0
    heard("search", NOON - ago(hours=26, seconds=1), different=0, products=1)
    assert answers()["search_silent"].number == 1


@pytest.mark.usefixtures("names_an_engine")
def test_misses_the_comparison_of_a_shop_that_makes_its_index_anew_every_day() -> None:
    an_index("live", ago(hours=1))
    assert stuck() == {}
    an_index("dropped", ago(hours=27))
    assert stuck() == {"search_silent": 1}


@pytest.mark.usefixtures("names_an_engine")
def test_misses_the_comparison_of_an_index_that_the_engine_has_lost() -> None:
    an_index("failed", ago(hours=27))
    assert stuck() == {"search_silent": 1}


def test_a_shop_without_an_engine_misses_neither_comparison_nor_index() -> None:
    an_index("live", ago(hours=27))
    a_change("of a time with an engine", ago(hours=27))
    assert stuck() == {}
