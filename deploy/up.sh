#!/bin/sh
# Starts docker-compose.yml; its last lines say what is not as it should be, and why. Called by
# make with more words for Compose. COMPOSE is how that is called.
set -eu

# Waited for is what sells. The rest may be late or missing.
start() {
    $COMPOSE up --detach "$@" &&
        $COMPOSE up --detach --wait --no-deps --no-recreate "$@" \
            nginx relay worker-order worker-email worker-search beat &&
        $COMPOSE exec -T backend python -m deploy.backend.health report
}

STATE='{{.State.ExitCode}} {{.RestartCount}} {{.State.OOMKilled}} {{with .State.Health}}{{.Status}}{{else}}-{{end}} {{index .Config.Labels "com.docker.compose.service"}} {{.State.Error}}'

# A line, or the last ones of its log, for each container that did not start, or ended, or ends again and again.
failures() {
    for id in $($COMPOSE ps --all --quiet 2>/dev/null); do
        docker inspect --format "$STATE" "$id" | while read -r code restarts no_memory health service error; do
            if [ -n "$error" ]; then
                # Docker's own words, from where they name the port.
                echo "$service does not start: ${error##*): }"
            elif [ "$no_memory" = true ] || [ "$code" = 137 ]; then
                echo "$service was killed, as happens when memory runs out."
            else
                # 143: it was told to end, and nobody asked for it again.
                case "$code $health $restarts" in
                "0 healthy "* | "0 - "* | "0 starting 0" | "143 "*) ;;
                *) docker logs --tail 3 "$id" 2>&1 | sed "s/^/$service: /" ;;
                esac
            fi
        done
    done >&2
}

$COMPOSE build
status=0
start "$@" || status=1
failures
exit $status
