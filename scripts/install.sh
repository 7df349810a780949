#!/usr/bin/env bash
# Make a virtual environment with everything pinned. Usage: install.sh <folder>
set -euo pipefail
venv=$1
python=${PYTHON:-python3}

if ! "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
    # The machine's default may be too old or too new while a fitting one is installed beside it.
    for candidate in python3.13 python3.12 python3.11; do
        if "$candidate" -c 'pass' 2>/dev/null; then python=$candidate; break; fi
    done
fi
if ! "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
    echo "Python 3.11, 3.12 or 3.13 is needed; call: make PYTHON=/path/to/python3.12 ..." >&2
    exit 1
fi
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    "$python" -m venv --clear "$venv" || {
        echo "The module venv is missing; on Debian and Ubuntu: apt-get install python3-venv" >&2
        exit 1
    }
fi
echo "Installing into $venv (some minutes at the first time) ..."
unset PYTHONDONTWRITEBYTECODE
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
# Byte-code is compiled at once: every start of an Airflow process would do it again otherwise.
"$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --compile-bytecode -c constraints.txt -r requirements-dev.txt
"$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --no-deps -e .
touch "$venv/.installed"
