#!/bin/sh
# Redis holds the rate limit's windows and the cache: all of it may be lost, so nothing is written to disk.
# The password goes in through a file in memory, because an argument list shows in `ps`.
set -eu
umask 077
cat >/tmp/redis.conf <<EOF
bind 0.0.0.0
port ${REDIS_PORT}
dir /tmp
save ""
appendonly no
# Only keys with an expiry are evicted, the least recently used first; a limiter's window in use is recent.
maxmemory ${REDIS_MAXMEMORY}
maxmemory-policy volatile-lru
tcp-keepalive 60
requirepass "$(cat /run/secrets/redis_password)"
EOF
exec redis-server /tmp/redis.conf
