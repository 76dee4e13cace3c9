# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What `lbm doctor` checks without a robot: ROS, rendering, GPU, socket buffers, transport."""

import importlib.util
import json
import os
from collections.abc import Mapping

from lbm_policy_node.doctor.stream_health import Check, Level
from lbm_policy_node.graph import transport
from lbm_policy_node.graph.python_process import run_python

RENDER = """
import os
os.environ.setdefault("MUJOCO_GL", "egl")
import mujoco
model = mujoco.MjModel.from_xml_string("<mujoco><worldbody><light/><geom size='1'/></worldbody></mujoco>")
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
with mujoco.Renderer(model, 32, 32) as renderer:
    renderer.update_scene(data)
    print("pixels", int(renderer.render().max()))
"""


def check_machine(chosen: transport.Transport) -> list[Check]:
    """Return the checks that need no robot."""
    environment = chosen.applied_to(os.environ)
    return [
        check_ros(environment),
        check_transport(chosen, os.environ),
        check_socket_buffers(),
        check_gpu(),
        check_rendering(),
    ]


def check_ros(environment: Mapping[str, str]) -> Check:
    """Whether a node can be created and our messages are built."""
    try:
        answer = run_python(["-m", "lbm_policy_node.ros.doctor.environment_report"], environment)
        found = json.loads(answer.strip().splitlines()[-1])
    except (RuntimeError, ValueError, IndexError) as error:
        found = {"problem": str(error)}
    if found["problem"]:
        advice = "run `make`, or source the ROS 2 installation and this workspace (install/setup.bash)"
        return Check("ROS 2", Level.FAILURE, found["problem"], advice)
    domain = environment.get("ROS_DOMAIN_ID", "0")
    return Check(
        "ROS 2", Level.OK, f"{found['distribution']}, {found['rmw']}, domain {domain}, lbm_msgs found"
    )


def check_transport(chosen: transport.Transport, environment: Mapping[str, str]) -> Check:
    """What this shell's settings mean, and whether they void the choice."""
    inherited = transport.in_force(environment)
    if chosen.message:
        return Check("transport", Level.WARNING, chosen.message, "or keep mixed")
    if inherited == "foreign":
        names = [name for name in (*transport.VARIABLES, *transport.LOCALHOST) if environment.get(name)]
        text = f"{', '.join(names)} set in this shell; lbm replaces them for what it starts"
        return Check("transport", Level.WARNING, text, "other nodes started here may not see the graph")
    if chosen.name == "default":
        text = "default: images above 512 KiB get lost between processes (640x480 rgb8 is 900 KiB)"
        return Check(
            "transport", Level.WARNING, text, "start camera drivers with the profile of docs/transport.md"
        )
    return Check("transport", Level.OK, f"{chosen.name} (this shell: {inherited})")


def check_socket_buffers() -> Check:
    """Whether the kernel allows what large_data needs."""
    problem = transport.small_kernel_limits()
    if problem:
        return Check(
            "socket buffers", Level.WARNING, problem, "until then transport large_data falls back to mixed"
        )
    return Check("socket buffers", Level.OK, "large enough for transport large_data")


def check_gpu() -> Check:
    """Whether torch sees a CUDA device; a robot computer without torch is fine."""
    if importlib.util.find_spec("torch") is None:
        return Check("GPU", Level.OK, "torch is not installed: this computer can run the executor, not a DiT")
    import torch

    if torch.cuda.is_available():
        return Check("GPU", Level.OK, f"{torch.cuda.get_device_name(0)}, torch {torch.__version__}")
    advice = "inference runs on the CPU; for device:=cuda install a driver and a CUDA build of torch"
    return Check("GPU", Level.WARNING, f"none, torch {torch.__version__}", advice)


def check_rendering() -> Check:
    """Whether the simulated robot could render its cameras."""
    if importlib.util.find_spec("mujoco") is None:
        return Check(
            "EGL rendering", Level.OK, "mujoco is not installed: no simulated robot on this computer"
        )
    advice = "only the simulated robot needs it: apt install libegl1 libgl1-mesa-dri"
    try:
        answer = run_python(["-c", RENDER], os.environ)
    except RuntimeError as error:
        return Check("EGL rendering", Level.WARNING, str(error), advice)
    lit = answer.startswith("pixels") and int(answer.split()[1]) > 0
    text = "renders offscreen" if lit else f"pictures are black ({answer.strip()})"
    return Check("EGL rendering", Level.OK if lit else Level.WARNING, text, "" if lit else advice)
