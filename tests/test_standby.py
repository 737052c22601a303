"""What tests/standby.py does to the standby is so, and is over after the block."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from deploy.embedded import Servers
from deploy.embedded.standby import Standby
from tests.pipeline import eventually
from tests.servers import DIRECTORY
from tests.standby import (
    catch_up,
    cut_off,
    frozen,
    killed,
    lagging,
    mend,
    paused,
    promoted,
    stopped,
)

DATABASE = "test_standby"
READ = "select n from things"


@pytest.fixture(autouse=True)
def things(standby: Standby) -> Iterator[None]:
    """A test database, as Django makes one, with a table that holds 1, seen on the standby."""
    execute(owner_url("ecommerce"), f"drop database if exists {DATABASE}")
    execute(owner_url("ecommerce"), f"create database {DATABASE}")
    write("create table things as select 1 as n")
    catch_up(standby)
    yield
    # By force it would end autovacuum, and may not. Without, PostgreSQL ends that by itself,
    # and waits five seconds for all others to go.
    execute(owner_url("ecommerce"), f"drop database {DATABASE}")


def owner_url(database: str = DATABASE) -> str:
    return Servers(DIRECTORY).primary.url(database)


def execute(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """The rows of the last statement."""
    with closing(psycopg2.connect(url, connect_timeout=2)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def write(statement: str = "update things set n = 2") -> None:
    execute(owner_url(), statement)


def seen(standby: Standby) -> list[tuple[Any, ...]]:
    return execute(standby.url(DATABASE), READ)


def test_the_reader_reads_the_table_of_a_test_database_made_later(standby: Standby) -> None:
    assert seen(standby) == [(1,)]
    (limits,) = execute(
        standby.url(DATABASE),
        "select current_user, current_setting('statement_timeout'),"
        " current_setting('idle_in_transaction_session_timeout')",
    )
    assert limits == ("ecommerce_reader", "5s", "10s")


WRITES = [
    "insert into things values (2)",
    "update things set n = 2",
    "delete from things",
    "truncate things",
    "drop table things",
    "create table more (n int)",
]


@pytest.mark.parametrize("statement", WRITES)
def test_the_reader_writes_nowhere(standby: Standby, statement: str) -> None:
    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
        execute(standby.url(DATABASE), statement)
    on_primary = standby.url(DATABASE).replace(standby.address, standby.primary.address)
    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
        execute(on_primary, statement)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        execute(on_primary, "set default_transaction_read_only = off", statement)
    assert execute(owner_url(), READ) == [(1,)]


def test_paused_shows_nothing_new(standby: Standby) -> None:
    with paused(standby):
        write()
        received = "select pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()"
        eventually(lambda: standby.sql(received) == "t", what="the update received")
        assert seen(standby) == [(1,)]
    assert seen(standby) == [(2,)]


def test_lagging_shows_it_so_much_later(standby: Standby) -> None:
    with lagging(standby, seconds=2):
        started = time.monotonic()
        write()
        assert seen(standby) == [(1,)]
        catch_up(standby)
        assert seen(standby) == [(2,)]
        # Not PostgreSQL's time of the last transaction: those that were given up are not late.
        assert time.monotonic() - started >= 2
    assert standby.sql("show recovery_min_apply_delay") == "0"


def test_cut_off_it_answers_and_receives_nothing(standby: Standby) -> None:
    with cut_off(standby):
        write()
        caught_up = "select pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()"
        eventually(lambda: standby.sql(caught_up) == "t", what="what was received replayed")
        assert seen(standby) == [(1,)]
    assert seen(standby) == [(2,)]


@pytest.mark.parametrize("away", [stopped, killed])
def test_stopped_or_killed_it_refuses_and_comes_back(
    standby: Standby, away: Callable[[Standby], Any]
) -> None:
    url = standby.url(DATABASE)
    with closing(psycopg2.connect(url)) as connected:
        with away(standby):
            with pytest.raises(psycopg2.OperationalError, match="refused"):
                seen(standby)
            with pytest.raises(psycopg2.OperationalError):
                connected.cursor().execute(READ)
            write()
        assert standby.url(DATABASE) == url
        assert seen(standby) == [(2,)]


def test_frozen_it_lets_in_and_does_not_answer(standby: Standby) -> None:
    with closing(psycopg2.connect(standby.url(DATABASE))) as connected:
        with frozen(standby):
            with pytest.raises(psycopg2.OperationalError, match="timeout expired"):
                seen(standby)
            write()
        with connected.cursor() as cursor:  # the session of before goes on
            cursor.execute(READ)
            assert cursor.fetchall() == [(2,)]


def test_promoted_it_goes_its_own_way_and_is_copied_anew(standby: Standby) -> None:
    with promoted(standby):
        assert standby.sql("select pg_is_in_recovery()") == "f"
        write()
        assert seen(standby) == [(1,)]
        with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
            execute(standby.url(DATABASE), "insert into things values (3)")
    assert standby.sql("select pg_is_in_recovery()") == "t"
    assert seen(standby) == [(2,)]


def test_a_second_standby_follows_by_itself_and_leaves_no_slot(
    standby: Standby, standby2: Standby
) -> None:
    catch_up(standby2)
    with paused(standby2):
        write()
        catch_up(standby)
        assert (seen(standby), seen(standby2)) == ([(2,)], [(1,)])
    slots = "select string_agg(slot_name, ' ' order by slot_name) from pg_replication_slots"
    assert standby.primary.sql(slots) == "standby standby2"
    standby2.remove()
    assert standby.primary.sql(slots) == "standby"
    assert not standby2.data.exists()
    assert standby2.url() not in Servers(DIRECTORY).environment().values()


LEFT_BEHIND = [
    "alter system set recovery_min_apply_delay = '1h'; select pg_reload_conf()",
    "alter system set primary_conninfo = 'host=127.0.0.1 port=1'; select pg_reload_conf()",
    "select pg_wal_replay_pause()",
    "select pg_promote()",
]


@pytest.mark.parametrize("done", LEFT_BEHIND)
def test_mends_what_a_killed_run_left_behind(standby: Standby, done: str) -> None:
    standby.sql(done)
    write()
    mend(standby)
    assert seen(standby) == [(2,)]
