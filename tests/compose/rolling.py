"""Another version while the shop sells, as docs/operations.md has it; and HTTPS."""

import threading
import time
from collections.abc import Callable

import requests

from tests.compose.engine import Failed, run
from tests.compose.project import Project
from tests.compose.quick_start import expect, get
from tests.compose.shoppers import Shoppers

Say = Callable[[str], None]


class Visitor:
    """Asks for the catalogue five times a second; `failures` are the answers that were none."""

    def __init__(self) -> None:
        self.answers = 0
        self.failures: list[str] = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._visit)

    def __enter__(self) -> "Visitor":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join()

    def _visit(self) -> None:
        while not self._closing.wait(0.2):
            try:
                get("/api/catalog/products/")
                self.answers += 1
            except (Failed, requests.RequestException) as failure:
                self.failures.append(str(failure))


def another_version(project: Project, say: Say) -> None:
    """Each step of the documentation; nobody is turned away."""
    before = _version(project)
    with (project.directory / "shop" / "__init__.py").open("a") as module:
        module.write("# another version\n")
    old = project.states("backend")[0]["Id"]
    started = time.monotonic()
    with Shoppers() as shoppers, Visitor() as visitor:
        project.compose("build")
        project.compose("run", "--rm", "migrate")
        update = ["up", "--detach", "--no-deps"]
        project.compose(*update, "worker-order", "worker-email", "worker-search", "beat")
        project.compose(*update, "relay")
        project.compose(*update, "--no-recreate", "--scale", "backend=2", "--wait", "backend")
        project.engine.docker("stop", old)
        project.engine.docker("rm", old)
        project.compose(*update, "--no-recreate", "--scale", "backend=1", "backend")
        time.sleep(10)
    if _version(project) == before:
        raise Failed("it is still the version of before")
    if visitor.failures:
        raise Failed(f"{len(visitor.failures)} failures: {visitor.failures[:5]}")
    say(
        f"another version in {time.monotonic() - started:.0f} s: {visitor.answers} pages and"
        f" {len(shoppers.numbers)} orders meanwhile, none failed"
    )
    project.make("up")


def _version(project: Project) -> str:
    return str(project.states("backend")[0]["Image"])


def https(project: Project, say: Say) -> None:
    """The profile `tls`, with a certificate of our own."""
    place = project.directory / "certificates"
    place.mkdir(exist_ok=True)
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "2"]
    names = [
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        "privkey.pem",
        "-out",
        "fullchain.pem",
    ]
    run(*request, *names, cwd=place)
    # Of nobody's: whoever nginx is in its image may read it.
    (place / "privkey.pem").chmod(0o644)
    profiles = project.setting("COMPOSE_PROFILES")
    project.set("COMPOSE_PROFILES", f"{profiles},tls")
    try:
        project.compose("up", "--detach", "--wait", "--no-deps", "nginx-tls")
        certificate = str(place / "fullchain.pem")
        answer = requests.get("https://localhost/health/live", verify=certificate, timeout=30)
        say(f"https://localhost answers {expect(answer).status_code}")
    finally:
        project.compose("rm", "--stop", "--force", "nginx-tls")
        project.set("COMPOSE_PROFILES", profiles)
