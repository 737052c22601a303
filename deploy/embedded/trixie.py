"""Debian 13 in a directory of a machine that has another system: RabbitMQ 4.0 is in there.

Made once for all checkouts, from where the machine takes its own packages; delete it at will
when nothing runs from it.
"""

import fcntl
import os
import platform
import shutil
from collections.abc import Sequence
from pathlib import Path

from deploy.embedded.home import own_directory
from deploy.embedded.packages import install
from deploy.embedded.process import Account, ServerUnavailable, run

TREE = Path("/var/cache/plugproof/trixie")
_DEBOOTSTRAP = Path("/usr/sbin/debootstrap")
# In a mount namespace of the server's own: nothing stays mounted when it has ended, and
# deleting the tree can never delete the data.
_ENTER = """
mount --bind /proc "$1/proc"
mount --rbind /dev "$1/dev"
(umask 022; mkdir -p "$1$2")
mount --bind "$2" "$1$2"
tree=$1 account=$3
shift 3
exec chroot --userspec="$account" --groups= "$tree" "$@"
"""


def make() -> None:
    """Return when the tree is there; making it takes half a minute and 300 MB."""
    if TREE.exists():
        return
    if os.geteuid() != 0:
        raise ServerUnavailable(f"RabbitMQ 4: no {TREE}, and only root can make it")
    install("debootstrap", program=_DEBOOTSTRAP, what="RabbitMQ 4")
    parent = own_directory(TREE.parent, mode=0o755)
    with (parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not TREE.exists():
            _make()


def inside(
    command: Sequence[str | Path], *, data: Path, account: Account | None
) -> list[str | Path]:
    """What to call for `command` to run in the tree as `account`, `data` at its usual place."""
    if account is None:
        raise ServerUnavailable("RabbitMQ 4: only root can run it from its Debian 13")
    enter: list[str | Path] = ["unshare", "--mount", "--propagation", "private"]
    enter += ["/bin/sh", "-ec", _ENTER, "sh", TREE, data, f"{account.uid}:{account.gid}"]
    return [*enter, *command]


def _make() -> None:
    half = TREE.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    options = ["--variant=minbase", "--include=rabbitmq-server"]
    run([_DEBOOTSTRAP, *options, "trixie", half, _mirror()])
    shutil.rmtree(half / "var" / "cache" / "apt")
    half.rename(TREE)


def _mirror() -> str:
    """Where the machine takes its own Debian from."""
    release = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    sources = [f"Release: {release}", "Component: main", "Created-By: Packages"]
    found = run(["apt-get", "indextargets", "--format", "$(REPO_URI)", *sources]).split()
    if not found:
        raise ServerUnavailable("RabbitMQ 4: the machine's apt sources name no mirror")
    return found[0]
