"""Streaming standbys of the primary."""

import shutil

from deploy.embedded.home import Home, write_private
from deploy.embedded.postgres import READER, REPLICATOR, Node, Primary
from deploy.embedded.process import ServerUnavailable, wait_until

# What a standby with READER's role has and is doing when it follows its primary.
FOLLOWING = """\
select exists (select from pg_stat_wal_receiver where status = 'streaming')
   and exists (select from pg_roles where rolname = '{reader}')
"""


class Standby(Node):
    """A server that follows the primary and is only read. It has a slot of its own name."""

    role = READER
    follow_seconds = 20.0

    def __init__(self, home: Home, primary: Primary, *, name: str) -> None:
        super().__init__(home)
        self.primary = primary
        self.name = name

    @property
    def is_promoted(self) -> bool:
        """Whether it has become a primary of its own."""
        return self.data.exists() and not (self.data / "standby.signal").exists()

    def start(self) -> None:
        """Return when it answers and, if the primary is up, follows it."""
        if self.is_promoted:
            raise ServerUnavailable(
                f"{self.name} was promoted: stop it and delete {self.data}, "
                "then it is copied anew"
            )
        super().start()
        if self.primary.pid() is None or self._is_following():
            return
        # Away for longer than the primary keeps WAL for it, or of another primary: no use.
        self.remove()
        super().start()
        if not self._is_following():
            raise ServerUnavailable(
                f"{self.name} does not follow the primary", log=self.home.log(self.name)
            )

    def remove(self) -> None:
        """End it; delete its data and, if the primary is up, the slot that keeps WAL for it."""
        self.stop()
        shutil.rmtree(self.data, ignore_errors=True)
        if self.primary.pid() is not None:
            self._drop_slot()

    def _begin(self) -> int:
        if not self.data.exists():
            self._copy_primary()
        return self._launch()

    def _copy_primary(self) -> None:
        if self.primary.pid() is None:
            raise ServerUnavailable(f"{self.name} is made from the primary: start that first")
        new = self._new_data()
        self._drop_slot()
        self.primary.sql(f"select pg_create_physical_replication_slot('{self.name}', true)")
        where = ["-h", "127.0.0.1", "-p", str(self.home.port("primary")), "-U", REPLICATOR]
        how = ["-D", str(new), "-X", "stream", "-c", "fast", "-S", self.name]
        self._run("pg_basebackup", *where, *how, password=self.home.secret(REPLICATOR))
        write_private(new / "standby.signal", "", self._account())
        new.rename(self.data)

    def _drop_slot(self) -> None:
        slot = f"from pg_replication_slots where slot_name = '{self.name}'"
        # The primary holds it until it has noticed that the standby is gone.
        held = f"select count(*) {slot} and active"
        wait_until(lambda: self.primary.sql(held) == "0", seconds=self.stop_seconds)
        self.primary.sql(f"select pg_drop_replication_slot(slot_name) {slot}")

    def _is_following(self) -> bool:
        question = FOLLOWING.format(reader=READER)
        return wait_until(lambda: self.sql(question) == "t", seconds=self.follow_seconds)

    def _source(self) -> dict[str, str]:
        password = self.home.secret(REPLICATOR)
        address = f"host=127.0.0.1 port={self.home.port('primary')}"
        return {
            "primary_conninfo": f"{address} user={REPLICATOR} password={password}",
            "primary_slot_name": self.name,
        }
