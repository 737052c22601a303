"""An engine that does not take everything: a real one behind a gate."""

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@contextmanager
def fussy_engine(
    url: str, *, is_too_much: Callable[[bytes], bool], says_so: bool
) -> Iterator[str]:
    """Its URL. A bulk that is too much is refused with 413 or, if it never `says_so`, not
    answered in time; all else goes through."""

    class Gate(BaseHTTPRequestHandler):
        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if self.path.startswith("/_bulk") and is_too_much(body):
                if says_so:
                    self._answer(413, b"{}")
                else:
                    self.rfile.read(1)  # until the client has enough of it
                return
            headers = {
                name: self.headers[name]
                for name in ("content-type", "accept")
                if self.headers[name]
            }
            request = urllib.request.Request(  # noqa: S310 ours
                url + self.path, data=body or None, headers=headers, method=self.command
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

    with ThreadingHTTPServer(("127.0.0.1", 0), Gate) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
