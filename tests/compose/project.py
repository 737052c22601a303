"""A copy of the repository whose docker-compose.yml is run, unmodified."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

from tests.compose.engine import Engine, Failed, run

ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 420


class Project:
    """Its services are reached by name; its `.env` is its own."""

    def __init__(self, engine: Engine, directory: Path) -> None:
        self.engine = engine
        self.directory = directory
        # What make says to a make that it calls itself is nothing that somebody at a shell has.
        outside = {"MAKEFLAGS": "", "MAKELEVEL": "0"}
        self.environment = {
            **engine.environment,
            **outside,
            "COMPOSE_PROJECT_NAME": "plugproof-test",
        }

    def prepare(self) -> list[str]:
        """Copy the files, make `.env`, have the images; a line about each of these."""
        if (self.directory / "docker-compose.yml").exists():
            self.compose("down", "--volumes", "--remove-orphans")
            shutil.rmtree(self.directory)
        names = run("git", "ls-files", "-co", "--exclude-standard", cwd=ROOT).splitlines()
        for name in names:
            target = self.directory / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
        # As in a clone that was made under umask 077.
        run("chmod", "-R", "go=", self.directory)
        self.make("env")
        services = self.services()
        builds = {name: one["build"] for name, one in services.items() if "build" in one}
        if self.engine.is_ours:
            # A build of this engine has no network but the machine's. All else is as it is.
            hosts = {name: {"build": {"network": "host"}} for name in builds}
            local = self.directory.with_name("build-network.json")
            local.write_text(json.dumps({"services": hosts}))
            self.environment["COMPOSE_FILE"] = f"docker-compose.yml:{local}"
        images = {one["image"] for one in services.values()}
        images -= {services[name]["image"] for name in builds}
        images |= {build["args"]["PYTHON_IMAGE"] for build in builds.values()}
        return self.engine.provide(sorted(images))

    def services(self) -> dict[str, Any]:
        """What `docker compose config` makes of the file, all profiles included."""
        text = self.compose("--profile", "*", "config", "--format", "json")
        services: dict[str, Any] = json.loads(text)["services"]
        return services

    def make(self, *words: str, fails: bool = False, **environment: str) -> str:
        """What `make` with these words printed."""
        more = {**self.environment, **environment}
        return run("make", *words, cwd=self.directory, environment=more, fails=fails)

    def compose(self, *words: str, fails: bool = False, **environment: str) -> str:
        """What Compose with these words printed."""
        command = ["docker-compose"] if self.engine.is_ours else ["docker", "compose"]
        more = {**self.environment, **environment}
        return run(*command, *words, cwd=self.directory, environment=more, fails=fails)

    def exec(self, service: str, *words: str, fails: bool = False) -> str:
        """What a command in the container printed."""
        return self.compose("exec", "-T", service, *words, fails=fails)

    def manage(self, *words: str) -> str:
        """What manage.py in the backend printed."""
        return self.exec("backend", "python", "manage.py", *words)

    def sql(self, statement: str, *, service: str = "db-primary") -> str:
        """What a statement gives, as the README has it: as the shop's own user."""
        who = ["psql", "-U", "ecommerce_user", "-d", "ecommerce", "-XAtc"]
        return self.exec(service, *who, statement).strip()

    def running(self) -> list[str]:
        """The services that have a container that runs."""
        return sorted(self.compose("ps", "--services", "--status", "running").split())

    def states(self, service: str) -> list[dict[str, Any]]:
        """docker's own description of each container of a service."""
        ids = self.compose("ps", "--all", "--quiet", service).split()
        described: list[dict[str, Any]] = json.loads(self.engine.docker("inspect", *ids))
        return described

    def volume(self, name: str) -> Path:
        """Where the machine has what is on a volume."""
        full = f"{self.environment['COMPOSE_PROJECT_NAME']}_{name}"
        return Path(json.loads(self.engine.docker("volume", "inspect", full))[0]["Mountpoint"])

    def setting(self, name: str) -> str:
        """A variable's value in `.env`."""
        lines = (self.directory / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)[name]

    def set(self, name: str, value: str) -> None:
        """Change a variable in `.env`."""
        path = self.directory / ".env"
        lines = [one for one in path.read_text().splitlines() if not one.startswith(f"{name}=")]
        path.write_text("\n".join([*lines, f"{name}={value}", ""]))

    def wait_until_well(self, service: str, *, started_after: str = "") -> None:
        """Return when its container has been started again and is healthy."""
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            state = self.states(service)[0]["State"]
            if state["StartedAt"] > started_after and state.get("Health", {}).get("Status") in (
                None,
                "healthy",
            ):
                return
            time.sleep(1)
        raise Failed(
            f"{service} is not well after {_SECONDS} s:\n{self.compose('logs', service)}"
        )


def last_line(said: str, *, holds: str) -> str:
    """The last line of what make printed, but for make's own; Failed without these words."""
    lines = [one.strip() for one in said.splitlines() if not one.startswith("make: ***")]
    if holds not in lines[-1]:
        raise Failed(f"the last line does not say {holds!r}:\n{said[-2000:]}")
    return lines[-1]
