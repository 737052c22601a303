"""Every answer carries the id of its request."""

import pytest
from rest_framework.test import APIClient

URL = "/health/live"


def test_the_proxys_id_is_kept() -> None:
    answer = APIClient().get(URL, HTTP_X_REQUEST_ID="edge-1234.5678_9")
    assert answer["X-Request-ID"] == "edge-1234.5678_9"


def test_without_one_each_request_gets_its_own() -> None:
    ids = {APIClient().get(URL)["X-Request-ID"] for _ in range(5)}
    assert len(ids) == 5
    assert all(len(each) == 32 for each in ids)


@pytest.mark.parametrize(
    "given",
    ["short", "a" * 65, "with space", "line\nbreak-and-more", "<script>alert(1)", "é" * 9],
)
def test_an_id_that_could_do_harm_in_a_log_is_replaced(given: str) -> None:
    assert len(APIClient().get(URL, HTTP_X_REQUEST_ID=given)["X-Request-ID"]) == 32


def test_a_problem_names_the_same_id_as_the_header() -> None:
    answer = APIClient().get("/api/no-such-thing/", HTTP_X_REQUEST_ID="edge-12345678")
    assert answer.json()["request_id"] == answer["X-Request-ID"] == "edge-12345678"
