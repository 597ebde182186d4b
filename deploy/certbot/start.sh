#!/bin/sh
# Keeps one file, /tls/site.pem (chain and key, readable by root and by nginx's group only), valid for every name in SERVER_NAME.
#
#   TLS_MODE=self-signed  a certificate of its own, renewed 30 days before it ends
#   TLS_MODE=acme         the same at first, so that nginx can start; then one from the authority, over the webroot
#
# nginx notices a new file by itself. It is replaced by rename: a reader sees the old pair or the new one.
set -eu
umask 077

# Made by root of nginx's group (user 0:101), without the right to change owners.
tls=/tls
site=$tls/site.pem
webroot=/var/www/acme
day=86400

log() { echo "certbot: $*"; }

# shellcheck disable=SC2086 # SERVER_NAME is a list of words.
set -- $SERVER_NAME
first_name=$1

subject_names() {
  names=
  for name in "$@"; do
    case $name in *[!0-9.]*) kind=DNS ;; *) kind=IP ;; esac
    names="$names${names:+,}$kind:$name"
  done
  echo "$names"
}

publish() {
  cat "$1" "$2" >"$site.part"
  chmod 0640 "$site.part"
  mv -f "$site.part" "$site"
}

lasts() { [ -s "$site" ] && openssl x509 -in "$site" -noout -checkend "$1" >/dev/null; }
names_unchanged() { [ "$(cat "$tls/names" 2>/dev/null)" = "$SERVER_NAME" ]; }

make_self_signed() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 397 \
    -subj "/CN=$first_name" -addext "subjectAltName=$(subject_names "$@")" \
    -keyout /tmp/key.pem -out /tmp/chain.pem 2>/tmp/openssl.log || { cat /tmp/openssl.log >&2; return 1; }
  publish /tmp/chain.pem /tmp/key.pem
  rm -f /tmp/key.pem
  echo "$SERVER_NAME" >"$tls/names"
  log "self-signed certificate for $SERVER_NAME"
}

# A failed validation counts against the authority's limit, so nginx has to serve the webroot first.
webroot_is_served() {
  token=probe-$$
  (umask 022 && mkdir -p "$webroot/.well-known/acme-challenge" && echo "$token" >"$webroot/.well-known/acme-challenge/$token")
  python3 - "$first_name" "$token" <<'EOF' && served=0 || served=1
import sys, urllib.request
name, token = sys.argv[1:]
request = urllib.request.Request(f"http://nginx:8080/.well-known/acme-challenge/{token}", headers={"Host": name})
try:
    sys.exit(urllib.request.urlopen(request, timeout=5).read().decode().strip() != token)
except OSError:
    sys.exit(1)
EOF
  rm -f "$webroot/.well-known/acme-challenge/$token"
  return $served
}

issue() {
  domains=
  for name in "$@"; do domains="$domains -d $name"; done
  # shellcheck disable=SC2086 # a list of options
  (umask 022 && certbot certonly --webroot --webroot-path "$webroot" --cert-name site $domains --renew-with-new-domains \
    --keep-until-expiring --quiet --non-interactive --agree-tos --email "$CERTBOT_EMAIL" --server "$ACME_DIRECTORY_URL" \
    --config-dir /etc/letsencrypt --work-dir /tmp/certbot --logs-dir /tmp/certbot) || return 1
  live=/etc/letsencrypt/live/site
  if [ "$(cat "$live/fullchain.pem" "$live/privkey.pem" | cksum)" != "$(cksum <"$site")" ]; then
    publish "$live/fullchain.pem" "$live/privkey.pem"
    echo "$SERVER_NAME" >"$tls/names"
    log "certificate of $ACME_DIRECTORY_URL for $SERVER_NAME is in place"
  fi
}

# `sleep` alone would make a stop wait for it.
nap() { sleep "$1" & wait $!; }
trap 'exit 0' TERM INT

case $TLS_MODE in
  self-signed | acme) ;;
  *) log "TLS_MODE=$TLS_MODE: must be self-signed or acme" >&2; exit 78 ;;
esac
if [ "$TLS_MODE" = acme ] && [ -z "$CERTBOT_EMAIL" ]; then
  log "CERTBOT_EMAIL is not set; TLS_MODE=acme needs it" >&2
  exit 78
fi

chmod 0755 "$tls"
lasts 0 || make_self_signed "$@"
while :; do
  if [ "$TLS_MODE" = self-signed ]; then
    { lasts $((30 * day)) && names_unchanged; } || make_self_signed "$@"
    nap $((day / 2))
  elif ! webroot_is_served; then
    nap 10
  elif issue "$@"; then
    nap $((day / 2))
  else
    log "no certificate this time; trying again in an hour" >&2
    nap 3600
  fi
done
