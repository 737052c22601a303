"""Of several shops one may fail, move or be gone; what a shopper sent is never sent twice."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from tests.nginx import Nginx, free_port, nginx
from tests.pipeline import eventually

pytestmark = pytest.mark.slow

FIRST, SECOND, NOWHERE = "127.0.0.21", "127.0.0.22", "127.0.0.23"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Shop: %s\r\n\r\nok"


class Shop(threading.Thread):
    """Takes every request and answers it, or hangs up without an answer."""

    def __init__(self, address: str, port: int) -> None:
        super().__init__(daemon=True)
        self.address = address
        self.requests: list[str] = []
        self.answers = True
        self.listening = socket.create_server((address, port))
        self.start()

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            with connection:
                received = connection.recv(65536)
                if not received:
                    return
                self.requests.append(received.decode().partition(" ")[0])
                if self.answers:
                    connection.sendall(ANSWER % self.address.encode())

    def stop(self) -> None:
        socket.create_connection(self.listening.getsockname()).close()
        self.join()
        self.listening.close()


@pytest.fixture
def port() -> int:
    """Where every shop listens, each at an address of its own."""
    return free_port()


@pytest.fixture
def server(port: int) -> Iterator[Nginx]:
    with nginx(backend=port) as made:
        yield made


@contextmanager
def shop(address: str, port: int) -> Iterator[Shop]:
    running = Shop(address, port)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def two(server: Nginx, port: int) -> Iterator[tuple[Shop, Shop]]:
    with shop(FIRST, port) as first, shop(SECOND, port) as second:
        are_at(server, FIRST, SECOND)
        yield first, second


def are_at(server: Nginx, *addresses: str) -> None:
    """Let the name of the shop have these addresses."""
    server.names.names["backend"] = list(addresses)


def ask(server: Nginx, method: str = "GET", path: str = "/api/x/") -> requests.Response:
    return requests.request(method, f"http://127.0.0.1:{server.port}{path}", timeout=30)


def test_each_of_several_gets_its_share(server: Nginx, two: tuple[Shop, Shop]) -> None:
    for _ in range(30):
        assert ask(server).status_code == 200
    assert all(len(one.requests) > 3 for one in two)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_call_that_was_sent_and_lost_is_not_sent_again(
    server: Nginx, two: tuple[Shop, Shop], method: str
) -> None:
    for one in two:
        one.answers = False
    answer = ask(server, method)
    assert [request for one in two for request in one.requests] == [method]
    assert answer.status_code == 502
    assert answer.json()["code"] == "no_answer"
    assert "Idempotency-Key" in answer.json()["detail"]
    assert answer.headers["Retry-After"] == "5"


def test_a_question_that_was_lost_is_asked_again_once(
    server: Nginx, two: tuple[Shop, Shop]
) -> None:
    for one in two:
        one.answers = False
    assert ask(server).status_code == 502
    assert [one.requests for one in two] == [["GET"], ["GET"]]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_could_not_be_sent_goes_to_another_shop(
    server: Nginx, port: int, method: str
) -> None:
    are_at(server, FIRST, NOWHERE)
    with shop(FIRST, port) as first:
        assert {ask(server, method).status_code for _ in range(20)} == {200}
        assert len(first.requests) == 20


def test_a_shop_that_moved_is_found(server: Nginx, port: int) -> None:
    are_at(server, FIRST)
    with shop(FIRST, port):
        assert {ask(server).headers["X-Shop"] for _ in range(10)} == {FIRST}
    are_at(server, SECOND)
    with shop(SECOND, port):
        # Each of nginx's processes has to learn it.
        eventually(lambda: all(ask(server).ok for _ in range(10)), what="is asked there")


@pytest.mark.parametrize("addresses", [[], [NOWHERE]])
def test_without_any_shop_people_get_a_page(server: Nginx, addresses: list[str]) -> None:
    are_at(server, *addresses)
    page = ask(server, path="/cart/")
    assert page.status_code == 502
    assert "The shop does not answer" in page.text
    assert page.headers["Retry-After"] == "5"


def test_a_shop_that_takes_no_connection_is_given_up(server: Nginx, port: int) -> None:
    are_at(server, FIRST)
    with socket.socket() as full, socket.socket() as waiting, socket.socket() as more:
        full.bind((FIRST, port))
        full.listen(0)
        for one in (waiting, more):
            one.setblocking(False)
            one.connect_ex((FIRST, port))
        answer = ask(server, "POST")
    assert answer.status_code == 504
    assert answer.json()["code"] == "no_answer"


def test_a_stream_is_passed_on_piece_by_piece(server: Nginx, port: int) -> None:
    are_at(server, FIRST)
    was_seen = threading.Event()

    def answer() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Accel-Buffering: no\r\n\r\nfirst")
            was_seen.wait(10)
            connection.sendall(b"second")

    with socket.create_server((FIRST, port)) as listening:
        shop_that_streams = threading.Thread(target=answer)
        shop_that_streams.start()
        url = f"http://127.0.0.1:{server.port}/api/x/"
        with requests.get(url, stream=True, timeout=5) as stream:
            pieces = stream.iter_content(chunk_size=None)
            assert next(pieces) == b"first"
            was_seen.set()
            assert b"".join(pieces) == b"second"
        shop_that_streams.join()
