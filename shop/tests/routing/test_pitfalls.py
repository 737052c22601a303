"""What a router of all reads gets wrong, each on a real standby whose replay is paused.

Every case runs twice: with the shop's router it gives what is true, and with the naive one,
the control, it must give something else, or it would show nothing.
"""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import ValidationError
from django.db import InternalError, connection, connections, transaction

from apps.accounts.models import User
from apps.catalog.models import Brand, Product, Variant
from deploy.embedded.standby import Standby
from shop.routing.guard import StaleInstanceWrite
from shop.routing.scope import scope
from shop.sqlstate import sqlstate
from tests.builders import make_staff, make_variant
from tests.standby import catch_up, paused

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "replica"])

Case = Callable[[], Any]


@pytest.fixture
def mug(routed: Standby) -> Iterator[Variant]:
    """A mug for 9.50 that the standby knows; nothing that follows reaches it."""
    mug = make_variant("MUG", on_hand=10)
    Brand.objects.create(name="Old", slug="old")
    catch_up(routed)
    with paused(routed):
        yield mug


def price() -> Decimal:
    return Variant.objects.get(sku="MUG").price


def own_uncommitted_write() -> bool:
    with transaction.atomic():
        Variant.objects.update(price=7)
        return price() == 7


def first_read_in_a_transaction() -> bool:
    Variant.objects.using("default").update(price=7)
    with scope(replica_ok=True), transaction.atomic():
        return price() == 7


def saving_what_was_read() -> bool:
    return price_survives_saving(Variant.objects.get(sku="MUG"))


def saving_what_was_read_in_part() -> bool:
    return price_survives_saving(Variant.objects.only("name").get(sku="MUG"))


def price_survives_saving(stale: Variant) -> bool:
    Variant.objects.using("default").update(price=7)
    stale.name = "Blue"
    with contextlib.suppress(StaleInstanceWrite):
        stale.save()
    return Variant.objects.using("default").get(sku="MUG").price == 7


def deleting_what_was_read() -> bool:
    brand = Brand.objects.get(slug="old")
    try:
        brand.delete()
    except StaleInstanceWrite:
        return True
    return False


def what_belongs_to_a_locked_row() -> bool:
    with transaction.atomic():
        brand = Brand.objects.create(name="New", slug="new")
        Product.objects.update(brand=brand)
        product = Product.objects.select_for_update().get()
    return product.brand is not None and product.brand.slug == "new"


def unique_validation() -> bool:
    Brand.objects.create(name="New", slug="new")
    try:
        Brand(name="New", slug="new").full_clean()
    except ValidationError:
        return True
    return False


def session_just_made() -> bool:
    session = SessionStore()
    session["user"] = 1
    session.save()
    with scope(replica_ok=True):
        return bool(SessionStore(session.session_key).get("user") == 1)


def user_just_banned() -> bool:
    make_staff()
    User.objects.update(is_active=False)
    with scope(replica_ok=True):
        return not User.objects.get().is_active


def getting_or_creating() -> bool:
    _, is_new = Brand.objects.get_or_create(slug="new", defaults={"name": "New"})
    _, is_again_new = Brand.objects.get_or_create(slug="new", defaults={"name": "New"})
    return is_new and not is_again_new


def counting_after_creating() -> bool:
    Brand.objects.create(name="New", slug="new")
    return Brand.objects.count() == 2


def refreshing_after_raw_sql() -> bool:
    variant = Variant.objects.get(sku="MUG")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalog_variant SET price = 50")
    variant.refresh_from_db()
    return variant.price == 50


def refreshing_after_using_the_primary() -> bool:
    variant = Variant.objects.get(sku="MUG")
    Variant.objects.using("default").update(price=50)
    variant.refresh_from_db()
    return variant.price == 50


def relating_across_databases() -> bool:
    brand = Brand.objects.using("default").create(name="New", slug="new")
    product = Product.objects.using("replica").get()
    try:
        product.brand = brand
    except ValueError:
        return False
    return True


def looking_again_after_locking() -> bool:
    with closing(connection.copy()) as other, other.cursor() as cursor:  # somebody else
        cursor.execute("UPDATE catalog_variant SET price = 7")
    with transaction.atomic():
        locked = Variant.objects.select_for_update().get(sku="MUG")
    return locked.price == price() == 7


# Two of the fourteen go right with either router: they are below, without a control.
CASES = [
    own_uncommitted_write,
    first_read_in_a_transaction,
    saving_what_was_read,
    saving_what_was_read_in_part,
    deleting_what_was_read,
    what_belongs_to_a_locked_row,
    session_just_made,
    user_just_banned,
    counting_after_creating,
    refreshing_after_raw_sql,
    refreshing_after_using_the_primary,
    relating_across_databases,
    looking_again_after_locking,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_the_truth_is_read_in_a_request_that_may_use_the_standby(
    mug: Variant, case: Case
) -> None:
    with scope(replica_ok=True):
        assert case()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_the_naive_router_is_caught(mug: Variant, case: Case, settings: Any) -> None:
    settings.DATABASE_ROUTERS = ["shop.tests.routing.naive.NaiveRouter"]
    settings.REPLICAS = []  # nor does it have a guard
    try:
        with scope(replica_ok=True):
            assert not case()
    except (Brand.DoesNotExist, User.DoesNotExist):
        pass  # not there yet is wrong, too


def locks_there() -> None:
    with transaction.atomic(using="replica"):
        Variant.objects.using("replica").select_for_update().get()


def updates_there() -> None:
    Variant.objects.using("replica").update(price=7)


def updates_there_by_sql() -> None:
    with connections["replica"].cursor() as cursor:
        cursor.execute("UPDATE catalog_variant SET price = 7")


# Such code names the standby itself, past any router: there its role is the protection.
@pytest.mark.parametrize(
    "router", ["shop.routing.router.Replica", "shop.tests.routing.naive.Naive"]
)
@pytest.mark.parametrize("writes", [locks_there, updates_there, updates_there_by_sql])
def test_a_write_on_the_standby_is_refused_loudly(
    mug: Variant, writes: Callable[[], None], router: str, settings: Any
) -> None:
    settings.DATABASE_ROUTERS = [f"{router}Router"]
    with scope(replica_ok=True), pytest.raises(InternalError) as refusal:
        writes()
    assert sqlstate(refusal.value) == "25006"
    assert Variant.objects.using("default").get().price == mug.price


def test_saving_on_the_standby_is_refused_by_the_guard_and_without_it_by_the_role(
    mug: Variant, settings: Any
) -> None:
    with pytest.raises(StaleInstanceWrite):
        mug.save(using="replica")
    settings.REPLICAS = []
    settings.DATABASE_ROUTERS = ["shop.tests.routing.naive.NaiveRouter"]
    with pytest.raises(InternalError) as refusal:
        mug.save(using="replica")
    assert sqlstate(refusal.value) == "25006"


@pytest.mark.parametrize("case", [getting_or_creating, unique_validation])
def test_what_django_itself_asks_the_primary_stays_so(mug: Variant, case: Case) -> None:
    with scope(replica_ok=True):
        assert case()
