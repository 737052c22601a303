"""One trial: what a row does to the shop, and what must be true afterwards."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps.catalog import inventory
from apps.catalog.models import Category, Product, Variant
from apps.orders.models import Order
from chaos.clients import Answer, Crowd, Shopper, Wish
from chaos.faults import plan
from chaos.verdict import Verdict, is_settled, judge
from chaos.world import World
from deploy.embedded.process import wait_until
from shop.mail.models import OutgoingEmail
from shop.percentiles import percentile
from tasks.models import DeadLetter
from tasks.sweeper import sweep

CLIENTS = 8
# Seconds after the last fault ended: what failed meanwhile is tried again up to a minute later,
# and an order may have two such steps.
SETTLED_WITHIN = 120


class Trial:
    """What a row works with: the world, a seeded chance, and a place for what it found."""

    def __init__(self, world: World, *, orders: int, seed: int) -> None:
        self.world, self.orders = world, orders
        self.random = random.Random(seed)  # noqa: S311 no secret
        self.seed = seed
        self.wishes: list[Wish] = []
        self.calls: list[Answer] = []  # every one of every shopper
        self.verdict = Verdict()
        self._fault_ended_at = time.monotonic()

    # What a row does

    def stock(self, units: int, *, products: int = 5) -> list[int]:
        """Products with one variant and so many units each; returns their ids."""
        now = timezone.now()
        category, _ = Category.objects.get_or_create(slug="trial", name="Trial")
        ids = []
        for _ in range(products):
            number = Product.objects.count() + 1
            product = Product.objects.create(
                name=f"Product {number}", slug=f"p-{number}", category=category
            )
            variant = Variant.objects.create(product=product, sku=f"P-{number}", price="9.50")
            inventory.receive({variant.pk: units}, reference=f"receipt-{number}", now=now)
            ids.append(product.pk)
        return ids

    def make_wishes(self, number: int | None = None, *, products: Sequence[int]) -> list[Wish]:
        """So many baskets of one to three products, a unit of each."""
        return [
            Wish(
                items=dict.fromkeys(
                    self.random.sample(list(products), self._lines(products)), 1
                )
            )
            for _ in range(self.orders if number is None else number)
        ]

    def _lines(self, products: Sequence[int]) -> int:
        return self.random.randint(1, min(3, len(products)))

    def shopper(self) -> Shopper:
        """Somebody new, whose calls count."""
        return Shopper(self.world.url, calls=self.calls)

    @contextmanager
    def buying(
        self, wishes: Sequence[Wish] | None = None, *, clients: int = CLIENTS
    ) -> Iterator[Crowd]:
        """Shoppers at work meanwhile; left when all of them are done."""
        if wishes is None:
            wishes = self.make_wishes(products=self.stock(3 * self.orders))
        self.wishes += wishes
        crowd = Crowd([self.shopper() for _ in range(clients)], wishes, seed=self.seed)
        crowd.start(patience=120 + len(wishes) / 5)
        try:
            yield crowd
        except BaseException:
            crowd.give_up()
            raise
        finally:
            crowd.join()

    @contextmanager
    def going_wrong(self, **points: Any) -> Iterator[None]:
        """The plan's faults hold meanwhile; `_` in a name stands for the first dot."""
        plan.write({name.replace("__", "."): value for name, value in points.items()})
        try:
            yield
        finally:
            plan.write({})
            self.fault_ends()

    def fault_ends(self) -> None:
        """The clock of the recovery starts now."""
        self._fault_ended_at = time.monotonic()

    def wait_for(
        self, what: str, condition: Callable[[], bool], *, seconds: float = 60
    ) -> bool:
        """Whether it came in time; a failure of the trial if not."""
        came = wait_until(condition, seconds=seconds)
        self.require(came, f"did not happen within {seconds:.0f} s: {what}")
        return came

    # What it found

    def require(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.verdict.failures.append(otherwise)

    def figure(self, name: str, value: object) -> None:
        self.verdict.figures[name] = str(value)

    def let_time_pass(self, minutes: int) -> None:
        """What the sweeper would do so much later is done now, when nothing else is at work."""
        self.wait_for("nothing at work", self.world.is_idle)
        swept = sweep(now=timezone.now() + timedelta(minutes=minutes))
        self.figure("swept", swept)

    def calm(self, *, mails: bool = True, within: int = SETTLED_WITHIN) -> None:
        """Wait until every order is confirmed, cancelled or a dead letter, and mailed."""
        settled = wait_until(lambda: is_settled(mails=mails), seconds=within)
        self.verdict.recovery = time.monotonic() - self._fault_ended_at
        self.require(settled, f"not settled after {within} s")

    def settle(self, *, may_give_up: bool = False, within: int = SETTLED_WITHIN) -> None:
        """Wait until nothing is on its way, then judge everything.

        A dead letter keeps the promises too, but only some faults are a reason for one.
        """
        self.calm(within=within)
        if OutgoingEmail.objects.filter(status="sending").exists():
            # Its sender died with it: the sweeper calls it unknown, for a person to decide.
            self.let_time_pass(30)
        letters = DeadLetter.objects.open()
        self.require(may_give_up or not letters, f"dead letters: {letters.count()}")
        judge(self.verdict, wishes=self.wishes, copies=self.world.mail.copies())

    def count_faults(self, number: int | None = None) -> None:
        """How often something was killed, cut or refused: by the plan, if not given."""
        crashes = Counter(plan.notes("crashes"))
        self.verdict.faults += crashes.total() if number is None else number
        self.require(self.verdict.faults > 0, "the fault never happened")
        for point, times in sorted(crashes.items()):
            self.figure(point, times)

    def checkouts(self) -> list[Answer]:
        return [answer for wish in self.wishes for answer in wish.answers]

    def report_checkouts(self) -> None:
        """Figures about every call of the checkout."""
        answers = self.checkouts()
        self.figure("calls", len(answers))
        self.figure("calls unknown", sum(a.outcome == "unknown" for a in answers))
        self.figure("calls 5xx", _server_errors(answers))
        self.figure("checkout p99", f"{self.p99() * 1000:.0f} ms")

    def require_no_server_errors(self) -> None:
        """Of any call, not the checkout's alone."""
        errors = _server_errors(self.calls)
        self.require(errors == 0, f"{errors} of {len(self.calls)} answers 5xx")

    def slowest_call(self) -> float:
        """Seconds, of any call."""
        return max(answer.seconds for answer in self.calls)

    def p99(self) -> float:
        """Seconds."""
        return percentile([answer.seconds for answer in self.checkouts()], 99)

    def all_placed(self) -> None:
        """Every wish became exactly one order."""
        placed = sum(wish.order_number is not None for wish in self.wishes)
        self.require(placed == len(self.wishes), f"{len(self.wishes) - placed} never placed")
        orders = Order.objects.count()
        self.require(orders == len(self.wishes), f"{orders} orders of {len(self.wishes)}")


def _server_errors(answers: Sequence[Answer]) -> int:
    return sum((answer.status or 0) >= 500 for answer in answers)
