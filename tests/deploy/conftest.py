"""One nginx in front of one granian, for all tests of it."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from deploy.processes import ROOT, Processes
from tests.deploy.front import Front
from tests.deploy.slow_callers import SlowCaller, all_kinds
from tests.nginx import ENVIRONMENT, free_port, nginx
from tests.pipeline import eventually


@pytest.fixture(scope="session")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """The shop with production's settings, as the Procfile starts it, behind nginx."""
    place = tmp_path_factory.mktemp("front")
    port = free_port()
    with nginx(backend=port, flower=port) as server:
        environment = {
            **os.environ,
            **ENVIRONMENT,
            "DJANGO_SETTINGS_MODULE": "tests.deploy.front_settings",
            "SECRET_KEY": "k" * 50,
            "SECURE_SSL_REDIRECT": "false",
            "NUM_PROXIES": "1",
            "PORT": str(port),
            "WEB_WORKERS": "1",
            "TEST_STATIC_ROOT": str(server.static),
            "TEST_ARRIVED": str(place / "arrived"),
        }
        _collect_static(environment)
        with Processes(environment=environment, directory=place) as processes:
            processes.start(["web"])
            made = Front(nginx=server, place=place)
            eventually(lambda: made.get("/health/live").ok, what="the shop answers")
            yield made


@pytest.fixture(scope="session")
def slow_callers(front: Front) -> Iterator[dict[str, SlowCaller]]:
    """Whoever asks for them first lets them begin: nginx needs ten seconds to drop them."""
    callers = all_kinds(front.connected)
    yield callers
    for caller in callers.values():
        caller.join()
        caller.connection.close()


def _collect_static(environment: dict[str, str]) -> None:
    """The shop's own files; there is a page that needs no others."""
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    for package in ("admin", "drf_spectacular_sidecar", "import_export", "rest_framework"):
        command += ["--ignore", package]
    command += ["--ignore", "tree_queries", "--ignore", "unfold"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)  # noqa: S603 ours
