#!/bin/sh
# Makes the secrets of docker-compose.yml in a directory: sh deploy/compose/prepare.sh DIR
# What is there already stays as it is, so that it can be run again after an update that needs one more.
# The files can be read by all, because containers run as users of their own; the directory can be entered by its owner only.
set -eu

dir=${1:-}
if [ -z "$dir" ]; then
  echo 'Usage: sh deploy/compose/prepare.sh DIR' >&2
  exit 2
fi
umask 022
mkdir -p "$dir/optional"
chmod 700 "$dir"
dir=$(cd "$dir" && pwd)

# Letters and digits only: they stand in URLs too. 32 of them hold 160 bits at the least.
random() {
  tr -dc 'a-zA-Z2-9' < /dev/urandom 2> /dev/null | head -c 40
}

# write NAME VALUE
write() {
  if [ -s "$dir/$1" ]; then
    return
  fi
  printf '%s\n' "$2" > "$dir/$1.new"
  mv "$dir/$1.new" "$dir/$1"
  echo "made $dir/$1"
}

read_secret() {
  head -n 1 "$dir/$1"
}

write postgres-password "$(random)"
write keel-database-password "$(random)"
write temporal-database-password "$(random)"
write database-url "postgres://keel:$(read_secret keel-database-password)@postgres:5432/keel"
write minio-access-key "$(random | head -c 20)"
write minio-secret-key "$(random)"
write redis-password "$(random)"
write redis-url "redis://:$(read_secret redis-password)@redis:6379"
write simulator-token "$(random)"
write auth-secret "$(random)$(random)"

cat << TEXT

Put these lines into .env beside docker-compose.yml:

SECRETS_DIR=$dir
KEEL_MODE=simulated
COMPOSE_PROFILES=simulated
TEXT
