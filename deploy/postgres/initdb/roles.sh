#!/usr/bin/env bash
# The roles of a new primary. The image's entrypoint runs this once, on an empty volume.
set -euo pipefail

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username postgres --dbname ecommerce <<'SQL'
\getenv migrator_password DB_MIGRATOR_PASSWORD
\getenv user_password DB_USER_PASSWORD
\getenv reader_password DB_READER_PASSWORD
\getenv replicator_password DB_REPLICATOR_PASSWORD

-- Owns the tables: for `migrate` alone.
CREATE ROLE ecommerce_migrator LOGIN PASSWORD :'migrator_password';
-- The shop: reads and writes rows, and makes, changes or drops no table.
CREATE ROLE ecommerce_user LOGIN PASSWORD :'user_password';
-- The shop on the standby. pg_read_all_data holds for tables made later, too.
CREATE ROLE ecommerce_reader LOGIN IN ROLE pg_read_all_data PASSWORD :'reader_password';
ALTER ROLE ecommerce_reader SET default_transaction_read_only = on;
ALTER ROLE ecommerce_reader SET statement_timeout = '5s';
ALTER ROLE ecommerce_reader SET idle_in_transaction_session_timeout = '10s';
-- The standby itself.
CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'replicator_password';

ALTER DATABASE ecommerce OWNER TO ecommerce_migrator;
\ir /etc/shop/rights.sql
SQL

# The last of all that a first start makes: primary.sh.
rm "${PGDATA%/*}/making"
sync "${PGDATA%/*}"
