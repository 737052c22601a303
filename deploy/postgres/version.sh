# Sourced: end with words if the volume was made by another PostgreSQL.
here=$(postgres --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
there=$(cat "$PGDATA/PG_VERSION" 2>/dev/null || echo "$here")
if [ "$there" != "$here" ]; then
    cat >&2 <<WORDS
This volume holds data of PostgreSQL $there; this is PostgreSQL $here. Nothing was changed.
Keep $there for now:   echo POSTGRES_VERSION=$there >>.env; make up
Upgrade:             make upgrade-postgres FROM=$there TO=$here
WORDS
    exit 1
fi
