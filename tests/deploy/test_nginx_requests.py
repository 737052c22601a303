"""What reaches the shop through nginx, and what does not: byte by byte, with a real granian
behind it."""

from typing import Any

import pytest
from django.http.request import split_domain_port, validate_host

from tests.deploy.front import Answer, Front
from tests.nginx import ENVIRONMENT, PROXY

pytestmark = pytest.mark.slow

HOST = "Host: shop.example\r\n"
SMUGGLED = "GET /api/echo/?smuggled HTTP/1.1\r\nHost: shop.example\r\n\r\n"
POST = f"POST /api/echo/ HTTP/1.1\r\n{HOST}"
CHUNKED = f"0\r\n\r\n{SMUGGLED}"
LENGTH = f"Content-Length: {len(CHUNKED)}\r\n"

# Where one server may see the end of the request earlier than the other.
AMBIGUOUS = {
    "a length and chunks": f"{LENGTH}Transfer-Encoding: chunked\r\n\r\n{CHUNKED}",
    "chunks and a length": f"Transfer-Encoding: chunked\r\n{LENGTH}\r\n{CHUNKED}",
    "two lengths": f"Content-Length: 0\r\n{LENGTH}\r\n{SMUGGLED}",
    "the same length twice": f"{LENGTH}{LENGTH}\r\n{CHUNKED}",
    "a list of lengths": f"Content-Length: 0, {len(SMUGGLED)}\r\n\r\n{SMUGGLED}",
    "a length with a sign": f"Content-Length: +{len(SMUGGLED)}\r\n\r\n{SMUGGLED}",
    "a length below nothing": f"Content-Length: -1\r\n\r\n{SMUGGLED}",
    "a length in base sixteen": f"Content-Length: 0x5\r\n\r\n{SMUGGLED}",
    "a length that overflows": f"Content-Length: {2**64 + 5}\r\n\r\n{SMUGGLED}",
    "a blank before the colon": f"Transfer-Encoding : chunked\r\n{LENGTH}\r\n{CHUNKED}",
    "a tab before the colon": f"Transfer-Encoding\t: chunked\r\n{LENGTH}\r\n{CHUNKED}",
    "a folded line": f"X: y\r\n Transfer-Encoding: chunked\r\n{LENGTH}\r\n{CHUNKED}",
    "an encoding that is none": f"Transfer-Encoding: xchunked\r\n{LENGTH}\r\n{CHUNKED}",
    "an encoding too many": f"Transfer-Encoding: chunked, identity\r\n\r\n{CHUNKED}",
    "an encoding twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"
    f"\r\n{CHUNKED}",
    "an encoding with a vertical tab": f"Transfer-Encoding: \vchunked\r\n\r\n{CHUNKED}",
    "an encoding with a zero": f"Transfer-Encoding: chunked\0\r\n\r\n{CHUNKED}",
    "a name with a zero": f"Transfer-\0Encoding: chunked\r\n{LENGTH}\r\n{CHUNKED}",
    "a chunk that overflows": "Transfer-Encoding: chunked\r\n\r\n"
    f"10000000000000000\r\n{SMUGGLED}",
    "a chunk that is no number": f"Transfer-Encoding: chunked\r\n\r\nx\r\n{SMUGGLED}",
    "a chunk that is longer": f"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n{CHUNKED}",
    "two hosts": f"{HOST}Content-Length: 0\r\n\r\n",
    "two hosts that differ": "Host: other.example\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("kind", AMBIGUOUS)
def test_a_request_that_could_be_read_in_two_ways_goes_nowhere(front: Front, kind: str) -> None:
    before = front.arrived()
    answers = front.raw(POST + AMBIGUOUS[kind], answers=None)
    assert [answer.status for answer in answers] in ([400], [501])
    assert front.arrived() == before


@pytest.mark.parametrize("name", ["Transfer_Encoding: chunked", "Transfer-Encoding-: chunked"])
def test_a_name_that_some_would_take_for_another_changes_nothing(
    front: Front, name: str
) -> None:
    before = len(front.arrived())
    answer, *more = front.raw(
        f"{POST}{name}\r\n{LENGTH}Connection: close\r\n\r\n{CHUNKED}", answers=None
    )
    assert (answer.status, more) == (200, [])
    assert echoed(answer)["body"] == CHUNKED
    assert front.arrived()[before:] == ["POST /api/echo/"]


def test_two_requests_that_are_two_arrive_both(front: Front) -> None:
    before = len(front.arrived())
    answers = front.raw(f"{POST}Content-Length: 5\r\n\r\nhello{SMUGGLED}", answers=2)
    assert [answer.status for answer in answers] == [200, 200]
    assert front.arrived()[before:] == ["POST /api/echo/", "GET /api/echo/?smuggled"]


def test_a_body_in_chunks_arrives_whole_and_with_its_length(front: Front) -> None:
    chunks = "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\n\r\n"
    (answer,) = front.raw(POST + chunks)
    assert echoed(answer)["body"] == "hello"
    assert echoed(answer)["headers"]["Content-Length"] == "5"
    assert "Transfer-Encoding" not in echoed(answer)["headers"]


@pytest.mark.parametrize(
    "request_",
    [
        "GET /api/echo/ HTTP/1.1\r\n\r\n",
        f"GET /api/echo/ HTTP/1.1\r\n{HOST}no colon\r\n\r\n",
        f"GET /api/echo/ HTTP/1.1\r\n{HOST}a b: c\r\n\r\n",
        f"GET /api/echo/\0 HTTP/1.1\r\n{HOST}\r\n",
        f"GET /api/../../echo/ HTTP/1.1\r\n{HOST}\r\n",
        f"get /api/echo/ HTTP/1.1\r\n{HOST}\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example\r\n\r\n",
        f"TRACE /api/echo/ HTTP/1.1\r\n{HOST}\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
def test_what_is_no_request_goes_nowhere(front: Front, request_: str) -> None:
    before = front.arrived()
    answers = front.raw(request_, answers=None)
    assert all(answer.status in (400, 405, 505) for answer in answers)
    assert front.arrived() == before


def test_what_a_caller_says_about_himself_does_not_arrive(front: Front) -> None:
    (answer,) = front.raw(
        f"GET /api/echo/ HTTP/1.1\r\n{HOST}"
        "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n"
        "X-Forwarded-Host: evil.example\r\nX-Forwarded-Port: 1\r\n"
        "Forwarded: for=203.0.113.7\r\n"
        "X-Real-IP: 203.0.113.7\r\nX_Forwarded_For: 203.0.113.7\r\nX_Request_ID: 12345678\r\n"
        "Proxy: http://evil.example\r\nConnection: X-Forwarded-For, X-Request-ID\r\n"
        "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
        address="127.0.0.77",
    )
    seen = echoed(answer)
    assert (seen["caller"], seen["is_secure"], seen["host"]) == (
        "127.0.0.77",
        False,
        "shop.example",
    )
    headers = seen["headers"]
    assert headers["X-Forwarded-For"] == "127.0.0.77"
    assert headers["X-Forwarded-Proto"] == "http"
    assert len(headers["X-Request-Id"]) == 32
    dropped = {"X-Forwarded-Host", "X-Forwarded-Port", "Forwarded", "X-Real-Ip", "Proxy"}
    assert not {*dropped, "Upgrade", "Connection"} & set(headers)


def test_a_proxy_in_front_that_is_known_is_believed_but_not_who_asked_it(front: Front) -> None:
    said = "X-Forwarded-For: 192.0.2.66, 203.0.113.7\r\nX-Forwarded-Proto: https\r\n\r\n"
    (answer,) = front.raw(f"GET /api/echo/ HTTP/1.1\r\n{HOST}{said}", address=PROXY)
    seen = echoed(answer)
    assert seen["headers"]["X-Forwarded-For"] == seen["caller"] == "203.0.113.7"
    assert seen["is_secure"]


def test_by_https_the_shop_knows_it(front: Front) -> None:
    seen = front.tls("/api/echo/").json()
    assert seen["is_secure"]
    assert seen["host"] == f"localhost:{front.nginx.tls_port}"


@pytest.mark.parametrize(
    ("path", "wanted", "passed_on"),
    [
        ("/flower/echo/", "websocket", ("websocket", "upgrade")),
        ("/flower/echo/", "h2c", (None, None)),
        ("/api/echo/", "websocket", (None, None)),
    ],
)
def test_only_flower_is_asked_for_a_websocket(
    front: Front, path: str, wanted: str, passed_on: tuple[str | None, str | None]
) -> None:
    headers = {"Upgrade": wanted, "Connection": "Upgrade"}
    seen = front.get(path, headers=headers).json()["headers"]
    assert (seen.get("Upgrade"), seen.get("Connection")) == passed_on


@pytest.mark.parametrize(
    "host",
    [
        "shop.example",
        "SHOP.example:8080",
        "shop.example.",
        "localhost",
        pytest.param("[::1]", id="IPv6"),
        "shops.example",
        "one.shops.example",
        "two.one.shops.example:81",
        "notshops.example",
        "shops.example.evil.example",
        "a.shop.example",
        "evil.example",
        "example",
        "shop.example,evil.example",
        "evil,shop.example",
        "x|shop.example",
        "evil,a,|a",
        ".shops.example",
        "shop.example@evil.example",
        ",",
    ],
)
def test_answers_for_the_same_hosts_as_django(front: Front, host: str) -> None:
    (answer,) = front.raw(f"GET /api/echo/ HTTP/1.1\r\nHost: {host}\r\n\r\n")
    allowed = [name.strip() for name in ENVIRONMENT["ALLOWED_HOSTS"].split(",")]
    domain, _ = split_domain_port(host)
    if domain and validate_host(domain, allowed):
        assert answer.status == 200
    else:
        assert answer.status in (400, 421)
        assert not front.logged(answer.headers["x-request-id"])["upstream"]


def test_the_host_in_the_first_line_is_the_one_that_counts(front: Front) -> None:
    before = front.arrived()
    (refused,) = front.raw(f"GET http://evil.example/api/echo/ HTTP/1.1\r\n{HOST}\r\n")
    assert refused.status == 421
    assert front.arrived() == before
    (taken,) = front.raw(
        "GET http://shop.example/api/echo/ HTTP/1.1\r\nHost: evil.example:81\r\n\r\n"
    )
    assert echoed(taken)["host"].partition(":")[0] == "shop.example"


@pytest.mark.parametrize("given", ["edge-1234.5678_9", "a" * 64])
def test_an_id_that_looks_like_one_is_kept(front: Front, given: str) -> None:
    answer = front.get("/api/echo/", headers={"X-Request-ID": given})
    assert answer.json()["headers"]["X-Request-Id"] == given
    assert answer.headers["X-Request-ID"] == given


@pytest.mark.parametrize(
    "given", ["short", "a" * 65, "with space", "<script>alert(1)", "a,b" * 4]
)
def test_any_other_id_is_replaced(front: Front, given: str) -> None:
    answer = front.get("/api/echo/", headers={"X-Request-ID": given})
    seen = answer.json()["headers"]["X-Request-Id"]
    assert len(seen) == 32
    assert answer.headers["X-Request-ID"] == seen


def echoed(answer: Answer) -> Any:
    assert answer.status == 200, answer
    return answer.json()
