"""How a test talks to the shop through nginx: by HTTP, or byte by byte."""

import itertools
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from tests.nginx import Nginx

# Each caller comes from an address of its own, so that no test uses up another one's limits.
_addresses = (f"127.0.{a}.{b}" for a, b in itertools.product(range(1, 200), range(1, 250)))


@dataclass(frozen=True)
class Answer:
    """What came back for one request of raw bytes."""

    status: int
    headers: dict[str, str]
    body: str


class Caller(requests.Session):
    """Somebody with an address: by default one that nobody else has."""

    def __init__(self, address: str = "") -> None:
        super().__init__()
        self.address = address or next(_addresses)
        for scheme in ("http://", "https://"):
            self.mount(scheme, _From(self.address))


class _From(HTTPAdapter):
    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, source_address=(self._address, 0), **kwargs)


@dataclass(frozen=True, kw_only=True)
class Front:
    nginx: Nginx
    place: Path

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.nginx.port}{path}"

    def get(
        self, path: str, *, caller: Caller | None = None, **options: Any
    ) -> requests.Response:
        return self.ask("GET", path, caller=caller, **options)

    def ask(
        self, method: str, path: str, *, caller: Caller | None = None, **options: Any
    ) -> requests.Response:
        with caller or Caller() as session:
            return session.request(method, self.url(path), timeout=30, **options)

    def tls(self, path: str, **options: Any) -> requests.Response:
        """The answer by HTTPS."""
        with Caller() as session:
            return session.get(
                f"https://localhost:{self.nginx.tls_port}{path}",
                verify=str(self.nginx.place / "certificates" / "fullchain.pem"),
                timeout=30,
                **options,
            )

    def arrived(self) -> list[str]:
        """The requests that got as far as the echo, each as "GET /path"."""
        file = self.place / "arrived"
        return file.read_text().splitlines() if file.exists() else []

    def raw(self, text: str, *, address: str = "") -> list[Answer]:
        """What nginx answers to these bytes, until it closes."""
        with self.connected(address) as connection:
            connection.sendall(text.encode("latin-1"))
            connection.shutdown(socket.SHUT_WR)
            return list(_answers(connection.makefile("rb").read()))

    def connected(self, address: str = "") -> "socket.socket":
        here = (address or next(_addresses), 0)
        return socket.create_connection(
            ("127.0.0.1", self.nginx.port), timeout=30, source_address=here
        )


def _answers(received: bytes) -> Iterator[Answer]:
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        body, received = _body(rest, headers)
        yield Answer(status=int(first.split()[1]), headers=headers, body=body.decode())


def _body(rest: bytes, headers: dict[str, str]) -> tuple[bytes, bytes]:
    """The body, and what follows it."""
    if headers.get("transfer-encoding") != "chunked":
        length = int(headers.get("content-length", len(rest)))
        return rest[:length], rest[length:]
    body = b""
    while True:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        body, rest = body + rest[:length], rest[length + 2 :]
        if not length:
            return body, rest
