"""Programs of the machine's packages, installed when they are missing and we may."""

import os
import shutil
from pathlib import Path

from deploy.embedded.process import ServerUnavailable, run


def install(package: str, *, program: Path, what: str) -> None:
    """Return when `program` is there: root installs its package, others are told to."""
    if program.exists():
        return
    apt_get = shutil.which("apt-get")
    if apt_get is None or os.geteuid() != 0:
        raise ServerUnavailable(f"{what}: no {program}; as root: apt-get install {package}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    command = [apt_get, "-o", "DPkg::Lock::Timeout=300", "install", "-y"]
    command += ["--no-install-recommends", package]
    try:
        run(command, env=quiet)
    except ServerUnavailable:
        # The machine's list of packages may be missing or too old.
        run([apt_get, "update"], env=quiet)
        run(command, env=quiet)
