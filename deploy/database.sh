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

# By way of a backup. The old version's data stay in the volume, as postgresql-FROM.
upgrade() {
    from=$1 to=$2
    export POSTGRES_VERSION="$to"
    volume holds "$from"
    $COMPOSE stop
    trap give_up EXIT
    trap 'exit 1' HUP INT TERM
    # Of an attempt that was killed.
    volume put_back
    POSTGRES_VERSION=$from
    $COMPOSE up --detach --wait --no-deps db-primary
    file=$(backup)
    $COMPOSE stop db-primary
    volume put_aside "$from"
    POSTGRES_VERSION=$to
    $COMPOSE up --detach --wait --no-deps db-primary
    $COMPOSE exec -T db-primary /etc/shop/restore.sh <"$file"
    volume keep
    trap - EXIT HUP INT TERM
    echo "Upgraded. If .env names a POSTGRES_VERSION, it should be $to now."
    make up COMPOSE="$COMPOSE"
}

volume() {
    $COMPOSE run --rm -T --no-deps --entrypoint /etc/shop/volume.sh db-primary "$@"
}

give_up() {
    $COMPOSE stop db-primary || true
    volume put_back
    echo "The upgrade failed; why stands above. The data of PostgreSQL $from are back in their place, and" \
        "the shop is stopped: to go on with it, POSTGRES_VERSION=$from in .env and make up." >&2
}

command=$1
shift
"$command" "$@"
