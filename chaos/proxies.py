"""Toxiproxy between the shop's processes and its servers."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests

from deploy.embedded import Servers, ServerUnavailable
from deploy.embedded.home import is_free
from deploy.embedded.process import wait_until

_MODULE = "github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0"
_URLS = {"primary": "DATABASE_URL", "redis": "REDIS_URL", "rabbitmq": "CELERY_BROKER_URL"}
# What is done to a connection; times in milliseconds.
TOXICS: dict[str, dict[str, Any]] = {
    "latency": {"type": "latency", "attributes": {"latency": 50, "jitter": 25}},
    "reset": {"type": "reset_peer", "attributes": {"timeout": 0}},
    "silence": {"type": "timeout", "attributes": {"timeout": 0}},
}


class Proxies:
    """One proxy for each server, harmless until a toxic is put in."""

    def __init__(self, servers: Servers) -> None:
        directory = servers.home.directory
        self._program = install(directory / "toxiproxy")
        self._log = directory / "log" / "toxiproxy.log"
        self._ports = [port for port in range(21000, 21100) if is_free(port)]
        self._api = f"http://127.0.0.1:{self._ports[0]}"
        self._direct = servers.environment()
        self._process: subprocess.Popen[bytes]
        self.environment: dict[str, str] = {}

    def __enter__(self) -> "Proxies":
        with self._log.open("ab") as log:
            command = [str(self._program), "-host", "127.0.0.1", "-port", str(self._ports[0])]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 built by us
        try:
            if not wait_until(lambda: not is_free(self._ports[0]), seconds=10):
                raise ServerUnavailable("toxiproxy does not start", log=self._log)
            for port, (name, variable) in zip(self._ports[1:], _URLS.items(), strict=False):
                self._add(name, variable, port)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def poison(self, server: str, name: str) -> None:
        """Every connection to the server suffers from this, until cure()."""
        body = {"name": name, "stream": "downstream", "toxicity": 1.0, **TOXICS[name]}
        self._ask("POST", f"proxies/{server}/toxics", body)

    def cure(self) -> None:
        """No connection suffers any more."""
        self._ask("POST", "reset", {})

    def _add(self, name: str, variable: str, port: int) -> None:
        parts = urlsplit(self._direct[variable])
        target = f"{parts.hostname}:{parts.port}"
        body = {"name": name, "listen": f"127.0.0.1:{port}", "upstream": target}
        self._ask("POST", "proxies", body)
        place = parts.netloc.replace(target, f"127.0.0.1:{port}")
        self.environment[variable] = urlunsplit(parts._replace(netloc=place))

    def _ask(self, method: str, path: str, body: dict[str, Any]) -> None:
        answer = requests.request(method, f"{self._api}/{path}", json=body, timeout=5)
        answer.raise_for_status()


def install(directory: Path) -> Path:
    """Build toxiproxy from its module, once; raises ServerUnavailable without Go."""
    program = directory / "server"
    if program.exists():
        return program
    go = shutil.which("go")
    if go is None:
        raise ServerUnavailable("toxiproxy: no go on PATH to build it with")
    environment = {**os.environ, "GOBIN": str(directory)}
    done = subprocess.run(  # noqa: S603 found by us
        [go, "install", _MODULE], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no reason"])[-1]
        raise ServerUnavailable(f"toxiproxy cannot be built: {last}")
    return program
