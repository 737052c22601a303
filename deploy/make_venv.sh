#!/bin/sh
# Makes .venv with the pinned uv in it. PYTHON=... chooses the interpreter.
set -eu

suits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null
}

find_python() {
    for python in ${PYTHON:-python3.12 python3.11 python3}; do
        if suits "$python"; then
            echo "$python"
            return
        fi
    done
    echo "Python 3.11 or 3.12 is needed; looked for ${PYTHON:-python3.12, python3.11, python3}." >&2
    return 1
}

if suits .venv/bin/python; then
    .venv/bin/python -m ensurepip >/dev/null
else
    python=$(find_python)
    rm -rf .venv
    "$python" -m venv .venv || {
        rm -rf .venv
        exit 1
    }
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
    -r requirements/uv.txt
touch .venv/bin/uv
