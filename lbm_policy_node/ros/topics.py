# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Every topic, service and action name of the graph, with what flows there. The robot spec names the robot's.

A name without a leading slash takes the node's namespace and can be remapped, as ROS does it.
"""

from typing import Final

# The graph's own topics.
ACTION_CHUNKS: Final = "action_chunks"
"""lbm_msgs/ActionChunk: what the policy proposes, from the policy node to executor, monitor and recorder."""
CONTROL_STATE: Final = "control_state"
"""lbm_msgs/ControlState: who drives, what was proposed and what was executed; once per control tick."""
MONITOR_VERDICTS: Final = "monitor_verdicts"
"""lbm_msgs/MonitorVerdict: the monitor's judgement of each chunk, to executor and recorder."""
EPISODE_EVENTS: Final = "episode_events"
"""lbm_msgs/EpisodeEvent: stamped facts of every node and operator, such as a takeover or a success."""
POLICY_STATUS: Final = "policy_node/status"
"""lbm_msgs/PolicyStatus: the policy node's state. The name is fixed, whatever the node is called."""
RECORDER_STATUS: Final = "recorder_node/status"
"""lbm_msgs/RecorderStatus: what is being recorded. The name is fixed, whatever the node is called."""
ESTOP: Final = "estop"
"""std_msgs/Bool: true stops the robot until `reset_estop`; from an operator or a safety device."""
TAKE_OVER: Final = "scripted_teleop/take_over"
"""std_msgs/Bool: true makes the scripted operator of the simulation take over, false give back."""

# Topics that ROS itself names.
DIAGNOSTICS: Final = "/diagnostics"
"""diagnostic_msgs/DiagnosticArray: the health of each of our nodes."""
CLOCK: Final = "/clock"
"""rosgraph_msgs/Clock: simulated or played time, for nodes with use_sim_time."""

# Actions and services.
RUN_POLICY: Final = "run_policy"
"""Action lbm_msgs/RunPolicy: follow an instruction until success, time limit or cancellation."""
START_POLICY: Final = "start_policy"
"""lbm_msgs/StartPolicy: the same as a service, for clients that cannot call an action."""
CANCEL_POLICY: Final = "cancel_policy"
"""lbm_msgs/CancelPolicy: end the policy's run."""
SET_INSTRUCTION: Final = "set_instruction"
"""lbm_msgs/SetInstruction: change the instruction of the run."""
RESUME: Final = "resume"
"""lbm_msgs/Resume: the policy may drive again after a takeover or a stop by the monitor."""
RESET_ESTOP: Final = "reset_estop"
"""lbm_msgs/ResetEstop: leave the emergency stop."""
START_EPISODE: Final = "start_episode"
"""lbm_msgs/StartEpisode: begin to record."""
END_EPISODE: Final = "end_episode"
"""lbm_msgs/EndEpisode: end the recording, with an outcome."""
GET_PARAMETERS: Final = "get_parameters"
"""rcl_interfaces/GetParameters: every node's own, below the node's name."""

# The simulated robot's. Its spec, config/robots/metaworld.yaml, names those that a real robot has, too.
SIM_RESET: Final = "/sim/reset"
"""lbm_msgs/ResetSimulation: put up a task and a scene."""
SIM_STEP: Final = "/sim/step"
"""lbm_msgs/StepSimulation: advance by one step, in lock-step mode."""
SIM_SUCCESS: Final = "/sim/success"
"""std_msgs/Bool: whether the task is solved."""
SIM_TASK: Final = "/sim/task"
"""std_msgs/String: the task that is put up, for a node that starts late."""
SIM_PRIVILEGED: Final = "/sim/privileged"
"""std_msgs/Float64MultiArray: the simulator's full observation, for the scripted operator only."""
SIM_JOINT_STATES: Final = "/joint_states"
"""sensor_msgs/JointState: the arm's joints and the gripper's opening."""
SIM_EE_POSE: Final = "/ee_pose"
"""geometry_msgs/PoseStamped: the measured pose of the hand."""
SIM_TARGET_POSE: Final = "/target_pose"
"""geometry_msgs/PoseStamped: where the hand shall go, from the executor."""
SIM_GRIPPER: Final = "/gripper/command"
"""std_msgs/Float64MultiArray: the gripper's command, from the executor."""
SIM_FRONT_CAMERA: Final = "/camera/front/image_raw"
"""sensor_msgs/Image: one of the simulated cameras; see sim_camera."""

# The benchmarks'.
BENCH_ROBOT: Final = "/policy"
"""Prefix of what the benchmark's robot senses, for the graph that is measured."""
BARE_ROBOT: Final = "/bare"
"""Prefix of the same for bare rclpy, which is measured beside it."""
BARE_CHUNKS: Final = "/bare/action_chunks"
"""lbm_msgs/ActionChunk: answers of bare rclpy."""
BARE_CONTROL_STATE: Final = "/bare/control_state"
"""lbm_msgs/ControlState: ticks of a bare timer."""
BENCH_TARGET_POSE: Final = "/bench/target_pose"
"""geometry_msgs/PoseStamped: the executor's commands to the benchmark's robot."""
BENCH_JOY: Final = "/joy"
"""sensor_msgs/Joy: the benchmark's gamepad."""


def sim_camera(name: str) -> str:
    """Return the image topic of a simulated camera."""
    return f"/camera/{name}/image_raw"


def below(prefix: str, name: str) -> str:
    """Return a name below a prefix or a node's name."""
    return f"{prefix}/{name}"
