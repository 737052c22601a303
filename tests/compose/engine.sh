#!/usr/bin/env bash
# A docker engine for machines that have none running and reach no image registry. Root, Debian.
#   engine.sh start DIR     dockerd with its data, socket and process id below DIR, and Compose 2
#   engine.sh base DIR      the images debian:bookworm-slim and debian:trixie-slim, made here
#   engine.sh stop DIR      end that dockerd, by its id; images and volumes stay in DIR
set -euo pipefail
command=${1:?start, base or stop}
place=$(realpath -m "${2:?directory}")
here=$(. /etc/os-release && echo "$VERSION_CODENAME")
sources=/etc/apt/sources.list.d/debian.sources
export DOCKER_HOST=unix://$place/docker.sock

start() {
    if ! [ -x /usr/sbin/dockerd ] || ! command -v debootstrap >/dev/null; then
        apt-get -qq update
        apt-get -qq install --yes --no-install-recommends docker.io debootstrap iptables >/dev/null
    fi
    mkdir -p "$place"
    [ -x "$place/docker-compose" ] || compose
    # No bridge, no firewall rules, no forwarding: Compose's own networks, their names and
    # published ports need none of them, and the machine stays as it was.
    setsid -f dockerd --data-root "$place/data" --exec-root "$place/exec" --pidfile "$place/pid" \
        -H "$DOCKER_HOST" --bridge=none --iptables=false --ip6tables=false --ip-masq=false \
        --ip-forward=false >"$place/dockerd.log" 2>&1 </dev/null
    for _ in $(seq 300); do
        ! docker version >/dev/null 2>&1 || return 0
        sleep 0.1
    done
    tail "$place/dockerd.log" >&2
    return 1
}

# Compose 2 from the next Debian's package, unpacked and not installed.
compose() {
    mkdir -p "$place/apt/lists/partial" "$place/apt/cache/archives/partial"
    sed "s/$here/trixie/g" $sources >"$place/apt/list.sources"
    apt() {
        apt-get -qq -o Dir::Etc::sourcelist="$place/apt/list.sources" -o Dir::Etc::sourceparts=- \
            -o Dir::State::lists="$place/apt/lists" -o Dir::Cache="$place/apt/cache" \
            -o APT::Sandbox::User=root "$@"
    }
    apt update
    (cd "$place/apt" && apt download docker-compose && dpkg-deb -x docker-compose_*.deb x)
    install "$place/apt/x/usr/libexec/docker/cli-plugins/docker-compose" "$place/docker-compose"
    rm -rf "$place/apt"
}

# With the machine's own certificates, so that a build reaches what the machine reaches. Hence
# never to be pushed anywhere.
base() {
    for suite in bookworm trixie; do
        ! /usr/bin/docker image inspect "debian:$suite-slim" >/dev/null 2>&1 || continue
        root=$place/root-$suite
        debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" >"$place/debootstrap.log"
        cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/" 2>/dev/null || true
        chroot "$root" update-ca-certificates >/dev/null 2>&1
        cp /etc/apt/apt.conf.d/docker-* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
        apt-config dump | grep '^Acquire::Check-' >"$root/etc/apt/apt.conf.d/90machine" || true
        rm -f "$root/etc/apt/sources.list"
        sed "s/$here/$suite/g" $sources >"$root/etc/apt/sources.list.d/debian.sources"
        printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
        chmod +x "$root/usr/sbin/policy-rc.d"
        printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' >"$root/etc/pip.conf"
        rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
        tar -C "$root" --one-file-system -c . |
            /usr/bin/docker import --change 'CMD ["bash"]' --change 'ENV LANG=C.UTF-8' - "debian:$suite-slim"
        rm -rf "$root"
    done
}

stop() {
    if process=$(cat "$place/pid" 2>/dev/null) && kill "$process" 2>/dev/null; then
        for _ in $(seq 300); do
            [ -e "$place/pid" ] || break
            sleep 0.1
        done
    fi
    { grep -o " $place/[^ ]*" /proc/mounts || true; } | sort -r | xargs -r umount
}

"$command"
