"""RabbitMQ of the machine's packages, with data, cookie, ports and epmd of its own.

And RabbitMQ 4.0 beside it, from a Debian 13 system (deploy/embedded/trixie.py).
"""

import http.client
import json
import os
import shutil
import signal
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.embedded import trixie
from deploy.embedded.home import Home, is_free, write_private
from deploy.embedded.packages import install
from deploy.embedded.process import (
    Account,
    ServerUnavailable,
    is_running,
    launch,
    recorded_pid,
    run,
    send,
    wait_until,
)
from deploy.embedded.server import Server

# Not the commands in /usr/sbin: those change to the system's directories and user.
PROGRAMS = Path("/usr/lib/rabbitmq/bin")
Command = Sequence[str | Path]
USER, NODE = "ecommerce", "plugproof@localhost"
# Off, so that whatever still needs one of them fails here first: a later 4.x drops them.
# Not management_metrics_collection: without it nobody could see how long a queue is.
DEPRECATED = ("transient_nonexcl_queues", "global_qos", "ram_node_type", "amqp_address_v1")


class RabbitMQ(Server):
    """The broker of production, for whoever asks for it."""

    name = "rabbitmq"
    DISK_FREE_LIMIT = "200MB"

    @property
    def data(self) -> Path:
        """The directory of everything it reads and writes."""
        return self.home.path / self.name

    @property
    def pid_file(self) -> Path:
        return self.data / "pid"

    @property
    def mark(self) -> str:
        return f"-home {self.data} "

    def version(self) -> str:
        """Return the version once management and broker both answer."""
        try:
            overview = self._overview()
        except (OSError, http.client.HTTPException):
            return ""
        listening = any(one["protocol"] == "amqp" for one in overview.get("listeners", []))
        return str(overview["rabbitmq_version"]) if listening else ""

    def url(self) -> str:
        """Return the address for the application."""
        return f"amqp://{USER}:{self.home.secret('rabbitmq')}@{self.address}//"

    def management_url(self) -> str:
        """Return the address of the management plugin, user and password included."""
        port = self.home.port(f"{self.name}_management")
        return f"http://{USER}:{self.home.secret('rabbitmq')}@127.0.0.1:{port}"

    def stop(self) -> None:
        """Return when broker and epmd have ended."""
        super().stop()
        self._stop_epmd()

    def kill(self) -> None:
        """End the broker without a chance to tidy up, and its epmd."""
        super().kill()
        self._stop_epmd()

    def ctl(self, *words: str) -> str:
        """Return what `rabbitmqctl` with these words printed."""
        data, account = self.home.directory_of(self.name)
        command, caller = self._enter([PROGRAMS / "rabbitmqctl", *words], account)
        return run(command, account=caller, env=self._environment(data))

    def _begin(self) -> int:
        self._install()
        data, account = self.home.directory_of(self.name)
        self.home.claim_ports([self.name, f"{self.name}_management", f"{self.name}_dist"])
        self._start_epmd(account)
        self._configure(account)
        self.pid_file.unlink(missing_ok=True)
        command, starter = self._enter([PROGRAMS / "rabbitmq-server"], account)
        return launch(
            command,
            log=self.home.log(self.name),
            account=starter,
            env=self._environment(data),
        )

    def _install(self) -> None:
        install("rabbitmq-server", program=PROGRAMS / "rabbitmq-server", what="RabbitMQ")
        if shutil.which("epmd") is None:
            raise ServerUnavailable("RabbitMQ: no epmd on PATH, install erlang-base")

    def _programs(self) -> Path:
        """Where the programs lie, seen from here."""
        return PROGRAMS

    def _enter(
        self, command: Command, account: Account | None
    ) -> tuple[Command, Account | None]:
        """What to call, and as whom, for the command to run as `account`."""
        return command, account

    def _environment(self, data: Path) -> dict[str, str]:
        return {
            "HOME": str(data),
            "ERL_EPMD_PORT": str(self.home.port(self._epmd)),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_NODE_PORT": str(self.home.port(self.name)),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            # Left alone it would be 20000 above the node's port, which may not exist.
            "RABBITMQ_DIST_PORT": str(self.home.port(f"{self.name}_dist")),
            "RABBITMQ_MNESIA_BASE": str(data / "mnesia"),
            "RABBITMQ_LOG_BASE": str(data / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(self.pid_file),
            "RABBITMQ_CONFIG_FILE": str(data / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(data / "env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(data / "enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(data / "generated"),
            # Idle schedulers sleep instead of spinning: the machine is shared.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface "
            "{127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none",
        }

    def _configure(self, account: Account | None) -> None:
        settings = {
            "management.tcp.ip": "127.0.0.1",
            "management.tcp.port": str(self.home.port(f"{self.name}_management")),
            "default_user": USER,
            "default_pass": self.home.secret("rabbitmq"),
            "vm_memory_high_watermark.absolute": "1GB",
            "disk_free_limit.absolute": self.DISK_FREE_LIMIT,
        }
        if self._release() >= 4:
            settings |= {f"deprecated_features.permit.{one}": "false" for one in DEPRECATED}
        files = {
            "rabbitmq.conf": "".join(f"{key} = {value}\n" for key, value in settings.items()),
            "enabled_plugins": "[rabbitmq_management].\n",
            "env.conf": "",
            ".erlang.cookie": self.home.secret("rabbitmq_cookie"),
        }
        for name, text in files.items():
            write_private(self.data / name, text, account)

    def _release(self) -> int:
        """The first number of the version that is going to run."""
        (installed,) = (self._programs().parent / "lib").glob("rabbitmq_server-*")
        return int(installed.name.removeprefix("rabbitmq_server-").partition(".")[0])

    def _start_epmd(self, account: Account | None) -> None:
        """Start an epmd of our own: the machine's stays out of it, and ours can be ended."""
        self._stop_epmd()
        self.home.claim_ports([self._epmd])
        port = self.home.port(self._epmd)
        command, starter = self._enter(
            ["epmd", "-port", str(port), "-address", "127.0.0.1"], account
        )
        pid = launch(command, log=self.home.log(self._epmd), account=starter)
        write_private(self._epmd_pid_file, str(pid))
        if not wait_until(lambda: not is_free(port), seconds=10):
            raise ServerUnavailable("epmd does not start", log=self.home.log(self._epmd))

    def _stop_epmd(self) -> None:
        pid = recorded_pid(self._epmd_pid_file)
        mark = f"-port {self.home.port(self._epmd)} "
        if pid is not None and is_running(pid, mark):
            send(pid, signal.SIGTERM)
            wait_until(lambda: not is_running(pid, mark), seconds=10)

    @property
    def _epmd(self) -> str:
        return self.name.replace("rabbitmq", "epmd")

    @property
    def _epmd_pid_file(self) -> Path:
        return self.data / "epmd.pid"

    def _overview(self) -> dict[str, Any]:
        port = self.home.port(f"{self.name}_management")
        login = b64encode(f"{USER}:{self.home.secret('rabbitmq')}".encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", "/api/overview", headers={"Authorization": f"Basic {login}"})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        overview: dict[str, Any] = json.loads(body) if response.status == 200 else {}
        return overview


class RabbitMQ4(RabbitMQ):
    """RabbitMQ 4.0, whatever the machine's packages have; its data are its own."""

    name = "rabbitmq4"

    def _install(self) -> None:
        trixie.make()

    def _programs(self) -> Path:
        return trixie.TREE / PROGRAMS.relative_to("/")

    def _enter(
        self, command: Command, account: Account | None
    ) -> tuple[Command, Account | None]:
        return trixie.inside(command, data=self.data, account=account), None


def chosen(home: Home) -> RabbitMQ:
    """The machine's RabbitMQ or, where RABBITMQ_SERIES is 4, a 4.0 beside it."""
    series = os.environ.get("RABBITMQ_SERIES", "")
    if series not in ("", "4"):
        raise ServerUnavailable(f"RABBITMQ_SERIES={series}: may be 4, or not be set")
    return RabbitMQ4(home) if series else RabbitMQ(home)
