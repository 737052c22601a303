"""A real nginx for tests, with the shop's own configuration: but for names and ports, and a
shorter memory for addresses, it is as it is."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.embedded.packages import install
from deploy.processes import ROOT
from tests.name_server import NameServer, name_server

SOURCE = ROOT / "deploy" / "nginx"
# What the entrypoint of the official image would fill in.
ENVIRONMENT = {
    "ALLOWED_HOSTS": "localhost, 127.0.0.1,shop.example,.shops.example",
    "SECURE_HSTS_SECONDS": "3600",
}
# Connections from these are a proxy that is believed, and one that may not see staff's pages.
PROXY = "127.0.0.9"
NO_STAFF = "127.0.0.8"

_NGINX = Path("/usr/sbin/nginx")


@dataclass(frozen=True, kw_only=True)
class Nginx:
    """One that runs: its ports, its files, and the names that it resolves."""

    place: Path
    names: NameServer
    port: int
    tls_port: int
    own_port: int

    @property
    def static(self) -> Path:
        return self.place / "srv" / "shop" / "static"

    @property
    def command(self) -> list[str | Path]:
        # Workers of a user who may read what root has written below a directory of its own.
        user = "user root;" if os.geteuid() == 0 else ""
        options = f"daemon off; {user}"
        return [_NGINX, "-c", self.place / "shop" / "nginx.conf", "-e", "stderr", "-g", options]

    def lines(self) -> list[dict[str, Any]]:
        """The access log so far."""
        return [json.loads(line) for line in (self.place / "log").read_text().splitlines()]


@contextmanager
def nginx(*, backend: int = 9, flower: int = 9) -> Iterator[Nginx]:
    """One that runs, with the shop and Flower on these ports of 127.0.0.1."""
    with (
        installed(backend=backend, flower=flower) as made,
        subprocess.Popen(made.command) as running,  # noqa: S603 ours
    ):
        try:
            _wait_until_it_listens(made, running)
            yield made
        finally:
            running.terminate()


@contextmanager
def installed(*, backend: int = 9, flower: int = 9) -> Iterator[Nginx]:
    """One with all its files, that has not been started."""
    install("nginx-light", program=_NGINX, what="nginx")
    addresses = {"backend": ["127.0.0.1"], "flower": ["127.0.0.1"]}
    with (
        tempfile.TemporaryDirectory(prefix="plugproof-nginx-") as directory,
        name_server(addresses) as names,
    ):
        place = Path(directory)
        place.chmod(0o755)
        port, tls_port, own_port = _free_ports(3)
        made = Nginx(place=place, names=names, port=port, tls_port=tls_port, own_port=own_port)
        made.static.mkdir(parents=True)
        for name in ("tmp", "tls", "certificates"):
            (place / name).mkdir()
        _make_certificate(place / "certificates")
        shutil.copytree(SOURCE, place / "shop")
        _adapt(made, backend=backend, flower=flower)
        yield made


def _make_certificate(directory: Path) -> None:
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
    ]
    command += ["-noenc", "-days", "2", "-subj", "/CN=shop.example"]
    command += ["-addext", "subjectAltName=DNS:shop.example,DNS:localhost"]
    command += ["-keyout", "privkey.pem", "-out", "fullchain.pem"]
    subprocess.run(command, cwd=directory, check=True, capture_output=True)  # noqa: S603 ours


def _adapt(made: Nginx, *, backend: int, flower: int) -> None:
    replaced = {
        "/etc/nginx/shop": f"{made.place}/shop",
        "/etc/nginx/tls": f"{made.place}/tls",
        "/etc/nginx/certificates": f"{made.place}/certificates",
        " /tmp/": f" {made.place}/tmp/",  # noqa: S108 what nginx uses in its container
        "/srv/": f"{made.place}/srv/",
        "/dev/stdout": f"{made.place}/log",
        "resolver 127.0.0.11 valid=5s": f"resolver 127.0.0.1:{made.names.port} valid=1s",
        "backend:8000": f"backend:{backend}",
        "flower:5555": f"flower:{flower}",
        "listen 80 ": f"listen 127.0.0.1:{made.port} ",
        "listen 443 ": f"listen 127.0.0.1:{made.tls_port} ",
        "listen 127.0.0.1:8080": f"listen 127.0.0.1:{made.own_port}",
    } | {f"${{{name}}}": value for name, value in ENVIRONMENT.items()}
    shop = made.place / "shop"
    unused = set(replaced)
    for file in [*shop.glob("*.conf"), *shop.glob("templates/*.template")]:
        unused -= _replace(file, replaced)
    assert not unused, "the configuration has no such names any more"
    for template in shop.glob("templates/*.template"):
        template.rename(made.place / "tmp" / template.stem)
    (shop / "tls.conf").rename(made.place / "tls" / "tls.conf")
    # As an operator would fill them in.
    with (shop / "proxies.conf").open("a") as proxies:
        proxies.write(f"set_real_ip_from {PROXY};\n")
    with (shop / "staff.conf").open("a") as staff:
        staff.write(f"deny {NO_STAFF};\n")


def _replace(file: Path, replaced: Mapping[str, str]) -> set[str]:
    """What of it the file had."""
    text = file.read_text()
    names = re.compile("|".join(re.escape(old) for old in replaced))
    file.write_text(names.sub(lambda found: replaced[found[0]], text))
    return set(names.findall(text))


def free_port() -> int:
    (port,) = _free_ports(1)
    return port


def _free_ports(number: int) -> list[int]:
    """Different ones, because all are taken before the first is given back."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def _wait_until_it_listens(made: Nginx, running: subprocess.Popen[bytes]) -> None:
    # Written when all ports are its own; whether one answers may be somebody else's doing.
    pid_file = made.place / "tmp" / "nginx.pid"
    for _ in range(500):
        if pid_file.exists():
            return
        assert running.poll() is None, "nginx ended while starting"
        time.sleep(0.02)
    raise AssertionError("nginx does not listen")
