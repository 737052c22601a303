#!/usr/bin/env bash
# Starts the primary, by way of the image's own entrypoint, if the volume is of this PostgreSQL.
set -euo pipefail

here=$(postgres --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
there=$(cat "$PGDATA/PG_VERSION" 2>/dev/null || echo "$here")
if [ "$there" != "$here" ]; then
    echo "This volume holds data of PostgreSQL $there; this is PostgreSQL $here. Nothing was changed."
    echo "Upgrade:   make upgrade-postgres FROM=$there TO=$here"
    echo "Or keep $there for now: POSTGRES_VERSION=$there in .env"
    exit 1
fi >&2

mkdir -p "$PGDATA/../archive"
exec docker-entrypoint.sh "$@"
