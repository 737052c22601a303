import pytest
from apps.orders.checkout import check_out
from apps.orders import fulfilment
from apps.catalog.models import StockItem
from tests.builders import *

pytestmark = pytest.mark.django_db


def test_a_cart_becomes_a_confirmed_order():
    ada = make_customer()
    mug = make_variant(on_hand=5)
    fill_cart(ada, {mug: 2})
    order, new = check_out(make_purchase(ada), now=NOON)
    assert new and order.total == Decimal("19.00")
    s = StockItem.objects.get()
    assert (s.on_hand, s.reserved) == (5, 2)
    fulfilment.update_inventory(order.pk, now=NOON)
    fulfilment.update_inventory(order.pk, now=NOON)
    assert fulfilment.confirm(order.pk, now=NOON) == "confirmed"
    s.refresh_from_db()
    assert (s.on_hand, s.reserved) == (3, 0)
    fulfilment.cancel(order.pk, now=NOON)
    fulfilment.cancel(order.pk, now=NOON)
    s.refresh_from_db()
    assert (s.on_hand, s.reserved) == (5, 0)
