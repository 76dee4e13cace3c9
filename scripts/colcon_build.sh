#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
#
# Build both packages with colcon over the ROS 2 wheels, in a scratch folder, and use what came out.
#
#   VENV=path  the environment that scripts/setup.sh made (default: .venv in the repository root)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$(realpath -m "${VENV:-$root/.venv}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cd "$root"
export PATH=$venv/bin:$PATH AMENT_PREFIX_PATH=$venv CMAKE_PREFIX_PATH=$venv COLCON_HOME=$scratch/home
colcon --log-base "$scratch/log" build --build-base "$scratch/build" --install-base "$scratch/install" \
    --cmake-args -DBUILD_TESTING=OFF -DPython3_EXECUTABLE="$venv/bin/python" -DCMAKE_BUILD_TYPE=Release </dev/null

installed=$scratch/install
for file in \
    lbm_msgs/share/lbm_msgs/package.xml \
    lbm_msgs/share/ament_index/resource_index/packages/lbm_msgs \
    lbm_policy/share/lbm_policy/package.xml \
    lbm_policy/share/ament_index/resource_index/packages/lbm_policy \
    lbm_policy/lib/lbm_policy/{lbm,policy_node,chunk_executor_node,sim_robot_node}; do
    [[ -e $installed/$file ]] || { echo "colcon installed no $file" >&2; exit 1; }
done

# As a user would: source it, away from the repository, and see that it is the built code that answers.
cd "$scratch"
set +u
source "$installed/setup.bash"
set -u
"$installed/lbm_policy/lib/lbm_policy/lbm" --version
python - "$installed" <<'EOF'
import sys
from pathlib import Path

import lbm_msgs.msg
import lbm_policy_node
from lbm_policy_node.paths import shared_root

lbm_msgs.msg.ActionChunk(horizon=1)
for place in (lbm_msgs.__file__, lbm_policy_node.__file__, shared_root()):
    assert Path(place).is_relative_to(sys.argv[1]), f"{place} is not what colcon built"
    print("uses", Path(place).relative_to(sys.argv[1]))
EOF
echo "colcon built and installed lbm_msgs and lbm_policy"
