"""Every view that changes something takes JSON and nothing that a form could send."""

from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.builders import make_customer
from tests.clients import logged_in

pytestmark = pytest.mark.django_db

_UNSAFE = {"post", "put", "patch", "delete"}


def operations() -> Iterator[tuple[str, str]]:
    """Method and path of all that changes something, with an id that nothing has."""
    generator: Any = SchemaGenerator  # carries no types
    schema = generator().get_schema(request=None, public=True)
    for path, methods in schema["paths"].items():
        for method in _UNSAFE & set(methods):
            yield (
                method,
                path.replace("{order_number}", "X")
                .replace("{item_id}", "7")
                .replace("{address_id}", "7"),
            )


def test_knows_all_of_them() -> None:
    found = list(operations())
    assert len(found) >= 13
    assert not any("{" in path for _, path in found)


@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"],
)
@pytest.mark.parametrize(("method", "path"), sorted(operations()))
def test_refuses_a_form(method: str, path: str, kind: str) -> None:
    client = logged_in(make_customer())
    for body in ("", "a=1"):
        answer = client.generic(method.upper(), path, body, content_type=kind)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
        assert answer["Content-Type"] == "application/problem+json"


def test_a_call_without_a_body_needs_no_type() -> None:
    answer = logged_in(make_customer()).delete("/api/orders/cart/items/7/")
    assert answer.status_code == 404


def test_looking_needs_no_type() -> None:
    client = logged_in(make_customer())
    assert client.get("/api/orders/cart/", CONTENT_TYPE="text/plain").status_code == 200
