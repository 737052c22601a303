"""The files in deploy/nginx: nginx takes them as they are, and each of them is used."""

import re
import subprocess

import pytest

from tests.nginx import ENVIRONMENT, SOURCE, installed

pytestmark = pytest.mark.slow


def test_nginx_takes_every_file() -> None:
    with installed() as made:
        ended = subprocess.run(  # noqa: S603 ours
            [*made.command, "-T"], capture_output=True, text=True, check=False
        )
    assert ended.returncode == 0, ended.stderr
    # From 1.25 on another spelling is preferred, which 1.22 does not know.
    warnings = [line for line in ended.stderr.splitlines() if "[warn]" in line]
    assert [line for line in warnings if '"http2" directive' not in line] == []
    read = set(re.findall(r"^# configuration file .*/([^/]+):$", ended.stdout, re.MULTILINE))
    files = {file.name.removesuffix(".template") for file in SOURCE.rglob("*.conf*")}
    assert read == files | {"mime.types"}


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_variable_that_is_not_set_stops_the_start_and_is_named(name: str) -> None:
    with installed() as made:
        file = made.place / "tmp" / "shop.conf"
        # What the image's entrypoint leaves as it is.
        file.write_text(file.read_text().replace(ENVIRONMENT[name], f"${{{name}}}"))
        ended = subprocess.run(  # noqa: S603 ours
            [*made.command, "-t"], capture_output=True, text=True, check=False
        )
    assert ended.returncode == 1
    assert f'unknown "{name.lower()}" variable' in ended.stderr.lower()
