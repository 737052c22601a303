"""A limit lets exactly as many calls through as it says, however they come."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from shop.throttling import Throttle
from tests.concurrently import run_at_once
from tests.limits import age_counters, counters, forget_calls, without_redis


class OpenThrottle(Throttle):
    scope = "test"


class ClosedThrottle(OpenThrottle):
    refuses_without_cache = True


class OpenView(APIView):
    authentication_classes = ()
    throttle_classes = [OpenThrottle]

    def get(self, request: Any) -> Response:  # noqa: ARG002 a view takes one
        return Response()


class ClosedView(OpenView):
    throttle_classes = [ClosedThrottle]


@pytest.fixture(autouse=True)
def _five_calls_a_minute(settings: Any) -> Iterator[None]:
    settings.THROTTLE_RATES = {"test": 5}
    yield
    forget_calls()


def call(view: type[APIView] = OpenView, **headers: Any) -> Response:
    request = APIRequestFactory().get("/", **headers)
    return view.as_view()(request)


def test_exactly_as_many_pass_as_may_of_forty_at_once() -> None:
    answers = run_at_once([call] * 40)
    codes = Counter(a.status_code for a in answers if isinstance(a, Response))
    assert codes == {200: 5, 429: 35}


def test_who_is_refused_learns_when_to_come_back() -> None:
    answer = [call() for _ in range(6)][-1]
    assert answer.status_code == 429
    assert answer["Retry-After"] in {"59", "60"}
    assert answer.data["code"] == "throttled"
    age_counters(to=20)
    assert call()["Retry-After"] in {"19", "20"}


def test_another_address_has_a_limit_of_its_own() -> None:
    answers = [call() for _ in range(6)]
    assert answers[-1].status_code == 429
    assert call(REMOTE_ADDR="192.0.2.1").status_code == 200


@pytest.mark.parametrize(
    ("first", "second", "are_one"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("unknown", "unknown", True),
    ],
)
def test_counts_a_subscribers_whole_network_as_one_address(
    first: str, second: str, are_one: bool
) -> None:
    assert [call(REMOTE_ADDR=first).status_code for _ in range(6)][-1] == 429
    assert call(REMOTE_ADDR=second).status_code == (429 if are_one else 200)


def test_an_address_that_the_caller_made_up_counts_for_nothing() -> None:
    answers = [call(HTTP_X_FORWARDED_FOR=f"192.0.2.{n}") for n in range(6)]
    assert [a.status_code for a in answers] == [200] * 5 + [429]


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_saw(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(api_settings, "NUM_PROXIES", 1, raising=False)
    made_up = [call(HTTP_X_FORWARDED_FOR=f"192.0.2.{n}, 198.51.100.7") for n in range(6)]
    assert [a.status_code for a in made_up] == [200] * 5 + [429]
    assert call(HTTP_X_FORWARDED_FOR="192.0.2.1, 198.51.100.8").status_code == 200


def test_the_limit_ends_by_itself() -> None:
    call()
    (seconds,) = counters().values()
    assert 0 < seconds <= 60


def test_without_redis_browsing_stays_open(settings: Any) -> None:
    with without_redis(settings):
        assert [call().status_code for _ in range(6)] == [200] * 6


def test_without_redis_what_guards_secrets_is_closed(settings: Any) -> None:
    with without_redis(settings):
        assert call(ClosedView).status_code == 429
