#!/usr/bin/env bash
# build.sh IMAGE...: a stand-in for each, under exactly that name, from Debian's packages.
# Needs DOCKER_HOST, `engine.sh base`, CACHE, a directory that only we write to, and for
# Elasticsearch ES_HOME, an unpacked one.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
export DOCKER_BUILDKIT=1

mailpit() {
    version=v1.27.11
    [ -x "${CACHE:?}/mailpit-$version" ] || (
        # Its pages are made by npm and are not in the module: SMTP and the API work without.
        go mod download "github.com/axllent/mailpit@$version"
        cp -r "$(go env GOMODCACHE)/github.com/axllent/mailpit@$version" "$context/source"
        chmod -R u+w "$context/source"
        cd "$context/source"
        CGO_ENABLED=0 go build -ldflags '-s -w' -o "$CACHE/mailpit-$version" .
    )
    cp "$CACHE/mailpit-$version" "$context/mailpit"
}

elasticsearch() {
    cp -r "${ES_HOME:?is not set: the directory of an unpacked Elasticsearch}" "$context/elasticsearch"
    rm -rf "$context"/elasticsearch/{data,logs}
    printf 'cluster.name: shop\n' >"$context/elasticsearch/config/elasticsearch.yml"
}

cp "$here"/* "$context"
for image; do
    name=${image##*/}
    target=${name%%:*}
    case $name in
    postgres:15 | python:3.11*) suite=bookworm ;;
    *) suite=trixie ;;
    esac
    case $target in
    postgres | redis | rabbitmq | nginx | python) ;;
    mailpit | elasticsearch) "$target" ;;
    *)
        echo "There is no stand-in for $image" >&2
        exit 1
        ;;
    esac
    /usr/bin/docker build --quiet --network host --build-arg "BASE=debian:$suite-slim" \
        --target "$target" --label "stand-in=Debian $suite" --tag "$image" "$context" >/dev/null
    echo "$image: from Debian $suite"
done
