#!/bin/sh
# The database of docker-compose.yml: `backup`, `restore FILE`, `upgrade FROM TO`. Called by make.
# COMPOSE is how Compose is called.
set -eu
: "${COMPOSE:=docker compose}"
umask 077 # a backup holds customers

# Into a file of its own, which has its name only when it is complete and can be read.
backup() {
    mkdir -p backups
    file=backups/ecommerce-$(date -u +%Y%m%dT%H%M%SZ).dump
    $COMPOSE exec -T db-primary pg_dump -U postgres --format=custom ecommerce >"$file.part"
    readable "$file.part"
    mv "$file.part" "$file"
    echo "$file"
}

readable() {
    # All of it: the list of contents alone stands at the beginning.
    $COMPOSE exec -T db-primary pg_restore --file=/dev/null <"$1" || {
        echo "$1 is no backup, or not all of one. Nothing was changed." >&2
        exit 1
    }
}

# Nothing is replaced before all of the backup has been read in. If it cannot be, the shop goes
# on with what it has.
restore() {
    [ -r "$1" ] || {
        echo "make restore FILE=backups/...: there is no file '$1'." >&2
        exit 2
    }
    readable "$1"
    $COMPOSE stop backend relay worker-order worker-email worker-search beat
    restored=0
    $COMPOSE exec -T db-primary /etc/shop/restore.sh <"$1" || restored=1
    make up COMPOSE="$COMPOSE"
    return $restored
}

# By way of a backup. The old version's data stay in the volume, as pgdata-FROM.
upgrade() {
    POSTGRES_VERSION=$2 $COMPOSE run --rm --no-deps --entrypoint postgres db-primary --version
    # A second time it would be the new, empty one that is put away.
    # shellcheck disable=SC2016 # the container's shell reads it
    $COMPOSE run --rm --no-deps --entrypoint sh db-primary -c '
        cd /var/lib/postgresql/data && test "$(cat pgdata/PG_VERSION)" = "$1" && test ! -e "pgdata-$1"
    ' sh "$1" || {
        echo "The volume does not hold PostgreSQL $1, or holds a pgdata-$1 already. Nothing was changed." >&2
        exit 1
    }
    $COMPOSE stop
    POSTGRES_VERSION=$1 $COMPOSE up --detach --wait db-primary
    file=$(COMPOSE="env POSTGRES_VERSION=$1 $COMPOSE" backup)
    $COMPOSE stop db-primary
    $COMPOSE run --rm --no-deps --entrypoint mv db-primary -T \
        /var/lib/postgresql/data/pgdata "/var/lib/postgresql/data/pgdata-$1"
    POSTGRES_VERSION=$2 $COMPOSE up --detach --wait db-primary
    COMPOSE="env POSTGRES_VERSION=$2 $COMPOSE" restore "$file"
    echo "If .env names a POSTGRES_VERSION, it should be $2 now."
}

command=$1
shift
"$command" "$@"
