#!/bin/sh
# Fills in nginx.conf, waits for the first certificate, and reloads nginx whenever certbot has put a new one in place.
set -eu

conf=/tmp/nginx.conf
site=/tls/site.pem

# Compose orders the first start, but not a start by the Docker daemon after a reboot.
waited=0
until [ -s "$site" ]; do
  [ "$waited" -lt 60 ] || { echo "nginx: no $site after 60 s; look at the logs of certbot" >&2; exit 1; }
  sleep 1
  waited=$((waited + 1))
done

HTTPS_PORT_SUFFIX=
[ "$HTTPS_PORT" = 443 ] || HTTPS_PORT_SUFFIX=:$HTTPS_PORT
export HTTPS_PORT_SUFFIX
# shellcheck disable=SC2016 # names for envsubst: nginx's own variables look the same and must stay
envsubst '${SERVER_NAME} ${HTTPS_PORT_SUFFIX} ${HSTS_MAX_AGE} ${API_A_ADDRESS} ${API_B_ADDRESS} ${EDGE_RATE} ${EDGE_BURST} ${EDGE_CONNECTIONS} ${EDGE_UNLIMITED_FROM}' \
  </etc/atalaya/nginx/nginx.conf.template >"$conf"
nginx -t -q -c "$conf"

reload_on_new_certificate() {
  seen=$(cksum <"$site")
  while sleep "$TLS_RELOAD_SECONDS"; do
    now=$(cksum <"$site") || continue
    [ "$now" != "$seen" ] || continue
    # A broken file must not take the site down: nginx keeps the certificate it has.
    if nginx -t -q -c "$conf" && nginx -s reload -c "$conf"; then
      seen=$now
      echo "nginx: reloaded with the new certificate"
    fi
  done
}
reload_on_new_certificate &

exec nginx -c "$conf" -g 'daemon off;'
