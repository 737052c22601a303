"""`python -m tests.compose DIRECTORY`: docker-compose.yml for real, in a copy of all files.

Linux, as root. Where no docker engine runs one is started, and where an image cannot be had a
stand-in of the same name is built, both below DIRECTORY. It takes the ports of the shop. What
it made is taken down at the end; images stay for the next time.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import requests

from tests.compose import (
    bad_input,
    cut_off,
    faults,
    hardening,
    lasting,
    quick_start,
    rolling,
    upgrading,
)
from tests.compose.engine import Engine, Failed
from tests.compose.project import Project
from tests.compose.shoppers import Unanswered

_started = time.monotonic()


def say(line: str) -> None:
    sys.stdout.write(f"{time.monotonic() - _started:6.0f} s  {line}\n")
    sys.stdout.flush()


def main() -> int:
    """0 if all of it held; 1 with what did not."""
    parser = argparse.ArgumentParser(prog="python -m tests.compose", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--only", choices=_PARTS, help="this part alone, after a first start")
    arguments = parser.parse_args()
    engine = Engine(arguments.directory.resolve() / "engine")
    engine.start()
    project = Project(engine, arguments.directory.resolve() / "shop")
    failed: list[str] = []
    try:
        for line in project.prepare():
            say(line)
        chosen = {"start", arguments.only} if arguments.only else set(_PARTS)
        failed = [
            name
            for name, part in _PARTS.items()
            if name in chosen and not _holds(project, name, part)
        ]
    finally:
        project.compose("down", "--volumes", "--remove-orphans")
        engine.stop()
    say(f"failed: {', '.join(failed)}" if failed else "all of it held")
    return bool(failed)


def _holds(project: Project, name: str, part: Callable[[Project], None]) -> bool:
    say(f"--- {name}")
    try:
        part(project)
    except (Failed, Unanswered, requests.RequestException) as failure:
        say(f"FAILED: {failure}")
        for words in (["ps", "--all"], ["logs", "--tail", "20"]):
            sys.stdout.write(project.compose(*words))
        return False
    return True


def start(project: Project) -> None:
    project.compose("build")
    started = time.monotonic()
    said = project.make("up")
    say(f"the shop sells {time.monotonic() - started:.0f} s after make up")
    if "The shop is" not in said:
        raise Failed(said)
    for service in project.running():
        project.wait_until_well(service)
    say(f"every service is well after {time.monotonic() - started:.0f} s")
    for service, words in _VERSIONS.items():
        say(f"{service}: {project.exec(service, *words).strip().splitlines()[0]}")
    quick_start.commands(project)


_VERSIONS = {
    "db-primary": ["postgres", "--version"],
    "redis": ["redis-server", "--version"],
    "rabbitmq": ["rabbitmqctl", "version"],
    "nginx": ["sh", "-c", "nginx -v 2>&1"],
    "backend": ["python", "--version"],
}


def _walk(project: Project) -> None:
    quick_start.pages(project)
    number = quick_start.first_order(project)
    say(f"the quick start by port 80: {number} is confirmed and mailed")


def _closed(project: Project) -> None:
    services = project.services()
    found = hardening.faults(services)
    if found:
        raise Failed("\n".join(found))
    total = sum(hardening.memory(services).values()) / 2**30
    say(f"{len(services)} services, closed as they should be, at most {total:.1f} GiB in all")
    for service in project.running():
        user = project.exec(service, "id", "-u").strip()
        project.exec(service, "sh", "-c", "echo >/probe", fails=True)
        if user == "0":
            raise Failed(f"{service} runs as root")


def _kills(project: Project) -> None:
    numbers = faults.kill_each(project, say)
    faults.settle(project, numbers, say)


def _cut_off(project: Project) -> None:
    cut_off.first_start(project, say)
    cut_off.first_copy(project, say)


_PARTS: dict[str, Callable[[Project], None]] = {
    "start": start,
    "quick start": _walk,
    "closed": _closed,
    "kills": _kills,
    "scale": lambda project: lasting.scale(project, say),
    "another version": lambda project: rolling.another_version(project, say),
    "https": lambda project: rolling.https(project, say),
    "restart": lambda project: lasting.restart(project, say),
    "standby": lambda project: lasting.standby(project, say),
    "restore": lambda project: lasting.restore(project, say),
    "bad input": lambda project: lasting.between(project, bad_input.refuse, say),
    "cut off": _cut_off,
    "upgrade": lambda project: upgrading.upgrade(project, say),
}

if __name__ == "__main__":
    sys.exit(main())
