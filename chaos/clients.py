"""Shoppers who order over HTTP, repeat what failed with the same key, and note it all."""

import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

_ADDRESS = {
    "full_name": "Grace Guest",
    "address_line1": "4 Lighthouse Row",
    "city": "Howth",
    "postal_code": "D13 X0X0",
    "country": "IE",
}
TIMEOUT = 15  # seconds
_PAUSE = 0.2  # between two tries
# Refusals that no repetition would change.
_FINAL = {400, 404, 422}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One call as its caller saw it: ok, failed (the shop said no) or unknown."""

    path: str
    outcome: str
    status: int | None
    code: str
    order_number: str | None
    may_retry: bool  # it names when to try again
    seconds: float


@dataclass(kw_only=True)
class Wish:
    """One order that a shopper wants, with its key and every answer to its checkout."""

    items: dict[int, int]  # product id (each has one variant) -> units
    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    answers: list[Answer] = field(default_factory=list)
    order_number: str | None = None

    @property
    def outcome(self) -> str:
        return self.answers[-1].outcome if self.answers else "unknown"

    @property
    def was_refused(self) -> bool:
        return bool(self.answers) and self.answers[-1].code == "out_of_stock"


class Shopper:
    """A guest with a cookie jar and an address; notes every call in `calls`."""

    def __init__(self, url: str, *, calls: list[Answer]) -> None:
        self._url, self._calls = url, calls
        self._left = False
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between us and our own machine
        self._form: dict[str, Any] = {"payment_method": "cod", "email": "grace@example.com"}

    def buy(self, wish: Wish, *, until: float) -> None:
        """Place the wish: fill the cart, check out, and repeat until it is settled."""
        self._patiently(self._enter_address, until)
        self._patiently(lambda: self._fill_cart(wish), until)
        self.insist(wish, until=until)

    def insist(self, wish: Wish, *, until: float) -> None:
        """Check out what is in the cart, and repeat until it is settled."""
        while self._has_time(until):
            answer = self.check_out(wish)
            if answer.code == "empty_cart" and wish.order_number is None:
                self._patiently(lambda: self._fill_cart(wish), until)
            elif answer.outcome == "ok" or wish.was_refused or answer.status in _FINAL:
                return
            time.sleep(_PAUSE)

    def check_out(self, wish: Wish) -> Answer:
        """One call of the checkout, noted in the wish."""
        key = {"Idempotency-Key": wish.key}
        answer, _ = self._post("orders/orders/create/", self._form, headers=key)
        wish.order_number = answer.order_number or wish.order_number
        wish.answers.append(answer)
        return answer

    def cancel(self, number: str) -> int | None:
        """The status of the answer."""
        return self._post(f"orders/orders/{number}/cancel/", {})[0].status

    def prepare(self, items: dict[int, int]) -> None:
        """An address and a full cart; raises TimeoutError if it cannot be had."""
        until = time.monotonic() + 30
        self._patiently(self._enter_address, until)
        if not self._patiently(lambda: self._fill_cart(Wish(items=items)), until):
            raise TimeoutError("a shopper could not fill the cart")

    def leave(self) -> None:
        """Try nothing again, whatever is still wanted."""
        self._left = True

    def copy(self) -> "Shopper":
        """The same guest with the same cart at another browser."""
        twin = Shopper(self._url, calls=self._calls)
        twin._session.cookies.update(self._session.cookies)
        twin._form = self._form
        return twin

    def _enter_address(self) -> bool:
        if "shipping_address_id" not in self._form:
            answer, body = self._post("accounts/addresses/", _ADDRESS)
            if answer.status == 201:
                ids = ("shipping_address_id", "billing_address_id")
                self._form.update(dict.fromkeys(ids, body["id"]))
        return "shipping_address_id" in self._form

    def _fill_cart(self, wish: Wish) -> bool:
        # Doubt is no harm here: what was added twice is bought twice.
        return all(self._put_in_cart(product, units) for product, units in wish.items.items())

    def _put_in_cart(self, product: int, units: int) -> bool:
        item = {"product_id": product, "quantity": units}
        return self._post("orders/cart/items/", item)[0].status in (201, 400)

    def _patiently(self, call: Callable[[], bool], until: float) -> bool:
        while not (done := call()) and self._has_time(until):
            time.sleep(_PAUSE)
        return done

    def _has_time(self, until: float) -> bool:
        return not self._left and time.monotonic() < until

    def _post(
        self, path: str, body: dict[str, Any], *, headers: dict[str, str] | None = None
    ) -> tuple[Answer, dict[str, Any]]:
        """The answer, noted, and its JSON; no status when nobody knows what happened."""
        started = time.monotonic()
        status, content, reply_headers = self._try(f"{self._url}/api/{path}", body, headers)
        outcome = "unknown" if status is None else "ok" if status < 400 else "failed"
        answer = Answer(
            path=path,
            outcome=outcome,
            status=status,
            code=str(content.get("code", "")),
            order_number=content.get("order_number") if status == 201 else None,
            may_retry="Retry-After" in reply_headers,
            seconds=time.monotonic() - started,
        )
        self._calls.append(answer)
        return answer, content

    def _try(
        self, url: str, body: dict[str, Any], headers: dict[str, str] | None
    ) -> tuple[int | None, dict[str, Any], Mapping[str, str]]:
        try:
            reply = self._session.post(url, json=body, headers=headers, timeout=TIMEOUT)
        except requests.RequestException:
            return None, {}, {}
        try:
            return reply.status_code, reply.json(), reply.headers
        except ValueError:  # an error page is an answer; a success without its content is none
            return None if reply.ok else reply.status_code, {}, reply.headers


class Crowd:
    """Several shoppers at once who share a list of wishes."""

    def __init__(
        self, shoppers: Sequence[Shopper], wishes: Sequence[Wish], *, seed: int
    ) -> None:
        self.wishes = list(wishes)
        random.Random(seed).shuffle(self.wishes)  # noqa: S311 no secret
        self._waiting = iter(self.wishes)
        self._lock = threading.Lock()
        self._until = 0.0
        self._shoppers = shoppers
        self._threads = [
            threading.Thread(target=self._shop, args=[shopper], daemon=True)
            for shopper in shoppers
        ]

    def start(self, *, patience: float) -> None:
        """Begin; who is not done after `patience` seconds gives up."""
        self._until = time.monotonic() + patience
        for thread in self._threads:
            thread.start()

    def give_up(self) -> None:
        """Send every shopper home."""
        with self._lock:
            self._waiting = iter(())
        for shopper in self._shoppers:
            shopper.leave()

    @property
    def is_over(self) -> bool:
        """Whether every shopper has left."""
        return not any(thread.is_alive() for thread in self._threads)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    @property
    def done(self) -> int:
        """How many wishes have had their last answer so far, or nearly."""
        return sum(wish.outcome == "ok" or wish.was_refused for wish in self.wishes)

    def answers(self) -> list[Answer]:
        """To every call of the checkout."""
        return [answer for wish in self.wishes for answer in wish.answers]

    def _shop(self, shopper: Shopper) -> None:
        while (wish := self._next()) is not None:
            shopper.buy(wish, until=self._until)

    def _next(self) -> Wish | None:
        with self._lock:
            return next(self._waiting, None)
