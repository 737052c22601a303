#!/usr/bin/env bash
# What is on the primary's volume, while no PostgreSQL runs on it:
#   check           one line and 1 if this PostgreSQL must not start on it
#   holds FROM      one line and 1 if there is nothing of PostgreSQL FROM's to upgrade
#   put_aside FROM  for an upgrade: what is there goes into the directory upgrading-FROM
#   put_back        that again, in place of whatever the upgrade made; without one, nothing
#   keep            the upgrade is complete: upgrading-FROM is called postgresql-FROM
set -euo pipefail
shopt -s nullglob

here=$(postgres --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
cd "${PGDATA%/*}"
found=(upgrading-*)
from=${found[*]#upgrading-}

check() {
    local there
    if [ -n "$from" ]; then
        refuse "an upgrade was cut off, PostgreSQL $from's data are whole: make upgrade-postgres FROM=$from TO=$here"
    fi
    # What a first start left half made goes anyway.
    if [ -e making ] || [ -z "$(ls -A pgdata 2>/dev/null)" ]; then
        return
    fi
    there=$(cat pgdata/PG_VERSION 2>/dev/null || true)
    if [ -z "$there" ]; then
        refuse "its pgdata has no PG_VERSION, so it is damaged or half copied"
    elif [ "$there" != "$here" ]; then
        refuse "it is PostgreSQL $there's, this is $here: make upgrade-postgres FROM=$there TO=$here, or POSTGRES_VERSION=$there in .env"
    fi
}

refuse() {
    echo "The volume db-primary was not touched: $1" >&2
    exit 1
}

holds() {
    if [ "${from:-$(cat pgdata/PG_VERSION 2>/dev/null)}" != "$1" ] || [ -e "postgresql-$1" ]; then
        refuse "it does not hold PostgreSQL $1, or holds a postgresql-$1 already"
    fi
}

put_aside() {
    holds "$1"
    mkdir "upgrading-$1"
    mv pgdata archive "upgrading-$1"
    sync .
}

put_back() {
    [ -n "$from" ] || return 0
    # First of all: where it is, pgdata is thought to be of no worth.
    rm -f making
    sync .
    local part
    for part in "upgrading-$from"/*; do
        rm -rf "${part##*/}"
        mv "$part" .
    done
    rmdir "upgrading-$from"
}

keep() {
    mv "upgrading-$from" "postgresql-$from"
}

"$@"
