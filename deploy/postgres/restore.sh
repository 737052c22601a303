#!/usr/bin/env bash
# Reads a backup from standard input into a new database, which then takes the place of the
# shop's. That one is kept under another name until the next time.
set -euo pipefail
psql() { command psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username postgres "$@"; }

psql --dbname postgres \
    --command 'DROP DATABASE IF EXISTS ecommerce_restored' \
    --command 'CREATE DATABASE ecommerce_restored OWNER ecommerce_migrator TEMPLATE template0'
pg_restore --username postgres --dbname ecommerce_restored --exit-on-error
psql --dbname ecommerce_restored --file /etc/shop/rights.sql
psql --dbname postgres <<'SQL'
DROP DATABASE IF EXISTS ecommerce_replaced;
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'ecommerce' \g /dev/null
ALTER DATABASE ecommerce RENAME TO ecommerce_replaced;
ALTER DATABASE ecommerce_restored RENAME TO ecommerce;
SQL
echo "Restored. What was there before is the database ecommerce_replaced."
