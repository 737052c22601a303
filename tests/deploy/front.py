"""How a test talks to the shop through nginx: by HTTP, or byte by byte."""

import itertools
import json
import socket
import ssl
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import requests
from requests.adapters import HTTPAdapter

from tests.nginx import Nginx
from tests.pipeline import eventually

# Each caller comes from an address of its own, so that no test uses up another one's limits.
_addresses = (f"127.0.{a}.{b}" for a, b in itertools.product(range(1, 200), range(1, 250)))


@dataclass(frozen=True)
class Answer:
    """What came back for one request of raw bytes."""

    status: int
    headers: dict[str, str]
    body: str

    def json(self) -> Any:
        return json.loads(self.body)


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

    def shakes_hands(self, version: str) -> bool:
        """Whether TLS of this version is spoken."""
        context = ssl.create_default_context(
            cafile=self.nginx.place / "certificates" / "fullchain.pem"
        )
        # Otherwise OpenSSL itself would not speak an old one.
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            one = ssl.TLSVersion[f"TLSv{version.replace('.', '_')}"]
            context.minimum_version = context.maximum_version = one
        there = ("127.0.0.1", self.nginx.tls_port)
        with socket.create_connection(there, timeout=30) as connection:
            try:
                context.wrap_socket(connection, server_hostname="localhost").close()
            except ssl.SSLError:
                return False
        return True

    def own(self, path: str) -> requests.Response:
        """What nginx answers inside its container."""
        return requests.get(f"http://127.0.0.1:{self.nginx.own_port}{path}", timeout=30)

    def arrived(self) -> list[str]:
        """The requests that got as far as the echo, each as "GET /path"."""
        file = self.place / "arrived"
        return file.read_text().splitlines() if file.exists() else []

    def logged(self, request_id: str) -> dict[str, Any]:
        """What the access log says about a request."""
        found: list[dict[str, Any]] = []

        def is_there() -> bool:  # it comes after the answer
            found.extend(n for n in self.nginx.lines() if n["request_id"] == request_id)
            return bool(found)

        eventually(is_there, what="the line in the log")
        return found[0]

    def raw(self, text: str, *, answers: int | None = 1, address: str = "") -> list[Answer]:
        """So many answers to these bytes, or None: all that come until nginx closes.

        Our side stays open: nginx forgets requests of somebody who has left.
        """
        with self.connected(address) as connection, connection.makefile("rb") as received:
            connection.sendall(text.encode("latin-1"))
            found = iter(lambda: _answer(received), None)
            return list(itertools.islice(found, answers))

    def connected(self, address: str = "") -> "socket.socket":
        here = (address or next(_addresses), 0)
        return socket.create_connection(
            ("127.0.0.1", self.nginx.port), timeout=30, source_address=here
        )


def _answer(received: IO[bytes]) -> Answer | None:
    """The next one, or None at the end."""
    first = received.readline().decode()
    if not first:
        return None
    headers = {}
    while line := received.readline().decode().rstrip():
        name, _, value = line.partition(": ")
        assert name.lower() not in headers, f"{name} twice"
        headers[name.lower()] = value
    body = _body(received, headers)
    return Answer(status=int(first.split()[1]), headers=headers, body=body.decode())


def _body(received: IO[bytes], headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return received.read(int(headers.get("content-length", "-1")))
    body = b""
    while length := int(received.readline(), 16):
        body += received.read(length)
        received.readline()
    received.readline()
    return body
