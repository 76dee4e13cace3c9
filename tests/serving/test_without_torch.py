# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A robot computer without torch runs the policy node with a remote policy."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

NO_WEBSOCKETS = """
import sys
sys.modules["websockets.sync"] = None  # as in Ubuntu 24.04's version 10.4
from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.load import load_policy
try:
    load_policy("ws://127.0.0.1:1")
except CheckpointError as error:
    print(error)
"""
PROGRAM = """
import sys
for name in ("torch", "transformers", "safetensors", "tokenizers"):
    sys.modules[name] = None  # importing it raises ImportError
import numpy as np
from lbm_policy_node.core.types import Observation
from lbm_policy_node.policies.load import load_policy
import lbm_policy_node.ros.policy.policy_node
policy = load_policy(sys.argv[1])
images = {f.key: np.zeros((f.height, f.width, 3), np.uint8) for f in policy.spec.images}
seen = [Observation(0, images, np.zeros(policy.spec.state_dim), "open the door")] * policy.spec.n_obs_steps
print(policy.infer(seen, n_samples=2).shape, policy.embed(seen).shape, flush=True)
policy.close()
"""


def test_the_policy_node_and_a_remote_policy_need_no_torch(golden_server):
    command = [sys.executable, "-c", PROGRAM, golden_server.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("(2, ")


def test_an_old_websockets_is_a_refused_checkpoint_with_a_remedy():
    done = subprocess.run([sys.executable, "-c", NO_WEBSOCKETS], capture_output=True, text=True, timeout=100)
    assert "pip install" in done.stdout and "websockets" in done.stdout, done.stderr
