# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""CLIP-style instruction tokenizer, read from a tokenizer.json."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from lbm_policy_node.policies.checkpoint.errors import CheckpointError
from lbm_policy_node.policies.checkpoint.files import read_json
from lbm_policy_node.policies.checkpoint.processor_files import TokenizerStep

TOKENIZER_FOLDER = "tokenizer"
TOKENIZER_FILE = "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
END = "<|endoftext|>"
log = logging.getLogger(__name__)


class InstructionTokenizer:
    """Text to token ids and mask, as LeRobot's tokenizer step makes them."""

    def __init__(self, tokenizer: Tokenizer, step: TokenizerStep, pad_token: str = END) -> None:
        """Wrap a loaded tokenizer.

        Raises:
            CheckpointError: The padding token is not in the vocabulary.
        """
        pad_id = tokenizer.token_to_id(pad_token)
        if pad_id is None:
            raise CheckpointError("", "pad_token", f"{pad_token!r} is not in the tokenizer's vocabulary")
        self.tokenizer = tokenizer
        self.step = step
        self._pad_id = pad_id
        tokenizer.no_padding()
        tokenizer.no_truncation()
        if step.truncation:
            tokenizer.enable_truncation(step.max_length)

    @property
    def vocabulary_size(self) -> int:
        """Number of token ids."""
        return self.tokenizer.get_vocab_size()

    def __call__(self, instructions: str | Iterable[str]) -> tuple[Tensor, Tensor]:
        """Tokenise.

        Args:
            instructions: One text or several.

        Returns:
            Token ids (B, L) int64 and mask (B, L) bool, true for real tokens; padded on the right.

        Raises:
            ValueError: A text has more than `max_length` tokens and truncation is off; with truncation it is
                cut, with a warning.
        """
        texts = [instructions] if isinstance(instructions, str) else list(instructions)
        encodings = self.tokenizer.encode_batch(texts)
        for text, encoding in zip(texts, encodings, strict=True):
            if encoding.overflowing:
                log.warning("cut to %d tokens: %r", self.step.max_length, text)
        rows = [encoding.ids for encoding in encodings]
        longest = max(len(row) for row in rows)
        if longest > self.step.max_length:
            raise ValueError(
                f"an instruction has {longest} tokens, at most {self.step.max_length} are allowed"
            )
        width = self.step.max_length if self.step.padding == "max_length" else longest
        tokens = torch.full((len(rows), width), self._pad_id, dtype=torch.int64)
        mask = torch.zeros((len(rows), width), dtype=torch.bool)
        for index, row in enumerate(rows):
            tokens[index, : len(row)] = torch.tensor(row)
            mask[index, : len(row)] = True
        return tokens, mask


def load_tokenizer(path: Path, step: TokenizerStep) -> InstructionTokenizer:
    """Read a tokenizer folder or its tokenizer.json.

    Raises:
        CheckpointError: The file is missing or damaged.
    """
    file = path / TOKENIZER_FILE if path.is_dir() else path
    if not file.is_file():
        raise CheckpointError(file, "", "tokenizer file is missing")
    if file.suffix == ".model":
        raise CheckpointError(
            file, "", "is a sentencepiece model, expected the tokenizer.json of the same tokenizer"
        )
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # tokenizers raises nothing more specific
        raise CheckpointError(file, "", f"is not a tokenizer ({error})") from error
    config = file.parent / TOKENIZER_CONFIG
    pad_token = read_json(config).get("pad_token", END) if config.is_file() else END
    content = pad_token["content"] if isinstance(pad_token, dict) else pad_token
    return InstructionTokenizer(tokenizer, step, content or END)


def find_tokenizer(
    directory: Path, step: TokenizerStep, encoder_name: str, override: Path | None
) -> InstructionTokenizer:
    """The tokenizer of a checkpoint: the given one, its own folder, or the text encoder's folder.

    Raises:
        CheckpointError: None of them exists (LeRobot up to 0.6.1 saved only a name on the hub).
    """
    if override is not None:
        return load_tokenizer(override, step)
    for name in (step.tokenizer_name, TOKENIZER_FOLDER, encoder_name):
        if (directory / name / TOKENIZER_FILE).is_file():
            return load_tokenizer(directory / name, step)
    raise CheckpointError(
        directory / TOKENIZER_FOLDER / TOKENIZER_FILE,
        "",
        f"the checkpoint holds no tokenizer, only the name {step.tokenizer_name!r}; give the path of its "
        "tokenizer.json (option `tokenizer`)",
    )
