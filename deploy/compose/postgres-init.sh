#!/bin/bash
# Run once by the PostgreSQL image, on an empty volume: a user and a database each for Keel and Temporal, neither of whom may
# look into the other's.
set -euo pipefail

keel=$(cat /run/secrets/keel-database-password)
temporal=$(cat /run/secrets/temporal-database-password)
# Values go in as psql variables over standard input, so that no password stands in the list of processes.
export PGPASSWORD
PGPASSWORD=$(cat /run/secrets/postgres-password)

psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --username postgres --dbname postgres <<SQL
\set keel '${keel}'
\set temporal '${temporal}'
create role keel login password :'keel';
create role temporal login password :'temporal';
create database keel owner keel;
create database temporal owner temporal;
create database temporal_visibility owner temporal;
revoke connect on database keel, temporal, temporal_visibility, postgres from public;
SQL
