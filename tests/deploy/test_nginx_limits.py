"""One caller cannot take all of it, and one who is slow holds nothing of the shop."""

import time
from collections import Counter
from contextlib import ExitStack

import pytest

from tests.deploy.front import Answer, Caller, Front
from tests.deploy.slow_callers import SlowCaller
from tests.nginx import PROXY

pytestmark = pytest.mark.slow

HOST = "Host: localhost\r\n"


def ask_often(front: Front, times: int, head: str, *, address: str = "") -> list[Answer]:
    """The answers to the same request, sent so many times at once by one caller."""
    return front.raw(f"{head}\r\n\r\n" * times, answers=times, address=address)


def codes(answers: list[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


def test_whoever_asks_too_often_is_told_when_to_come_back(front: Front) -> None:
    address = Caller().address
    answers = ask_often(front, 300, f"GET /api/nothing/ HTTP/1.1\r\n{HOST}", address=address)
    refused = [answer for answer in answers if answer.status == 429]
    assert refused
    assert [answer.status for answer in answers[:100]] == [404] * 100
    problem = refused[0].json()
    assert problem["code"] == "throttled"
    assert problem["request_id"] == refused[0].headers["x-request-id"]
    assert refused[0].headers["content-type"] == "application/problem+json"
    assert refused[0].headers["retry-after"] == "5"
    assert front.get("/api/nothing/").status_code == 404, "somebody else is refused, too"
    (page,) = front.raw(f"GET / HTTP/1.1\r\n{HOST}\r\n", address=address)
    assert page.status in (200, 429)
    if page.status == 429:
        assert "A little slower, please" in page.body


def test_a_page_may_ask_for_many_files_at_once(front: Front) -> None:
    answers = ask_often(front, 300, f"GET /static/shop/plug.svg HTTP/1.1\r\n{HOST}")
    assert codes(answers) == {200: 300}


def test_health_is_asked_seldom(front: Front) -> None:
    answers = ask_often(front, 30, f"GET /health/live HTTP/1.1\r\n{HOST}")
    assert 10 <= codes(answers)[200] < 20
    assert codes(answers)[429] >= 10


def test_passwords_of_staff_are_tried_seldom_and_the_page_is_seen_often(front: Front) -> None:
    path = f"/admin/login/ HTTP/1.1\r\n{HOST}Content-Length: 0"
    answers = ask_often(front, 30, f"POST {path}")
    assert codes(answers)[429] == 30 - 11
    assert codes(ask_often(front, 30, f"GET {path}"))[429] == 0


def test_a_subscribers_ipv6_addresses_count_as_one(front: Front) -> None:
    def ask(network: str) -> Counter[int]:
        head = f"GET /health/live HTTP/1.1\r\n{HOST}X-Forwarded-For: 2001:db8:0:{network}::"
        requests = "".join(f"{head}{number}\r\n\r\n" for number in range(1, 31))
        return codes(front.raw(requests, answers=30, address=PROXY))

    assert ask("7")[429] >= 10
    assert ask("7")[200] < 5
    assert ask("8")[200] >= 10


def test_one_address_has_fifty_requests_at_once(front: Front) -> None:
    address = Caller().address
    head = (
        f"POST /api/echo/ HTTP/1.1\r\n{HOST}Content-Length: 1\r\nExpect: 100-continue\r\n\r\n"
    )
    with ExitStack() as stack:
        for _ in range(50):
            connection = stack.enter_context(front.connected(address))
            connection.sendall(head.encode())
            # From here on it counts: the body is asked for after the limits were looked at.
            assert b"100 Continue" in connection.recv(1000)
        refused = Counter(
            front.raw(f"GET /api/echo/ HTTP/1.1\r\n{HOST}\r\n", address=address)[0].status
            for _ in range(5)
        )
        assert refused[429] == 5
        assert front.get("/api/echo/").status_code == 200


def test_who_sends_too_slowly_is_dropped_and_did_not_reach_the_shop(
    front: Front, slow_callers: dict[str, SlowCaller]
) -> None:
    for caller in slow_callers.values():
        caller.join()
    assert [kind for kind, caller in slow_callers.items() if not caller.was_dropped] == []
    assert not [line for line in front.arrived() if "slow" in line]


def test_a_body_goes_to_the_shop_when_it_is_complete(front: Front) -> None:
    head = f"POST /api/echo/?whole HTTP/1.1\r\n{HOST}Content-Length: 6\r\n\r\n"
    with front.connected() as connection:
        connection.sendall(f"{head}abc".encode())
        time.sleep(0.2)
        assert "POST /api/echo/?whole" not in front.arrived()
        connection.sendall(b"def")
        assert b"200 OK" in connection.recv(1000)
    assert front.arrived()[-1] == "POST /api/echo/?whole"
