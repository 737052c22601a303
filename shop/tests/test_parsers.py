"""JSON bodies out of bounds are refused before a view sees them."""

import json
from typing import Any

import pytest
from django.conf import settings
from rest_framework.test import APIClient

pytestmark = pytest.mark.urls("shop.tests.troubled_urls")


REASONS = {
    "The body is not valid JSON.",
    "The JSON is nested too deeply.",
    "The JSON has a number that is too large.",
    "The JSON has a character that no text may contain.",
}


def put(body: bytes | str) -> Any:
    """The echo of a body."""
    data = body.encode() if isinstance(body, str) else body
    return APIClient().put("/api/refused/", data=data, content_type="application/json")


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("{", id="broken"),
        pytest.param("{'a': 1}", id="not JSON"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param('{"a": NaN}', id="NaN"),
        pytest.param('{"a": -Infinity}', id="Infinity"),
        pytest.param('{"a": 1e999}', id="larger than a float"),
        pytest.param(f'{{"a": {"9" * 5000}}}', id="an integer of 5,000 digits"),
        pytest.param(nested(1_000), id="1,000 deep"),
        pytest.param(nested(100_000), id="100,000 deep"),
        pytest.param('{"a":' * 1_000 + "1" + "}" * 1_000, id="1,000 objects deep"),
        pytest.param(r'{"a": "b\u0000c"}', id="NUL"),
        pytest.param(r'{"a\u0000": 1}', id="NUL in a name"),
        pytest.param(r'{"a": [{"b": "\ud800"}]}', id="half a surrogate pair"),
    ],
)
def test_refuses(body: bytes | str) -> None:
    answer = put(body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "parse_error"
    assert answer.json()["detail"] in REASONS


@pytest.mark.parametrize(
    "text",
    ['{"a": [1, 2.5, null, true, "é"]}', r'"\ud83d\ude00"', nested(32), "[]"],
)
def test_accepts_json(text: str) -> None:
    answer = put(text)
    assert answer.status_code == 200
    assert answer.json() == json.loads(text)


def test_refuses_a_body_over_the_limit_and_takes_one_at_the_limit() -> None:
    limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    fits = json.dumps("a" * (limit - 2))
    assert put(fits).status_code == 200
    answer = put(fits + " ")
    assert answer.status_code == 413
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "too_large"


def test_refuses_a_charset_that_decompresses() -> None:
    answer = APIClient().put(
        "/api/refused/", data=b"BZh9", content_type="application/json; charset=bz2_codec"
    )
    assert answer.status_code == 400
