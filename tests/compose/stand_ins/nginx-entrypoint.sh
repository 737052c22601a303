#!/bin/sh
# Stand-in for the official nginx entrypoint: templates/*.template through envsubst (only variables that exist), then the command.
set -e
for t in /etc/nginx/templates/*.template; do [ -e "$t" ] || continue
  o=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}/$(basename "$t" .template); envsubst "$(env | cut -d= -f1 | sed 's/.*/${&}/' | tr '\n' ' ')" <"$t" >"$o"; done
for s in /docker-entrypoint.d/*.sh; do [ ! -x "$s" ] || "$s"; done
exec "$@"
