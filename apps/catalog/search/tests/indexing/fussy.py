"""An engine that does not take everything: a real one behind a gate."""

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread


class _Fussy(ThreadingHTTPServer):
    """`is_too_much` says whether it refuses a bulk; `says_so`, with 413 or by never answering;
    one of more bytes than the `largest` it does not even read."""

    def __init__(
        self, url: str, *, is_too_much: Callable[[bytes], bool], says_so: bool, largest: int
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Gate)
        self.url, self.is_too_much = url, is_too_much
        self.says_so, self.largest = says_so, largest
        self.is_over = Event()


class _Gate(BaseHTTPRequestHandler):
    server: _Fussy

    def _pass(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if length > self.server.largest:
            self.server.is_over.wait()
            return
        body = self.rfile.read(length)
        if not (self.path.startswith("/_bulk") and self.server.is_too_much(body)):
            self._forward(body)
        elif self.server.says_so:
            self._answer(413, b"{}")
        else:
            self.rfile.read(1)  # until the client has enough of it

    def _forward(self, body: bytes) -> None:
        headers = {
            name: self.headers[name]
            for name in ("content-type", "accept")
            if self.headers[name]
        }
        request = urllib.request.Request(  # noqa: S310 ours
            self.server.url + self.path,
            data=body or None,
            headers=headers,
            method=self.command,
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 ours
                self._answer(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            self._answer(error.code, error.read())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _pass  # noqa: N815 the library's names

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def fussy_engine(
    url: str,
    *,
    is_too_much: Callable[[bytes], bool] = lambda _: False,
    says_so: bool = True,
    largest: int = 10**9,
) -> Iterator[str]:
    """Its URL. All that it has nothing against goes through to the engine behind it."""
    fussy = _Fussy(url, is_too_much=is_too_much, says_so=says_so, largest=largest)
    with fussy as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.is_over.set()
            server.shutdown()
            thread.join()
