"""A guest who buys through the public API: a cookie jar, no login."""

import uuid
from typing import Any

import requests

EMAIL = "guest@example.com"
_ADDRESS = {
    "address_type": "shipping",
    "full_name": "Grace Guest",
    "phone": "+353 1 555 0100",
    "address_line1": "4 Lighthouse Row",
    "city": "Howth",
    "postal_code": "D13 X0X0",
    "country": "IE",
}


class Refused(Exception):
    """The shop did not answer as the guest expected."""


class Guest:
    """Shops at `address`; every method is one request and returns the answer's JSON."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between us and our own machine
        self._order: dict[str, Any] = {"payment_method": "cod", "email": EMAIL}
        self._headers = {"Idempotency-Key": str(uuid.uuid4())}

    def add_to_cart(self, *, product_id: int, variant_id: int) -> Any:
        wanted = {"product_id": product_id, "variant_id": variant_id, "quantity": 1}
        return self._call("POST", "api/orders/cart/items/", json=wanted).json()

    def enter_address(self) -> Any:
        address = self._call("POST", "api/accounts/addresses/", json=_ADDRESS).json()
        self._order["shipping_address_id"] = self._order["billing_address_id"] = address["id"]
        return address

    def check_out(self) -> tuple[Any, bool]:
        """The order, and whether this very request had already placed it before."""
        answer = self._call(
            "POST", "api/orders/orders/create/", json=self._order, headers=self._headers
        )
        return answer.json(), answer.headers.get("Idempotent-Replayed") == "true"

    def order(self, number: str) -> Any:
        return self._call("GET", f"api/orders/orders/{number}/").json()

    def readiness(self) -> Any:
        return self._call("GET", "health/ready").json()

    def _call(self, method: str, path: str, **request: Any) -> requests.Response:
        url = f"{self._address}/{path}"
        try:
            answer = self._session.request(method, url, timeout=10, **request)
        except requests.RequestException as error:
            raise Refused(f"{method} {url}: {error}") from error
        if not answer.ok:
            raise Refused(f"{method} {url}: {answer.status_code} {answer.text[:300]}")
        return answer
