# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""`lbm serve`: a policy for other processes and machines."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import click

from lbm_policy_node.cli.options import dataclass_options, take
from lbm_policy_node.policies.checkpoint.errors import CheckpointError, PolicyUnavailable
from lbm_policy_node.policies.policy import DescribedPolicy
from lbm_policy_node.serving.server import ServerConfig


@click.command(name="serve")
@click.option("--checkpoint", help="Folder of the policy.")
@click.option(
    "--lerobot",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of a policy of LeRobot's own (ACT, SmolVLA, ...); needs LeRobot in this environment.",
)
@dataclass_options(ServerConfig)
@click.option(
    "--api-key-file",
    type=click.Path(path_type=Path),
    help="File with the key that clients must know. Default: the variable LBM_API_KEY, if it is set.",
)
@click.option(
    "--allow-unauthenticated-network",
    is_flag=True,
    help="Let other machines in without a key. Anyone who reaches the port can then use the policy.",
)
@click.option(
    "--device", default="cpu", show_default=True, help="Where the policy computes: cpu, cuda or cuda:N."
)
@click.option(
    "--threads", type=click.IntRange(min=1), help="CPU threads of the policy. Default: torch's choice."
)
@click.option("--tokenizer", type=click.Path(path_type=Path), help="Tokenizer, if the checkpoint has none.")
@click.option(
    "--max-message-mb",
    default=ServerConfig.max_message_bytes >> 20,
    show_default=True,
    type=click.IntRange(1, 1024),
    help="Largest request, MiB.",
)
@click.option(
    "--map",
    "mappings",
    multiple=True,
    metavar="KEY=INPUT",
    help="A further key of openpi observations, as observation/top=observation.images.front. Repeatable.",
)
def command(
    checkpoint: str | None,
    lerobot: Path | None,
    api_key_file: Path | None,
    allow_unauthenticated_network: bool,
    device: str,
    threads: int | None,
    tokenizer: Path | None,
    max_message_mb: int,
    mappings: tuple[str, ...],
    **values: Any,
) -> None:
    """Serve a policy by websocket, for policy_node and for openpi's client. Needs no ROS."""
    from lbm_policy_node.serving.access import AccessError, check_exposure, read_api_key
    from lbm_policy_node.serving.openpi_observation import KeyMap
    from lbm_policy_node.serving.server import PolicyServer
    from lbm_policy_node.serving.warm_up import warm_up

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("websockets").setLevel(
        logging.CRITICAL
    )  # the server itself says who came and why he left
    try:
        key = read_api_key(api_key_file)
        config = take(ServerConfig, values, api_key=key, max_message_bytes=max_message_mb << 20)
        warning = check_exposure(config.host, key, allow_unauthenticated=allow_unauthenticated_network)
        policy = _load(checkpoint, lerobot, device, tokenizer, threads)
        server = PolicyServer(policy, config, KeyMap(policy.spec, _pairs(mappings)))
        click.echo(
            f"{policy.spec.kind} {policy.spec.checkpoint_id}: warm-up {warm_up(policy):.2f} s", err=True
        )
        if warning:
            click.secho(warning, fg="yellow", err=True)
        server.run(lambda address: click.echo(f"serving on {address}"))
    except (AccessError, CheckpointError, PolicyUnavailable, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


def _load(
    checkpoint: str | None, lerobot: Path | None, device: str, tokenizer: Path | None, threads: int | None
) -> DescribedPolicy:
    if (checkpoint is None) == (lerobot is None):
        raise click.UsageError("give either --checkpoint or --lerobot")
    if lerobot is not None:
        from lbm_policy_node.serving.lerobot_policy import load_lerobot

        return load_lerobot(lerobot, device)
    from lbm_policy_node.policies.load import load_policy

    return load_policy(checkpoint or "", device, tokenizer, threads=threads)


def _pairs(mappings: tuple[str, ...]) -> dict[str, str]:
    pairs = [mapping.partition("=") for mapping in mappings]
    wrong = [
        mapping for mapping, (_, sign, meaning) in zip(mappings, pairs, strict=True) if not (sign and meaning)
    ]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r}; expected KEY=INPUT", param_hint="--map")
    return {key: meaning for key, _, meaning in pairs}
