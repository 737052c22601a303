#!/usr/bin/env bash
# Starts the primary by way of the image's own entrypoint, which takes every volume that has a
# PG_VERSION for whole. The file `making` is there until that is so; where there is anything
# else, it is never made.
set -euo pipefail

cd "${PGDATA%/*}"
if [ -e making ]; then
    echo "The first start was cut off before anything was served: from the beginning again"
    rm -rf "$PGDATA"
    find archive -type f -newer making -delete
fi
mkdir -p archive
if [ -z "$(ls -A "$PGDATA" 2>/dev/null)" ]; then
    touch making
    sync .
fi
exec docker-entrypoint.sh "$@"
