"""Placing the invoices of a file: several threads, each order through the shop's checkout."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, InterfaceError, OperationalError, connection, connections

from apps.orders.checkout import place_order, placed_before
from apps.orders.models import Order
from apps.orders.replay.preparation import Stage
from apps.orders.replay.reader import Invoice
from shop.errors import ShopError

# Seconds before a sale is tried again: a lock that was held long, a database that restarts.
_PAUSES = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How many threads place orders, and how many orders a second at most (0: no limit)."""

    threads: int
    rate: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of each sale, by the invoice's number."""

    placed: dict[str, int] = field(default_factory=dict)  # ids of the new orders
    earlier: dict[str, int] = field(default_factory=dict)  # ids of those that were there
    refused: dict[str, str] = field(default_factory=dict)  # why there is none

    @property
    def orders(self) -> dict[str, int]:
        """Every order that is there now."""
        return {**self.earlier, **self.placed}

    @property
    def done(self) -> int:
        return len(self.placed) + len(self.earlier) + len(self.refused)


def place_all(
    sales: Sequence[Invoice],
    *,
    stage: Stage,
    pace: Pace,
    clock: Callable[[], datetime],
    progress: Callable[[int], None],
) -> Outcome:
    """Place every sale once, in the file's order as far as threads keep one.

    A refused sale does not stop the others. `progress` hears now and then how many are done.
    """
    crew = _Crew(sales, stage=stage, rate=pace.rate, clock=clock)
    with ThreadPoolExecutor(max_workers=pace.threads) as pool:
        running = {pool.submit(crew.work) for _ in range(pace.threads)}
        try:
            while running:
                done, running = wait(running, timeout=0.2, return_when=FIRST_EXCEPTION)
                progress(crew.outcome.done)
                for worker in done:
                    worker.result()
        finally:
            crew.stop()
    return crew.outcome


def place(sale: Invoice, *, stage: Stage, now: datetime) -> tuple[Order, bool]:
    """The sale's order, and whether it is new; raises OutOfStock or KeyReused."""
    purchase = stage.purchase(sale)
    try:
        return place_order(purchase, lines=stage.lines(sale), now=now), True
    except IntegrityError:
        earlier = placed_before(purchase)
        if earlier is None:
            raise
        return earlier, False


class _Crew:
    """The threads' common queue, and what they have done of it."""

    def __init__(
        self,
        sales: Sequence[Invoice],
        *,
        stage: Stage,
        rate: float,
        clock: Callable[[], datetime],
    ) -> None:
        self.outcome = Outcome()
        self._queue = deque(enumerate(sales))
        self._stage = stage
        self._interval = 1 / rate if rate else 0.0
        self._clock = clock
        self._started = time.monotonic()
        self._stopping = threading.Event()

    def stop(self) -> None:
        self._stopping.set()

    def work(self) -> None:
        """Place what is in the queue until it is empty or somebody calls stop()."""
        try:
            while self._queue and not self._stopping.is_set():
                try:
                    position, sale = self._queue.popleft()
                except IndexError:
                    return  # another thread took the last one
                due = self._started + position * self._interval
                self._stopping.wait(max(0.0, due - time.monotonic()))
                if not self._stopping.is_set():
                    self._place(sale)
        finally:
            connections.close_all()

    def _place(self, sale: Invoice) -> None:
        try:
            order, new = self._place_patiently(sale)
        except ShopError as error:
            self.outcome.refused[sale.number] = error.detail
        except (OperationalError, InterfaceError) as error:
            self.outcome.refused[sale.number] = f"database: {str(error).splitlines()[0]}"
        else:
            orders = self.outcome.placed if new else self.outcome.earlier
            orders[sale.number] = order.pk

    def _place_patiently(self, sale: Invoice) -> tuple[Order, bool]:
        """Try again, as a shopper would, while the database is busy or away.

        A commit whose answer was lost is found by its key, and not placed twice.
        """
        for pause in _PAUSES:
            try:
                return place(sale, stage=self._stage, now=self._clock())
            except (OperationalError, InterfaceError):
                connection.close()
                self._stopping.wait(pause)
        return place(sale, stage=self._stage, now=self._clock())
