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
_TIMEOUT = 15  # seconds
_PAUSE = 0.2  # between two tries
# Refusals that no repetition would change.
_FINAL = {400, 404, 422}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One call as its caller saw it: ok, failed (the shop said no) or unknown."""

    outcome: str
    status: int | None
    code: str
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
    """A guest with a cookie jar and an address."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between us and our own machine
        self._form: dict[str, Any] = {"payment_method": "cod", "email": "grace@example.com"}

    def buy(self, wish: Wish, *, until: float) -> None:
        """Place the wish: fill the cart, check out, and repeat until it is settled."""
        self._patiently(self._enter_address, until)
        self._patiently(lambda: self._fill_cart(wish), until)
        while time.monotonic() < until:
            answer = self.check_out(wish)
            if answer.code == "empty_cart" and wish.order_number is None:
                self._patiently(lambda: self._fill_cart(wish), until)
            elif answer.outcome == "ok" or wish.was_refused or answer.status in _FINAL:
                return
            time.sleep(_PAUSE)

    def check_out(self, wish: Wish) -> Answer:
        """One call of the checkout, noted in the wish."""
        started = time.monotonic()
        status, body, headers = self._post(
            "orders/orders/create/", self._form, headers={"Idempotency-Key": wish.key}
        )
        if status == 201:
            wish.order_number = body["order_number"]
        outcome = "unknown" if status is None else "ok" if status == 201 else "failed"
        answer = Answer(
            outcome=outcome,
            status=status,
            code=str(body.get("code", "")),
            may_retry="Retry-After" in headers,
            seconds=time.monotonic() - started,
        )
        wish.answers.append(answer)
        return answer

    def cancel(self, number: str) -> int | None:
        """The status of the answer."""
        return self._call(f"orders/orders/{number}/cancel/", {})[0]

    def prepare(self, items: dict[int, int]) -> None:
        """An address and a full cart, or an error."""
        until = time.monotonic() + 30
        self._patiently(self._enter_address, until)
        self._patiently(lambda: self._fill_cart(Wish(items=items)), until)

    def copy(self) -> "Shopper":
        """The same guest with the same cart at another browser."""
        twin = Shopper(self._url)
        twin._session.cookies.update(self._session.cookies)
        twin._form = self._form
        return twin

    def _enter_address(self) -> bool:
        if "shipping_address_id" not in self._form:
            status, body = self._call("accounts/addresses/", _ADDRESS)
            if status == 201:
                ids = ("shipping_address_id", "billing_address_id")
                self._form.update(dict.fromkeys(ids, body["id"]))
        return "shipping_address_id" in self._form

    def _fill_cart(self, wish: Wish) -> bool:
        # Doubt is no harm here: what was added twice is bought twice.
        return all(
            self._call("orders/cart/items/", {"product_id": product, "quantity": units})[0]
            in (201, 400)
            for product, units in wish.items.items()
        )

    def _patiently(self, call: Callable[[], bool], until: float) -> None:
        while not call() and time.monotonic() < until:
            time.sleep(_PAUSE)

    def _call(self, path: str, body: dict[str, Any]) -> tuple[int | None, dict[str, Any]]:
        status, answer, _ = self._post(path, body)
        return status, answer

    def _post(
        self, path: str, body: dict[str, Any], *, headers: dict[str, str] | None = None
    ) -> tuple[int | None, dict[str, Any], Mapping[str, str]]:
        """Status, JSON and headers of the answer; no status when nobody knows what happened."""
        url = f"{self._url}/api/{path}"
        try:
            answer = self._session.post(url, json=body, headers=headers, timeout=_TIMEOUT)
            return answer.status_code, answer.json(), answer.headers
        except (requests.RequestException, ValueError):
            return None, {}, {}


class Crowd:
    """Several shoppers at once who share a list of wishes."""

    def __init__(self, url: str, wishes: Sequence[Wish], *, number: int, seed: int) -> None:
        self.wishes = list(wishes)
        random.Random(seed).shuffle(self.wishes)  # noqa: S311 no secret
        self._waiting = iter(self.wishes)
        self._lock = threading.Lock()
        self._until = 0.0
        self._threads = [
            threading.Thread(target=self._shop, args=[Shopper(url)], daemon=True)
            for _ in range(number)
        ]

    def start(self, *, patience: float) -> None:
        """Begin; who is not done after `patience` seconds gives up."""
        self._until = time.monotonic() + patience
        for thread in self._threads:
            thread.start()

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
