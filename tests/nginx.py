"""A real nginx for tests, with the shop's own configuration files."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.embedded.packages import install

_NGINX = Path("/usr/sbin/nginx")
_CONFIGURATION = """
daemon off;
pid {place}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {place}/body;
    proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi;
    scgi_temp_path {place}/scgi;
    {http}
    server {{
        listen 127.0.0.1:{port};
        {server}
    }}
}}
"""


@contextmanager
def nginx(*, http: str, server: str) -> Iterator[int]:
    """The port of one that runs with these lines in its http and server blocks."""
    install("nginx-light", program=_NGINX, what="nginx")
    place = Path(tempfile.mkdtemp(prefix="plugproof-nginx-"))
    port = free_port()
    file = place / "nginx.conf"
    file.write_text(_CONFIGURATION.format(place=place, port=port, http=http, server=server))
    command: list[str | Path] = [_NGINX, "-p", place, "-c", file, "-e", "stderr"]
    with subprocess.Popen(command) as running:  # noqa: S603 ours
        try:
            _wait_for(port, running)
            yield port
        finally:
            running.terminate()
    shutil.rmtree(place)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, running: subprocess.Popen[bytes]) -> None:
    for _ in range(500):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            assert running.poll() is None, "nginx ended while starting"
            time.sleep(0.02)
    raise AssertionError("nginx does not listen")
