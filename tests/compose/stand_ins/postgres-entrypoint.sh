#!/usr/bin/env bash
# Stand-in for the official postgres entrypoint: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB (and their _FILE forms),
# POSTGRES_INITDB_ARGS, POSTGRES_HOST_AUTH_METHOD, PGDATA, docker-entrypoint-initdb.d/*.sh|*.sql, then the command.
set -euo pipefail
for v in POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB; do f=${v}_FILE; [ -z "${!f:-}" ] || export "$v=$(<"${!f}")"; done
[ "${1:0:1}" != - ] || set -- postgres "$@"
if [ "$1" = postgres ]; then
  if [ "$(id -u)" = 0 ]; then mkdir -p "$PGDATA" /var/run/postgresql; chown -R postgres: "$PGDATA" /var/run/postgresql; chmod 700 "$PGDATA"; exec gosu postgres "$0" "$@"; fi
  if [ ! -s "$PGDATA/PG_VERSION" ]; then
    u=${POSTGRES_USER:-postgres} db=${POSTGRES_DB:-${POSTGRES_USER:-postgres}} m=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    [ -n "${POSTGRES_PASSWORD:-}" ] || [ "$m" = trust ] || { echo 'POSTGRES_PASSWORD is not set' >&2; exit 1; }
    # shellcheck disable=SC2086
    initdb -U "$u" --pwfile=<(echo "${POSTGRES_PASSWORD:-x}") --auth-local=trust --auth-host=scram-sha-256 ${POSTGRES_INITDB_ARGS:-}
    printf "\nhost all all all %s\n" "$m" >>"$PGDATA/pg_hba.conf"; sed -i "s/^#listen_addresses.*/listen_addresses='*'/" "$PGDATA/postgresql.conf"
    pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
    [ "$db" = postgres ] || psql -XU "$u" -d postgres -v ON_ERROR_STOP=1 -c "create database \"$db\""
    export PGUSER=$u PGDATABASE=$db
    for f in /docker-entrypoint-initdb.d/*; do case $f in *.sh) "$f";; *.sql) psql -Xv ON_ERROR_STOP=1 -f "$f";; esac; done
    unset PGUSER PGDATABASE; pg_ctl -D "$PGDATA" -m fast -w stop
  fi
fi
exec "$@"
