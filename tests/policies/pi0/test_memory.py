# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Loading holds the weights once, and `lbm bench-pi0` measures it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file

from lbm_policy_node.cli import bench_pi0
from lbm_policy_node.policies.checkpoint.tensor_stream import Planned, TensorReader, write_stream
from lbm_policy_node.policies.pi0.initialization import TINY
from lbm_policy_node.policies.pi0.random_checkpoint import write_random_checkpoint
from lbm_policy_node.policies.pi0.sizes import GemmaSize, Pi0Sizes, SiglipSize

MEASURE = """
import sys
from pathlib import Path
import torch
from lbm_policy_node.policies.pi0.checkpoint import read_config
from lbm_policy_node.policies.pi0.weights import load_model
from lbm_policy_node.policies.checkpoint.sidecar import read_sidecar
from lbm_policy_node.bench.bench_pi0_run import peak_gib
peak = lambda: peak_gib() * 1024
def load(folder):
    return load_model(folder, read_config(folder), read_sidecar(folder), torch.float32)
load(Path(sys.argv[1]))  # what torch needs once, whatever the size
before = peak()
model = load(Path(sys.argv[2]))
print(peak() - before, sum(p.numel() * p.element_size() for p in model.parameters()) / 2**20)
"""


def test_stream_writes_what_safetensors_reads_and_the_other_way_round(tmp_path: Path) -> None:
    tensors = {
        "a": torch.randn(3, 5),
        "b": torch.randn(7).bfloat16(),
        "c": torch.randn(2, 2, 2).half(),
        "d": torch.randn(()),
    }
    plan = {name: Planned(tuple(tensor.shape), tensor.dtype) for name, tensor in tensors.items()}
    write_stream(tmp_path / "ours", plan, iter(tensors.items()))
    save_file(tensors, tmp_path / "theirs")
    theirs = load_file(tmp_path / "ours")
    for file in ("ours", "theirs"):
        with TensorReader(tmp_path / file) as reader:
            for name, tensor in tensors.items():
                assert torch.equal(reader.read(name, tensor.dtype), tensor)
                assert torch.equal(theirs[name], tensor)
                assert torch.equal(reader.read(name, torch.float64), tensor.double())


def test_stream_of_other_tensors_than_planned_leaves_no_file(tmp_path: Path) -> None:
    plan = {"a": Planned((2,), torch.float32)}
    with pytest.raises(ValueError, match="expected a"):
        write_stream(tmp_path / "file", plan, [("a", torch.ones(3))])
    assert not (tmp_path / "file").exists()


@pytest.mark.slow
def test_loading_needs_little_more_than_the_weights(tmp_path: Path, golden_pi0: Path) -> None:
    gemma = GemmaSize(width=512, layers=8, mlp=2048, heads=4, head_dim=128)
    vision = SiglipSize(hidden=72, layers=1, heads=1, mlp=72, positions=4)
    folder = write_random_checkpoint(tmp_path / "p", Pi0Sizes(vision, gemma, gemma, 16_000), dtype="float32")
    run = [sys.executable, "-c", MEASURE, str(golden_pi0), str(folder)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=100, check=True)
    grown, weights = map(float, done.stdout.split())
    assert weights > 250
    assert grown < weights + 70, "a few blocks of the file, not a second copy"


def test_bench_prints_memory_and_time_and_cleans_up(tmp_path: Path) -> None:
    flags = ["--size=tiny", "--min-free-gib=0", "--threads=1", "--kind=pi05"]
    result = CliRunner().invoke(bench_pi0.command, [str(tmp_path / "b"), *flags])
    assert result.exit_code == 0, result.output
    for words in ("peak memory in all", "inference, 10 steps", "(1, 50, 7), finite: True", "bfloat16 on cpu"):
        assert words in result.output, words
    assert not (tmp_path / "b").exists()


def test_bench_refuses_when_memory_is_short_and_never_deletes_a_folder(tmp_path: Path) -> None:
    short = CliRunner().invoke(bench_pi0.command, [str(tmp_path / "b"), "--min-free-gib=100000"])
    assert short.exit_code == 1 and "expected at least 100000" in short.output
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("precious")
    result = CliRunner().invoke(
        bench_pi0.command, [str(tmp_path / "mine"), "--min-free-gib=0", "--size=tiny"]
    )
    assert result.exit_code == 1 and (tmp_path / "mine" / "file").exists()


def test_random_checkpoint_of_every_kind_loads(
    tmp_path: Path, checkpoint: Callable[..., Path], small: Any
) -> None:
    from lbm_policy_node.policies.load import load_policy

    for kind in ("pi0", "pi05"):
        folder = write_random_checkpoint(tmp_path / kind, TINY, kind=kind, cameras=1)
        spec = load_policy(folder).spec
        assert (spec.kind, spec.horizon, spec.action_dim, len(spec.images)) == (kind, 50, 7, 1)
