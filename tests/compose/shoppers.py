"""A guest after another who buys a mug, through port 80, whatever becomes of the shop."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from deploy.demo.guest import Guest, Refused

Answer = TypeVar("Answer")
ADDRESS = "http://127.0.0.1"
# Seconds. The shop takes 30 orders a minute from one address.
_PAUSE = 2.2
_PATIENCE = 300


class Unanswered(Exception):
    """The shop did not take an order for five minutes."""


def buy(address: str = ADDRESS) -> str:
    """The number of an order that was answered with 201; what fails is sent again."""
    guest = Guest(address)
    _insist(lambda: guest.add_to_cart(product_id=1, variant_id=1))
    _insist(guest.enter_address)
    # The same Idempotency-Key each time, so that nothing is bought twice.
    return str(_insist(guest.check_out)[0]["order_number"])


def _insist(call: Callable[[], Answer]) -> Answer:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return call()
        except Refused as refusal:
            if time.monotonic() > deadline:
                raise Unanswered(str(refusal)) from refusal
            time.sleep(1)


class Shoppers:
    """Buy in the background from the beginning of a `with` block to its end.

    `numbers` are the orders that were answered with 201; `longest` is the most seconds that
    somebody had to try until then.
    """

    def __init__(self) -> None:
        self.numbers: list[str] = []
        self.longest = 0.0
        self._failure: Unanswered | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._buy)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._thread.join()
        if self._failure and error is None:
            raise self._failure

    def _buy(self) -> None:
        try:
            while not self._closing.wait(_PAUSE):
                started = time.monotonic()
                self.numbers.append(buy())
                self.longest = max(self.longest, time.monotonic() - started)
        except Unanswered as failure:
            self._failure = failure
