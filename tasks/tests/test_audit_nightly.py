"""The nightly audit says what it found in the log and in its heartbeat."""

from datetime import timedelta

import pytest
from django.db.models import F

from apps.orders import emails, fulfilment
from apps.orders.checkout import place_order
from apps.orders.models import Order
from shop.outbox.models import OutboxMessage
from tasks.audit.nightly import nightly_audit
from tasks.models import Heartbeat
from tests.builders import NOON, make_customer, make_line, make_purchase, make_variant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def order() -> Order:
    mug = make_variant(on_hand=1)
    order = place_order(make_purchase(make_customer()), lines=[make_line(mug)], now=NOON)
    fulfilment.confirm(order.pk, now=NOON)
    emails.send_confirmation(order.pk, now=NOON)
    OutboxMessage.objects.update(sent_at=NOON)
    return order


def test_leaves_a_heartbeat_and_no_word_when_all_holds(
    order: Order, caplog: pytest.LogCaptureFixture
) -> None:
    assert nightly_audit(now=NOON) == "9 invariants hold"
    heartbeat = Heartbeat.objects.get()
    assert (heartbeat.name, heartbeat.at) == ("audit", NOON)
    assert heartbeat.facts.pop("took_ms") > 0
    assert heartbeat.facts == {"violations": 0, "codes": []}
    assert caplog.records == []


def test_logs_one_line_for_each_violated_invariant(
    order: Order, caplog: pytest.LogCaptureFixture
) -> None:
    nightly_audit(now=NOON - timedelta(days=1))
    Order.objects.update(total=F("total") + 1, status="shipped")
    assert nightly_audit(now=NOON) == "violated: I3, I10"
    heartbeat = Heartbeat.objects.get()
    assert heartbeat.at == NOON
    assert (heartbeat.facts["violations"], heartbeat.facts["codes"]) == (2, ["I3", "I10"])
    assert caplog.messages == [
        f"audit: I3 legality is violated 1 times, first by {order.number}: from 'pending' to"
        " 'confirmed' after 'pending'; the order is shipped",
        f"audit: I10 price is violated 1 times, first by {order.number}: total 10.50 EUR;"
        " 1 lines with 9.50",
    ]
