# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The spec of the fake robot: two small cameras, joints and a pose. No ROS is needed to read it."""

SIZE = 16

SPEC = """
name: fake
step_s: 0.05
control_rate_hz: 80.0
base_frame: base
max_skew_s: 0.06
streams:
  front:   {topic: /front, type: sensor_msgs/msg/Image, max_age_s: 0.25}
  wrist:   {topic: /wrist, type: sensor_msgs/msg/Image, max_age_s: 0.25}
  joints:  {topic: /joint_states, type: sensor_msgs/msg/JointState, max_age_s: 0.2}
  ee_pose: {topic: /ee_pose, type: geometry_msgs/msg/PoseStamped, max_age_s: 0.2}
images:
  observation.images.front: {stream: front, height: 16, width: 16}
  observation.images.wrist: {stream: wrist, height: 16, width: 16}
state:
  - {stream: ee_pose, fields: [x, y, z]}
  - {stream: joints, joints: [gripper_opening]}
action:
  lead_s: 0.05
  blocks:
    - kind: ee_position
      names: [x, y, z]
      output: {topic: /target_pose, type: geometry_msgs/msg/PoseStamped, orientation: [0, 0, 0, 1]}
      feedback: {stream: ee_pose, fields: [x, y, z]}
    - kind: gripper
      names: [gripper]
      output: {topic: /gripper, type: std_msgs/msg/Float64MultiArray}
limits:
  position: {x: [-1, 1], y: [-1, 1], z: [-1, 1], gripper: [-1.05, 1.05]}
  velocity: {x: 1.5, y: 1.5, z: 1.5}
  acceleration: {x: 60.0, y: 60.0, z: 60.0}
  start_jump: {x: 0.12, y: 0.12, z: 0.12}
  workspace: {min: [-1, -1, -1], max: [1, 1, 1]}
"""
