#!/usr/bin/env bash
# Starts the primary, by way of the image's own entrypoint.
set -euo pipefail
. /etc/shop/version.sh
mkdir -p "$PGDATA/../archive"
exec docker-entrypoint.sh "$@"
