#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
#
# An environment for `lbm serve` alone: no ROS, no simulator, nothing of the machine's own packages.
#
#   scripts/serve_env.sh                 make it, or leave it alone while requirements/serve.txt is unchanged
#   scripts/serve_env.sh ARGUMENT...     the same, then run `lbm serve ARGUMENT...` in it
#
#   SERVE_VENV=path    where (default: .venv-serve in the repository root)
#   PYTHON=path        the interpreter (default: the first of python3.11, python3.12, python3.10, python3 that runs)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$(realpath -m "${SERVE_VENV:-$root/.venv-serve}")
unset PYTHONPATH PYTHONHOME AMENT_PREFIX_PATH VIRTUAL_ENV ROS_DISTRO LD_LIBRARY_PATH

say() { printf '[serve] %s\n' "$*" >&2; }

runs() { "$1" -c 'import sys, ensurepip, venv; sys.exit(not (3, 10) <= sys.version_info[:2])' 2>/dev/null; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3.11 python3.12 python3.10 python3}; do
        if runs "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    say "no Python of at least 3.10 with venv among: ${PYTHON:-python3.11 python3.12 python3.10 python3}"
    return 1
}

make_environment() {
    local wanted python
    wanted=$(sha256sum <"$root/requirements/serve.txt")
    [[ -f $venv/.serve && $(<"$venv/.serve") == "$wanted" ]] && return
    python=$(find_python)
    say "$("$python" --version) and requirements/serve.txt into $venv (minutes on the first run)"
    "$python" -m venv --clear "$venv"
    "$venv/bin/python" -m pip --disable-pip-version-check -qq install -r "$root/requirements/serve.txt"
    printf '%s\n' "$wanted" >"$venv/.serve"
}

make_environment
[[ $# == 0 ]] || PYTHONPATH=$root exec "$venv/bin/python" -m lbm_policy_node.cli.main serve "$@"
