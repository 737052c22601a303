#!/usr/bin/env bash
# Starts the standby: copied from the primary when there is nothing, when its data are of another
# PostgreSQL or another primary, or when the primary no longer keeps the WAL that it lacks.
set -euo pipefail

primary=db-primary slot=db_replica
export PGUSER=replicator PGPASSWORD=$DB_REPLICATOR_PASSWORD PGCONNECT_TIMEOUT=3

# A statement of the replication protocol, or nothing if the primary does not answer.
ask() {
    psql --no-psqlrc -Atq "host=$primary dbname=postgres replication=true" -c "$1"
}

copy() {
    echo "Copying $primary"
    ask "DROP_REPLICATION_SLOT $slot WAIT" 2>/dev/null || true
    rm -rf "$PGDATA.new" "$PGDATA.old"
    until pg_basebackup --host $primary --pgdata "$PGDATA.new" --checkpoint fast \
        --wal-method stream --slot $slot --create-slot; do
        rm -rf "$PGDATA.new"
        ask "DROP_REPLICATION_SLOT $slot WAIT" 2>/dev/null || true
        sleep 1
    done
    touch "$PGDATA.new/standby.signal"
    # By renaming: half deleted, and without standby.signal, it would start as a primary.
    [ ! -e "$PGDATA" ] || mv "$PGDATA" "$PGDATA.old"
    mv "$PGDATA.new" "$PGDATA"
    rm -rf "$PGDATA.old"
}

# Words for why its data are of no use any more; nothing if they are, or if nobody can say.
of_no_use() {
    local theirs ours kept
    if [ "$(cat "$PGDATA/PG_VERSION")" != "$(postgres --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')" ]; then
        echo "Its data are of another PostgreSQL"
        return
    fi
    theirs=$(ask IDENTIFY_SYSTEM 2>/dev/null | cut -d'|' -f1) || return 0
    ours=$(pg_controldata "$PGDATA" | sed -n 's/^Database system identifier: *//p')
    if [ "$theirs" != "$ours" ]; then
        echo "Its data are of another primary"
        return
    fi
    kept=$(ask "READ_REPLICATION_SLOT $slot" 2>/dev/null | cut -d'|' -f2) || return 0
    [ -n "$kept" ] || echo "The primary no longer keeps what it lacks"
}

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    copy
elif [ ! -e "$PGDATA/standby.signal" ]; then
    echo "It was promoted, and is a primary of its own. To make a standby of it again:" >&2
    echo "    docker compose rm --stop db-replica; docker volume rm PROJECT_db-replica" >&2
else
    reason=$(of_no_use)
    if [ -n "$reason" ]; then
        echo "$reason"
        copy
    fi
fi

unset PGUSER
exec "$@" -c "primary_conninfo=host=$primary user=replicator" -c primary_slot_name=$slot
