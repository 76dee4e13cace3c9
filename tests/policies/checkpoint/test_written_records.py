# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Every field of a checkpoint's JSON files comes back; so does what a policy server says of its policy."""

import json
from typing import Any

from helpers.differing import assert_same_record, differing
from lbm_policy_node.policies.checkpoint.extensions import Extensions, RelativePose
from lbm_policy_node.policies.checkpoint.features import ACTION_KEY, STATE_KEY, Feature
from lbm_policy_node.policies.checkpoint.sidecar import Sidecar, read_sidecar, write_sidecar
from lbm_policy_node.policies.multitask_dit.config import MultiTaskDiTConfig
from lbm_policy_node.policies.pi0.config import Pi0Config
from lbm_policy_node.policies.policy import ImageFeature, PolicySpec
from lbm_policy_node.policies.remote.protocol import metadata, spec_of
from lbm_policy_node.policies.weightless import WeightlessConfig

FEATURES: dict[str, Any] = {
    "input_features": {
        STATE_KEY: Feature("STATE", (11,)),
        "observation.images.front": Feature("VISUAL", (3, 90, 120)),
    },
    "output_features": {ACTION_KEY: Feature("ACTION", (10,))},
}
POSE = differing(
    RelativePose,
    action_start=1,
    action_kind="pose_rot6d",
    state_start=2,
    state_kind="pose_quaternion",
    reference="oldest",
)
EXTENSIONS = differing(Extensions, relative_poses=(POSE,))


def through_json(value):
    return json.loads(json.dumps(value))


def test_the_extensions_come_back():
    assert_same_record(Extensions.from_dict(through_json(EXTENSIONS.to_dict())), EXTENSIONS)


def test_the_sidecar_comes_back(tmp_path):
    sidecar = differing(Sidecar, towers={"vision": {"layers": 3}}, provenance={"steps": 5, "by": ["a"]})
    write_sidecar(tmp_path, sidecar)
    assert_same_record(read_sidecar(tmp_path), sidecar)


def test_the_configuration_of_a_multitask_dit_comes_back():
    config = differing(
        MultiTaskDiTConfig,
        fixed=("use_peft", "tokenizer_padding_side"),
        **FEATURES,
        n_obs_steps=3,
        horizon=40,
        n_action_steps=19,
        objective="flow_matching",
        noise_scheduler_type="DDIM",
        num_train_timesteps=500,
        num_inference_steps=111,
        beta_schedule="linear",
        beta_start=0.01,
        beta_end=0.03,
        prediction_type="sample",
        sigma_min=0.25,
        integration_method="rk4",
        timestep_sampling_strategy="uniform",
        timestep_sampling_s=0.5,
        hidden_dim=48,
        num_heads=6,
        num_layers=7,
        dropout=0.125,
        timestep_embed_dim=64,
        use_positional_encoding=True,
        image_resize_shape=(80, 100),
        image_crop_shape=(70, 60),
        tokenizer_padding="longest",
        normalization_mapping={"STATE": "MEAN_STD"},
        optimizer_betas=(0.5, 0.75),
        lbm_extensions=EXTENSIONS,
    )
    assert_same_record(MultiTaskDiTConfig.from_dict(through_json(config.to_dict())), config)


def test_the_configuration_of_a_pi0_5_comes_back():
    config = differing(
        Pi0Config,
        fixed=(
            "n_obs_steps",
            "use_amp",
            "use_peft",
            "use_visual_memory",
            "use_proprioceptive_memory",
            "rtc_config",
        ),
        kind="pi05",
        **FEATURES,
        paligemma_variant="gemma_300m",
        action_expert_variant="gemma_2b",
        dtype="bfloat16",
        chunk_size=40,
        n_action_steps=23,
        image_resolution=(112, 112),
        normalization_mapping={"STATE": "QUANTILES"},
        optimizer_betas=(0.5, 0.75),
        max_state_dim=41,
        max_action_dim=43,
    )
    assert_same_record(Pi0Config.from_dict(through_json(config.to_dict())), config)


def test_the_configuration_of_a_weightless_policy_comes_back():
    config = differing(
        WeightlessConfig,
        **FEATURES,
        hold_state_indices=tuple(range(10, 0, -1)),
        horizon=50,
        n_action_steps=29,
    )
    assert_same_record(WeightlessConfig.from_dict(through_json(config.to_dict())), config)


def test_what_a_server_says_of_its_policy_comes_back():
    spec = differing(
        PolicySpec,
        images=(ImageFeature("front", 90, 120), ImageFeature("wrist", 60, 80)),
        state_dim=2,
        action_dim=3,
        horizon=50,
        n_action_steps=31,
        state_names=("a", "b"),
        action_names=("x", "y", "z"),
    )
    assert_same_record(spec_of(through_json(metadata(spec, {"kind": "x"}, 1000))), spec)
