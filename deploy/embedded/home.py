"""Where the servers keep their data, as whom they run, and what is remembered about them."""

import hashlib
import json
import os
import pwd
import secrets
import shutil
import socket
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from deploy.embedded.process import Account, ServerUnavailable, wait_until

SECRETS = (
    "ecommerce_user",
    "ecommerce_reader",
    "replicator",
    "redis",
    "rabbitmq",
    "rabbitmq_cookie",
)
# Below the range from which the kernel hands out ports for outgoing connections.
PORTS = range(20000, 32768)


class Home:
    """The directory asked for and, where the servers may not enter it, the one used instead."""

    def __init__(self, directory: Path) -> None:
        # One place has one name: through a link, its servers would not be known as ours.
        self.directory = directory.resolve()
        self._elsewhere = self.directory / "data-directory"
        self._ports_lock = threading.Lock()

    @property
    def path(self) -> Path:
        """Where the data are: `directory`, or the place remembered there."""
        if self._elsewhere.exists():
            return Path(self._elsewhere.read_text().strip())
        return self.directory

    @property
    def key(self) -> str:
        """A short name for this home, different from every other one's on the machine."""
        return hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:12]

    @property
    def note(self) -> str:
        """What a user should know about where the data are."""
        return "" if self.path == self.directory else f"data in {self.path}"

    def log(self, name: str) -> Path:
        """Return the log file of a server."""
        return self.directory / "log" / f"{name}.log"

    def prepare(self) -> None:
        """Make the directories and the secrets that are not there yet."""
        (self.directory / "log").mkdir(parents=True, exist_ok=True)
        # As root the servers run as somebody else, who must get through to their data.
        if os.geteuid() == 0 and self.path == self.directory and not is_open(self.directory):
            substitute = own_directory(self._substitute(), mode=0o711)
            self._elsewhere.write_text(f"{substitute}\n")
        self.path.mkdir(mode=0o711, exist_ok=True)
        # An earlier version may have made fewer.
        made = self._secrets()
        if not made.keys() >= set(SECRETS):
            new = {name: secrets.token_hex(24) for name in SECRETS}
            write_private(self._secrets_file, json.dumps(new | made, indent=1))

    def secret(self, name: str) -> str:
        """Return a password; it stays the same as long as the data."""
        return self._secrets()[name]

    def port(self, name: str) -> int:
        """Return the port chosen for `name`, 0 if none was."""
        return self._ports().get(name, 0)

    def claim_ports(self, names: Sequence[str], *, among: Sequence[int] = PORTS) -> None:
        """Remember a free port for each name: the one it had, or another if that is taken."""
        with self._ports_lock:
            ports = self._ports()
            for name in names:
                # A killed server's process is gone a moment before its port is.
                if name in ports:
                    wait_until(lambda port=ports[name]: is_free(port), seconds=5)  # type: ignore[misc]
                while not is_free(ports.get(name, 0)):
                    candidate = secrets.choice(among)
                    if candidate not in ports.values():
                        ports[name] = candidate
            write_private(self._ports_file, json.dumps(ports, indent=1))

    def account(self, name: str, data: Path) -> Account | None:
        """Return whom the server `name` runs as, None for the caller himself.

        Root starts it as the user whose data they already are, else as the machine's user of
        that name, else as nobody.
        """
        if os.geteuid() != 0:
            return None
        if data.exists() and data.stat().st_uid != 0:
            return Account(data.stat().st_uid, data.stat().st_gid)
        for user in (name, "nobody"):
            try:
                entry = pwd.getpwnam(user)
            except KeyError:
                continue
            return Account(entry.pw_uid, entry.pw_gid)
        raise ServerUnavailable(f"{name}: there is no user {name} or nobody to run it as")

    def directory_of(self, name: str) -> tuple[Path, Account | None]:
        """Return the data directory of a server, private to its account, and the account."""
        data = self.path / name
        account = self.account(name, data)
        data.mkdir(mode=0o700, exist_ok=True)
        give(data, account)
        return data, account

    def readable(self, trees: Sequence[Path]) -> Path:
        """Return where `trees` lie for a server's account: their parent, or that of a copy."""
        if os.geteuid() != 0 or all(is_open(tree) for tree in trees):
            return trees[0].parent
        made = "".join(f"{tree}{tree.stat().st_mtime_ns}" for tree in trees)
        copy = self.path / f"copy-{hashlib.sha256(made.encode()).hexdigest()[:12]}"
        if not copy.exists():
            half = copy.with_suffix(".half")
            shutil.rmtree(half, ignore_errors=True)
            for tree in trees:
                _copy_open(tree, half / tree.name)
            half.chmod(0o755)
            half.rename(copy)
        return copy

    def _substitute(self) -> Path:
        parents = [Path("/var/tmp"), Path(tempfile.gettempdir())]  # noqa: S108 -- own_directory checks the owner
        parent = next((one for one in parents if os.access(one, os.W_OK)), parents[-1])
        return parent / f"plugproof-{self.key}"

    @property
    def _secrets_file(self) -> Path:
        return self.path / "secrets.json"

    def _secrets(self) -> dict[str, str]:
        if not self._secrets_file.exists():
            return {}
        made: dict[str, str] = json.loads(self._secrets_file.read_text())
        return made

    @property
    def _ports_file(self) -> Path:
        return self.path / "ports.json"

    def _ports(self) -> dict[str, int]:
        if not self._ports_file.exists():
            return {}
        ports: dict[str, int] = json.loads(self._ports_file.read_text())
        return ports


def is_open(path: Path) -> bool:
    """Whether every user of the machine can reach and read `path`."""
    readable = 0o005 if path.is_dir() else 0o004
    return path.stat().st_mode & readable == readable and all(
        parent.stat().st_mode & 0o001 for parent in path.resolve().parents
    )


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback interface now."""
    if port == 0:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def own_directory(directory: Path, *, mode: int, account: Account | None = None) -> Path:
    """Return `directory`, which lies where everybody may write, made for `account` alone."""
    directory.mkdir(mode=mode, exist_ok=True)
    # Whoever made it first owns it: never put data into somebody else's.
    ours = {0, os.geteuid(), account.uid if account else 0}
    if directory.is_symlink() or directory.stat().st_uid not in ours:
        raise ServerUnavailable(f"{directory} belongs to somebody else")
    directory.chmod(mode)
    give(directory, account)
    return directory


def give(path: Path, account: Account | None) -> None:
    """Make `path` the account's own."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def write_private(path: Path, text: str, account: Account | None = None) -> None:
    """Write a file at once and whole, readable only to its owner."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    give(new, account)
    new.rename(path)


def _copy_open(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("include", "__pycache__"))
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
