# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Where config/, launch/ and checkpoints/ are: in a checkout, in a virtual environment, under colcon."""

from pathlib import Path

PACKAGE = "lbm_policy"


def shared_root(module_file: Path | None = None) -> Path:
    """The folder that holds config/, launch/ and checkpoints/.

    In a checkout, an editable installation and `colcon build --symlink-install` this is the repository root;
    else it is share/lbm_policy below the prefix that the code was installed into. No ament index is asked,
    because an editable installation has no entry there.

    Args:
        module_file: Where the code lies; this file by default.

    Raises:
        FileNotFoundError: Nothing of the kind is above the code; the message names the place.
    """
    module = (module_file or Path(__file__)).resolve()
    checkout = module.parents[1]
    if (checkout / "setup.py").is_file() and (checkout / "package.xml").is_file():
        return checkout
    for prefix in module.parents:
        share = prefix / "share" / PACKAGE
        if (share / "package.xml").is_file():
            return share
    raise FileNotFoundError(f"no share/{PACKAGE} above {module}, and {checkout} is no checkout")


def shared_path(relative: str) -> Path:
    """A shared file or folder by its path in the repository, such as "config/robots/metaworld.yaml".

    Raises:
        FileNotFoundError: It does not exist; the message says where it should be and what is there.
    """
    root = shared_root()
    path = root / relative
    if path.exists():
        return path
    beside = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
    raise FileNotFoundError(f"{relative} is not in {root}; {path.parent} has: {beside}")


def is_server_url(checkpoint: object) -> bool:
    """Whether what was given for a checkpoint is the address of a policy server instead of a folder."""
    return isinstance(checkpoint, str) and checkpoint.startswith(("ws://", "wss://"))
