"""RabbitMQ of the machine's packages, with data, cookie, ports and epmd of its own."""

import http.client
import json
import os
import shutil
import signal
from base64 import b64encode
from pathlib import Path
from typing import Any

from deploy.embedded.home import is_free, write_private
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
USER, NODE = "ecommerce", "plugproof@localhost"
PORTS = ("rabbitmq", "rabbitmq_management", "rabbitmq_dist")


class RabbitMQ(Server):
    """The broker of production, for whoever asks for it."""

    name = "rabbitmq"

    @property
    def data(self) -> Path:
        """The directory of everything it reads and writes."""
        return self.home.path / "rabbitmq"

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
        port = self.home.port("rabbitmq_management")
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
        data, account = self.home.directory_of("rabbitmq")
        command = [str(PROGRAMS / "rabbitmqctl"), *words]
        return run(command, account=account, env=self._environment(data))

    def _begin(self) -> int:
        install()
        data, account = self.home.directory_of("rabbitmq")
        self.home.claim_ports(PORTS)
        self._start_epmd(account)
        self._configure(account)
        self.pid_file.unlink(missing_ok=True)
        return launch(
            [PROGRAMS / "rabbitmq-server"],
            log=self.home.log("rabbitmq"),
            account=account,
            env=self._environment(data),
        )

    def _environment(self, data: Path) -> dict[str, str]:
        return {
            "HOME": str(data),
            "ERL_EPMD_PORT": str(self.home.port("epmd")),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_NODE_PORT": str(self.home.port("rabbitmq")),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            # Left alone it would be 20000 above the node's port, which may not exist.
            "RABBITMQ_DIST_PORT": str(self.home.port("rabbitmq_dist")),
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
            "management.tcp.port": str(self.home.port("rabbitmq_management")),
            "default_user": USER,
            "default_pass": self.home.secret("rabbitmq"),
            "vm_memory_high_watermark.absolute": "1GB",
            "disk_free_limit.absolute": "200MB",
        }
        files = {
            "rabbitmq.conf": "".join(f"{key} = {value}\n" for key, value in settings.items()),
            "enabled_plugins": "[rabbitmq_management].\n",
            "env.conf": "",
            ".erlang.cookie": self.home.secret("rabbitmq_cookie"),
        }
        for name, text in files.items():
            write_private(self.data / name, text, account)

    def _start_epmd(self, account: Account | None) -> None:
        """Start an epmd of our own: the machine's stays out of it, and ours can be ended."""
        self._stop_epmd()
        self.home.claim_ports(["epmd"])
        port = self.home.port("epmd")
        program = shutil.which("epmd")
        if program is None:
            raise ServerUnavailable("RabbitMQ: no epmd on PATH, install erlang-base")
        pid = launch(
            [program, "-port", str(port), "-address", "127.0.0.1"],
            log=self.home.log("epmd"),
            account=account,
        )
        write_private(self._epmd_pid_file, str(pid))
        if not wait_until(lambda: not is_free(port), seconds=10):
            raise ServerUnavailable("epmd does not start", log=self.home.log("epmd"))

    def _stop_epmd(self) -> None:
        pid = recorded_pid(self._epmd_pid_file)
        mark = f"-port {self.home.port('epmd')} "
        if pid is not None and is_running(pid, mark):
            send(pid, signal.SIGTERM)
            wait_until(lambda: not is_running(pid, mark), seconds=10)

    @property
    def _epmd_pid_file(self) -> Path:
        return self.data / "epmd.pid"

    def _overview(self) -> dict[str, Any]:
        port = self.home.port("rabbitmq_management")
        login = b64encode(f"{USER}:{self.home.secret('rabbitmq')}".encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", "/api/overview", headers={"Authorization": f"Basic {login}"})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        overview: dict[str, Any] = json.loads(body) if response.status == 200 else {}
        return overview


def install() -> None:
    """Install the machine's package if RabbitMQ is not there and we may."""
    if (PROGRAMS / "rabbitmq-server").exists():
        return
    apt_get = shutil.which("apt-get")
    if apt_get is None or os.geteuid() != 0:
        raise ServerUnavailable(
            f"RabbitMQ: no {PROGRAMS}/rabbitmq-server; as root: apt-get install rabbitmq-server"
        )
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    command = [apt_get, "-o", "DPkg::Lock::Timeout=300", "install", "-y"]
    command += ["--no-install-recommends", "rabbitmq-server"]
    try:
        run(command, env=quiet)
    except ServerUnavailable:
        # The machine's list of packages may be missing or too old.
        run([apt_get, "update"], env=quiet)
        run(command, env=quiet)
