"""Callers who hold a connection for as long as they may."""

import socket
import threading
from collections.abc import Callable, Iterator

_SECONDS = 25  # until they lose patience; nginx should have lost it long before
_HEAD = "/api/echo/?slow HTTP/1.1\r\nHost: localhost\r\n"


class SlowCaller(threading.Thread):
    """Sends one piece a second until nobody listens any more."""

    def __init__(self, connection: socket.socket, pieces: Iterator[bytes]) -> None:
        super().__init__(daemon=True)
        self.connection, self.pieces = connection, pieces
        self.was_dropped = False
        self.start()

    def run(self) -> None:
        self.connection.settimeout(1)
        for piece in self.pieces:
            try:
                self.connection.sendall(piece)
                if not self.connection.recv(1):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        else:
            return
        self.was_dropped = True


def headers_without_end() -> Iterator[bytes]:
    yield f"GET {_HEAD}".encode()
    for number in range(_SECONDS):
        yield f"X-{number}: y\r\n".encode()


def body_without_end() -> Iterator[bytes]:
    yield f"POST {_HEAD}Content-Length: 9\r\n\r\nabc".encode()
    for _ in range(_SECONDS):
        yield b""


def nothing() -> Iterator[bytes]:
    yield from [b""] * _SECONDS


def all_kinds(connected: Callable[[], socket.socket]) -> dict[str, SlowCaller]:
    """One of each kind, by name, already calling."""
    kinds = (headers_without_end, body_without_end, nothing)
    return {kind.__name__: SlowCaller(connected(), kind()) for kind in kinds}
