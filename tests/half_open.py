"""A network that loses a connection on one side only, as a firewall may."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Network:
    """Leads every connection to `port` on to `server`, which never learns of a cut."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._clients: list[socket.socket] = []
        self._servers: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> int:
        """Close every connection towards its client alone; returns how many."""
        clients, self._clients = self._clients, []
        for client in clients:
            _end(client)
        return len(clients)

    def close(self) -> None:
        for connection in (self._listener, *self._clients, *self._servers):
            _end(connection)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            server = socket.create_connection(self._server)
            self._clients.append(client)
            self._servers.append(server)
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=_copy, args=(source, target), daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextmanager
def network(server: tuple[str, int]) -> Iterator[Network]:
    made = Network(server)
    try:
        yield made
    finally:
        made.close()
