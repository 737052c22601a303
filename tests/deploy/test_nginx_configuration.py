"""The files in deploy/nginx: nginx takes them as they are, and each of them is used."""

import re
import subprocess

from tests.nginx import SOURCE, installed


def test_nginx_takes_every_file() -> None:
    with installed() as made:
        ended = subprocess.run(  # noqa: S603 ours
            [*made.command, "-T"], capture_output=True, text=True, check=False
        )
    assert ended.returncode == 0, ended.stderr
    assert "[warn]" not in ended.stderr
    read = set(re.findall(r"^# configuration file .*/([^/]+):$", ended.stdout, re.MULTILINE))
    files = {file.name.removesuffix(".template") for file in SOURCE.rglob("*.conf*")}
    assert read == files | {"mime.types"}
