#!/bin/bash
# Runs once, on the first start of an empty volume. Running it again is harmless and applies changed passwords:
#   docker compose … exec postgres /docker-entrypoint-initdb.d/10-roles.sh
#
#   atalaya_owner    owns the database and changes its schema (migrations only)
#   $APP_ROLE        the API: reads and writes rows, cannot change the schema
#   atalaya_monitor  the monitor: reads everything, and may create databases to prove a backup in
#
# Passwords come from the secrets' files, and reach psql by \getenv, so that no argument list shows them.
set -euo pipefail
APP_PASSWORD=$(cat /run/secrets/postgres_password)
OWNER_PASSWORD=$(cat /run/secrets/postgres_owner_password)
MONITOR_PASSWORD=$(cat /run/secrets/postgres_monitor_password)
export APP_PASSWORD OWNER_PASSWORD MONITOR_PASSWORD

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\getenv database POSTGRES_DB
\getenv app APP_ROLE
\getenv app_password APP_PASSWORD
\getenv owner_password OWNER_PASSWORD
\getenv monitor_password MONITOR_PASSWORD

SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY['atalaya_owner', :'app', 'atalaya_monitor']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

ALTER ROLE atalaya_owner LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB PASSWORD :'owner_password';
ALTER ROLE :"app" LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB PASSWORD :'app_password';
ALTER ROLE atalaya_monitor LOGIN NOSUPERUSER NOCREATEROLE CREATEDB PASSWORD :'monitor_password';
GRANT pg_monitor, pg_read_all_data TO atalaya_monitor;

-- The owner of the database owns its schema public too (pg_database_owner).
ALTER DATABASE :"database" OWNER TO atalaya_owner;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO :"app", atalaya_monitor;
GRANT USAGE ON SCHEMA public TO :"app", atalaya_monitor;

ALTER DEFAULT PRIVILEGES FOR ROLE atalaya_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"app";
ALTER DEFAULT PRIVILEGES FOR ROLE atalaya_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO :"app";
ALTER DEFAULT PRIVILEGES FOR ROLE atalaya_owner IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO :"app";

-- Last guards, looser than what the programs set for themselves.
ALTER ROLE :"app" SET statement_timeout = '60s';
ALTER ROLE :"app" SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE atalaya_owner SET lock_timeout = '10s';
SQL
