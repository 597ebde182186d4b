#!/bin/sh
# Completes the secrets of .env.production and lays them out as files for the services: run it before the first start, and
# again after a change of a secret. Then start with
#   docker compose --env-file .env.production -f docker-compose.production.yaml up -d --build --wait
#
#   sh deploy/docker/secrets.sh [ENV-FILE]        default: .env.production, made from its example when missing
#
# A secret without a value gets a random one, written into ENV-FILE. Each then stands in secrets/ beside it, a file that
# Docker mounts into the services that need it: in no environment, so that `docker inspect` does not show it. Nothing that
# has a value is changed, and no value is printed.
set -eu
umask 077

made_when_missing='POSTGRES_PASSWORD POSTGRES_OWNER_PASSWORD POSTGRES_MONITOR_PASSWORD REDIS_PASSWORD AUTH_TOKEN_SECRET ADMIN_TOKEN METRICS_TOKEN MONITOR_PASSWORD BOOTSTRAP_OPERATOR_KEY'
left_empty='BOOTSTRAP_LOADTEST_KEY SLACK_WEBHOOK_URL WEBHOOK_URL WEBHOOK_KEY SMTP_URL MAIL_SMTP_URL OTEL_EXPORTER_OTLP_HEADERS HEARTBEAT_URL'

env_file=${1:-.env.production}
example=$(dirname "$0")/../../.env.production.example
[ -e "$env_file" ] || cp "$example" "$env_file"
chmod 0600 "$env_file"
dir=$(cd "$(dirname "$env_file")" && pwd)/secrets
# Closed to other users of this machine; the files in it must be readable by the services' users.
mkdir -p "$dir"
chmod 0700 "$dir"

# As Compose reads it: the last line counts; quotes go; without them a comment after a space goes too.
value_of() {
  sed -n "s/^$1=//p" "$env_file" | tail -n 1 | tr -d '\r' |
    sed -e "s/^'\(.*\)'[[:space:]]*\$/\1/" -e t -e 's/^"\(.*\)"[[:space:]]*$/\1/' -e t -e 's/[[:space:]]#.*$//' -e 's/[[:space:]]*$//'
}

# Replaces the line of a variable where there is one, else adds it. Values here need no quotes.
set_value() {
  if grep -q "^$1=" "$env_file"; then
    sed "s|^$1=.*|$1=$(printf %s "$2" | sed 's/[&|\\]/\\&/g')|" "$env_file" >"$env_file.part"
    cat "$env_file.part" >"$env_file"
    rm "$env_file.part"
  else
    [ -z "$(tail -c 1 "$env_file")" ] || echo >>"$env_file"
    echo "$1=$2" >>"$env_file"
  fi
}

made=
for name in $made_when_missing; do
  [ -z "$(value_of "$name")" ] || continue
  set_value "$name" "$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
  made="$made $name"
done

for name in $made_when_missing $left_empty; do
  file=$dir/$(echo "$name" | tr '[:upper:]' '[:lower:]')
  # Written in place: a mounted file stays the one the container sees.
  value_of "$name" | tr -d '\n' >"$file"
  chmod 0644 "$file"
done

set_value SECRETS_DIR "$dir"
# A changed secret makes Compose start anew what reads it.
set_value SECRETS_STAMP "$(cat "$dir"/* | sha256sum | cut -c 1-12)"

if [ -n "$made" ]; then echo "made:$made"; else echo 'every secret had a value'; fi
echo "$env_file and $dir hold them; keep a copy of both where backups are not."
