# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What `lbm doctor` checks of a robot: its spec, and whether its topics deliver."""

import json
import os

from lbm_policy_node.core.spec.robot_spec import RobotSpec
from lbm_policy_node.core.spec.spec_reader import SpecError
from lbm_policy_node.doctor.stream_health import Check, Level, StreamSamples, judge_streams
from lbm_policy_node.graph import transport
from lbm_policy_node.graph.bringup import robot_file
from lbm_policy_node.graph.python_process import run_python


def check_robot(robot: str, chosen: transport.Transport, duration_s: float) -> list[Check]:
    """Listen to the topics of a spec and judge them; a refused spec is a finding too."""
    try:
        file = robot_file(robot)
        spec = RobotSpec.load(file)
    except (SpecError, OSError) as error:
        return [Check("robot spec", Level.FAILURE, str(error), "correct the file or its name")]
    arguments = ["-m", "lbm_policy_node.ros.doctor.stream_probe", str(file), "--duration-s", str(duration_s)]
    try:
        answer = run_python(arguments, chosen.applied_to(os.environ), timeout_s=duration_s + 60.0)
    except RuntimeError as error:
        return [
            Check("robot spec", Level.FAILURE, f"could not listen: {error}", "look at the check of ROS 2")
        ]
    found = json.loads(answer.strip().splitlines()[-1])["streams"]
    samples = {name: StreamSamples(**values) for name, values in found.items()}
    return [Check("robot spec", Level.OK, f"{spec.name} ({file})"), *judge_streams(spec, samples)]
