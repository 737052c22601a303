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
    # From 1.25 on another spelling is preferred, which 1.22 does not know.
    warnings = [line for line in ended.stderr.splitlines() if "[warn]" in line]
    assert [line for line in warnings if '"http2" directive' not in line] == []
    read = set(re.findall(r"^# configuration file .*/([^/]+):$", ended.stdout, re.MULTILINE))
    files = {file.name.removesuffix(".template") for file in SOURCE.rglob("*.conf*")}
    assert read == files | {"mime.types"}
