"""A name server for tests: what nginx asks where a container would ask Docker's."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_HEADER = struct.Struct("!6H")
_RECURSIVE_ANSWER = 0x8180
_NO_SUCH_NAME = 3


class NameServer:
    """Answers with the addresses in `names`, which a test may change, for a second."""

    def __init__(self, names: dict[str, list[str]]) -> None:
        self.names = names
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])

    def serve(self) -> None:
        while True:
            question, caller = self._socket.recvfrom(512)
            if not question:
                return
            self._socket.sendto(self._answer(question), caller)

    def stop(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))

    def close(self) -> None:
        self._socket.close()

    def _answer(self, question: bytes) -> bytes:
        number = _HEADER.unpack_from(question)[0]
        end = question.index(b"\0", _HEADER.size)
        addresses = self.names.get(_name(question[_HEADER.size : end]), [])
        flags = _RECURSIVE_ANSWER | (0 if addresses else _NO_SUCH_NAME)
        answer = _HEADER.pack(number, flags, 1, len(addresses), 0, 0)
        answer += question[_HEADER.size : end + 5]
        for address in addresses:
            # The name of the question; type A, class IN, a second, four bytes.
            answer += struct.pack("!HHHIH", 0xC00C, 1, 1, 1, 4) + socket.inet_aton(address)
        return answer


def _name(labels: bytes) -> str:
    words = []
    while labels:
        words.append(labels[1 : 1 + labels[0]].decode())
        labels = labels[1 + labels[0] :]
    return ".".join(words)


@contextmanager
def name_server(names: dict[str, list[str]]) -> Iterator[NameServer]:
    """One that runs and knows `names`."""
    server = NameServer(names)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
        server.close()
