"""What nginx adds to the shop's answers, and what it answers itself."""

import gzip
import json
import re
from typing import Any

import pytest
from requests import Response

from tests.deploy.front import Front
from tests.nginx import NO_STAFF

# The slow ones begin while there is something else to do.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("slow_callers")]
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
ONE_YEAR = "max-age=3600; includeSubDomains; preload"
EVERYWHERE = ["/", "/api/nothing/", "/health/live", "/static/shop/plug.svg", "/flower/metrics"]
LONG = "a" * 9000


@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_answer_has_the_headers_that_keep_browsers_safe_once(
    front: Front, path: str
) -> None:
    answer = front.get(path)
    assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS
    assert "Strict-Transport-Security" not in answer.headers
    assert answer.headers["Server"] == "nginx"
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-ID"])


@pytest.mark.parametrize("path", EVERYWHERE)
def test_by_https_every_answer_says_to_stay_there(front: Front, path: str) -> None:
    assert front.tls(path).headers["Strict-Transport-Security"] == ONE_YEAR


@pytest.mark.parametrize(
    ("path", "scripts"),
    [
        ("/", "default-src 'self'"),
        ("/api/nothing/", "default-src 'none'"),
        ("/api/docs/", "script-src 'self' 'unsafe-inline'; "),
        ("/admin/nothing", "script-src 'self' 'unsafe-inline' 'unsafe-eval'; "),
        ("/flower/metrics", "default-src 'none'"),
        ("/static/shop/plug.svg", "default-src 'self'"),
    ],
)
def test_scripts_come_from_the_shop_alone(front: Front, path: str, scripts: str) -> None:
    policy = front.get(path).headers["Content-Security-Policy"]
    assert scripts in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"https?:|\*", policy)


def test_what_the_shop_says_itself_stays(front: Front) -> None:
    answer = front.get("/api/said/")
    assert answer.status_code == 503
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert answer.headers["Retry-After"] == "77"


def test_no_answer_of_the_shop_opens_a_file_of_nginx(front: Front) -> None:
    (front.nginx.static / "secret.txt").write_text("secret")
    assert "secret" not in front.get("/api/said/").text


@pytest.mark.parametrize(("version", "taken"), [("1.1", False), ("1.2", True), ("1.3", True)])
def test_speaks_tls_of_today(front: Front, version: str, taken: bool) -> None:
    assert front.shakes_hands(version) is taken


class TestStaticFiles:
    def test_one_with_a_hash_in_its_name_is_kept_for_ever(self, front: Front) -> None:
        (address,) = re.findall(r'href="(/static/shop/index\.[^"]+)"', front.get("/").text)
        answer = front.get(address)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Encoding"] == "gzip"
        assert (front.nginx.static.parent / address.removeprefix("/")).stat().st_size

    def test_one_without_is_asked_for_again(self, front: Front) -> None:
        answer = front.get("/static/shop/index.css")
        assert answer.headers["Cache-Control"] == "public, max-age=60"

    def test_one_that_is_not_there_is_not_remembered(self, front: Front) -> None:
        answer = front.get("/static/shop/nothing.0123456789ab.css")
        assert answer.status_code == 404
        assert "immutable" not in answer.headers.get("Cache-Control", "")

    def test_one_that_the_shop_alone_has_comes_from_there(self, front: Front) -> None:
        asked = "/static/unfold/css/simplebar/simplebar.css"
        assert not (front.nginx.static.parent / asked.removeprefix("/")).exists()
        assert front.get(asked).status_code == 200

    @pytest.mark.parametrize(
        "target",
        ["/static/../../tmp/shop.conf", "/static/..%2f..%2flog", "/static../log"],
    )
    def test_nothing_else_can_be_read(self, front: Front, target: str) -> None:
        (answer,) = front.raw(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer.status in (400, 404)


def test_an_authority_for_certificates_finds_what_it_asks_for(front: Front) -> None:
    path = "/.well-known/acme-challenge/token"
    assert front.get(path).status_code == 404
    file = front.nginx.place / "srv" / "acme" / path.removeprefix("/")
    file.parent.mkdir(parents=True)
    file.write_text("token.thumbprint")
    assert front.get(path).text == "token.thumbprint"


def test_what_is_long_is_compressed(front: Front) -> None:
    answer = front.ask("POST", "/api/echo/", data="a" * 5000)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert len(gzip.compress(answer.content)) < 1000


# What nginx refuses, with the status and the code of its answer.
REFUSED = [
    ({"data": b"a" * 1_100_000, "method": "POST"}, 413, "too_large"),
    ({"params": LONG}, 414, "uri_too_long"),
    ({"headers": {"X-Long": LONG}}, 431, "headers_too_large"),
    ({"headers": {f"X-{n}": LONG[:4000] for n in range(12)}}, 431, "headers_too_large"),
    ({"headers": {"Host": "evil.example"}}, 421, "unknown_host"),
    ({"headers": {"Host": "a b"}}, 400, "bad_request"),
    ({"method": "TRACE"}, 405, "method_not_allowed"),
]


@pytest.mark.parametrize(("options", "status", "code"), REFUSED)
def test_a_program_is_refused_by_a_problem(
    front: Front, options: dict[str, Any], status: int, code: str
) -> None:
    before = front.arrived()
    answer = asked(front, "/api/echo/", options)
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem | {"title": "", "detail": ""} == {
        "type": "about:blank",
        "title": "",
        "status": status,
        "detail": "",
        "code": code,
        "request_id": answer.headers["X-Request-ID"],
    }
    assert problem["title"] != "Error"
    assert problem["detail"]
    assert answer.status_code == status
    assert front.arrived() == before


@pytest.mark.parametrize(("options", "status", "code"), REFUSED)
def test_a_person_is_refused_by_a_page(
    front: Front, options: dict[str, Any], status: int, code: str
) -> None:
    answer = asked(front, "/cart/", options)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "text/html"
    assert f'<p class="status">{status}</p>' in answer.text
    assert answer.headers["X-Request-ID"] in answer.text
    assert "(none)" not in answer.text
    assert "nginx" not in answer.text


def asked(front: Front, path: str, options: dict[str, Any]) -> Response:
    method = str(options.get("method", "GET"))
    return front.ask(method, path, **{k: v for k, v in options.items() if k != "method"})


def test_files_to_import_may_be_larger(front: Front) -> None:
    answer = front.ask("POST", "/admin/nothing/", files={"sheet": b"a" * 1_100_000})
    assert answer.status_code != 413


def test_staff_pages_can_be_closed_to_a_network(front: Front) -> None:
    from_there = f"Host: localhost\r\nX-Forwarded-For: {NO_STAFF}\r\n\r\n"
    for path in ("/admin/", "/admin/login/", "/flower/", "/admin/echo/"):
        (answer,) = front.raw(f"GET {path} HTTP/1.1\r\n{from_there}", address=NO_STAFF)
        assert answer.status == 403, path
    (answer,) = front.raw(f"GET /api/echo/ HTTP/1.1\r\n{from_there}", address=NO_STAFF)
    assert answer.status == 200


def test_nobody_asks_for_the_error_page_itself(front: Front) -> None:
    assert front.get("/_error").status_code == 404


def test_says_inside_its_container_that_it_is_alive(front: Front) -> None:
    assert front.own("/alive").status_code == 204
    assert front.own("/").status_code == 404


class TestAccessLog:
    def test_has_one_line_of_json_a_request(self, front: Front) -> None:
        line = self.line(front, "/api/orders/orders/AB12CD34EF/?email=ada@example.com")
        assert line["event"] == "access"
        assert line["method"] == "GET"
        assert line["area"] == "api/orders"
        assert isinstance(line["status"], int)
        assert line["status"] == int(line["upstream_status"])
        assert isinstance(line["seconds"], float)

    def test_has_nothing_in_it_that_somebody_typed(self, front: Front) -> None:
        secret = "zoe%40example.com"  # noqa: S105 none; no hexadecimal id has its letters
        for path in (
            f"/{secret}/",
            f"/api/orders/{secret}/?token={secret}",
            f"/admin/{secret}",
        ):
            line = self.line(
                front,
                path,
                headers={"Authorization": f"Bearer {secret}", "Referer": f"https://{secret}/"},
                cookies={"guest": secret},
            )
            text = json.dumps(line)
            assert "zoe" not in text
            assert "example" not in text
        assert self.line(front, "/", headers={"Host": "ada.example"})["status"] == 421

    def test_names_the_network_of_the_caller_and_not_the_address(self, front: Front) -> None:
        text = json.dumps(self.line(front, "/health/live"))
        assert '"network": "127.0.' in text
        addresses = set(re.findall(r"127\.\d+\.\d+\.\d+", text)) - {"127.0.0.1"}
        assert all(address.endswith(".0") for address in addresses)

    @pytest.mark.parametrize(
        ("path", "area"),
        [("/nothing/", "other"), ("/static/x.css", "static"), ("/api/echo/?" + LONG, "other")],
    )
    def test_says_what_part_was_asked_for(self, front: Front, path: str, area: str) -> None:
        assert self.line(front, path)["area"] == area

    def line(self, front: Front, path: str, **options: Any) -> dict[str, Any]:
        """What was logged about this request."""
        return front.logged(front.get(path, **options).headers["X-Request-ID"])
