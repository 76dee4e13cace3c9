# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Print, as JSON, whether rclpy and lbm_msgs can be used here, for `lbm doctor`."""

import importlib
import json
import os
import sys


def main() -> int:
    """Print one JSON object; ``problem`` is empty when all is well."""
    found = {"distribution": os.environ.get("ROS_DISTRO", "wheels"), "rmw": "", "problem": ""}
    try:
        import rclpy
        from rclpy.utilities import get_rmw_implementation_identifier

        importlib.import_module("lbm_msgs.msg")
        rclpy.init(args=[])
        rclpy.create_node("lbm_doctor_environment").destroy_node()
        found["rmw"] = get_rmw_implementation_identifier()
        rclpy.shutdown()
    except Exception as error:  # whatever it is, it is the finding
        found["problem"] = f"{type(error).__name__}: {error}"
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
