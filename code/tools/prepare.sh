#!/bin/sh
# Find a Python that runs at all and hand over to prepare.py, which checks it and does the set-up.
# UNROLLED_PYTHON names the Python to use (make passes PYTHON=... on in it); arguments go to prepare.py.

here=$(dirname "$0")

# The quick look, by the Python in .venv itself: is everything in place? It says nothing and changes nothing.
if [ $# -eq 0 ] && [ -z "${UNROLLED_PYTHON:-}" ] && [ -f .venv/unrolled-stamp.json ] &&
    .venv/bin/python -I -S -B "$here/environment.py" look </dev/null >/dev/null 2>&1; then
    exit 0
fi

runs() {
    "$1" -c '' </dev/null >/dev/null 2>&1
}

if [ -n "${UNROLLED_PYTHON:-}" ]; then
    if ! runs "$UNROLLED_PYTHON"; then
        echo "prepare: there is no Python that runs at PYTHON=$UNROLLED_PYTHON; name one of Python 3.11 to 3.14." >&2
        exit 1
    fi
    exec "$UNROLLED_PYTHON" "$here/prepare.py" "$@"
fi

unset UNROLLED_PYTHON
for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
    if runs "$candidate"; then
        exec "$candidate" "$here/prepare.py" "$@"
    fi
done
echo "prepare: there is no Python on the PATH; install Python 3.11 to 3.14 (on Debian and Ubuntu: apt install python3 python3-venv), or name one with PYTHON=/path/to/python3." >&2
exit 1
