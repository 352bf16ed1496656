#!/bin/sh
# Three databases, each with a role that may reach it alone. Tables of the ledger belong to
# ledger_owner, which makes them; the role that everybody works by may add and read, nothing else.
# Passwords come from the file that libpq reads: HOST:PORT:DATABASE:ROLE:PASSWORD.
set -eu
passwords="${PGPASSFILE_ROLES:-/run/secrets/pgpass}"

password_of() {
	awk -F: -v role="$1" '$4 == role { print $5; exit }' "$passwords"
}

as_owner() {
	psql -v ON_ERROR_STOP=1 --quiet --no-psqlrc --username "${POSTGRES_USER:-postgres}" "$@"
}

for role in mlflow studies ledger_owner ledger; do
	as_owner --dbname postgres --set "role=$role" --set "password=$(password_of "$role")" <<-'SQL'
		CREATE ROLE :"role" LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
	SQL
done

for pair in mlflow:mlflow studies:studies ledger:ledger_owner; do
	as_owner --dbname postgres --set "name=${pair%%:*}" --set "owner=${pair##*:}" <<-'SQL'
		CREATE DATABASE :"name" OWNER :"owner";
		REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
	SQL
done

as_owner --dbname ledger <<-'SQL'
	REVOKE ALL ON SCHEMA public FROM PUBLIC;
	ALTER SCHEMA public OWNER TO ledger_owner;
	GRANT CONNECT ON DATABASE ledger TO ledger;
	GRANT USAGE ON SCHEMA public TO ledger;
	ALTER DEFAULT PRIVILEGES FOR ROLE ledger_owner IN SCHEMA public
		GRANT SELECT, INSERT ON TABLES TO ledger;
SQL
