"""A worker whose connection broke without the broker's knowledge connects again and goes on."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.processes import Processes
from tests.half_open import network
from tests.pipeline import eventually
from tests.virtual_host import virtual_host

pytestmark = [pytest.mark.pipeline, pytest.mark.rabbitmq]


def test_a_worker_outlives_a_cut_that_the_broker_has_not_noticed(
    rabbitmq: str, tmp_path: Path
) -> None:
    with virtual_host(rabbitmq) as url, network(address_of(url)) as between:
        through = url.replace(f":{urlsplit(url).port}/", f":{between.port}/")
        environment = {**os.environ, "CELERY_BROKER_URL": through}
        with Processes(environment=environment, directory=tmp_path) as processes:
            processes.start(["worker-search"])
            eventually(lambda: answers(url), what="the worker answers")
            assert between.cut() > 0
            # It answers by the old connection no more, so this is by a new one.
            eventually(lambda: answers(url), what="the worker answers again")
            assert processes.alive() == ["worker-search"]


def address_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return str(parts.hostname), int(parts.port or 5672)


def answers(broker_url: str) -> bool:
    command = [sys.executable, "-m", "celery", "--app", "shop", "inspect", "ping"]
    environment = {**os.environ, "CELERY_BROKER_URL": broker_url}
    ended = subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: S603 ours
    return ended.returncode == 0
