# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Tokenizers with Gemma's special tokens: saving any, and training small ones for new models."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from lbm_policy_node.policies.checkpoint.files import write_json
from lbm_policy_node.policies.tokenizer import END, TOKENIZER_CONFIG, TOKENIZER_FILE

PAD, STOP, START, UNKNOWN = SPECIAL = ("<pad>", "<eos>", "<bos>", "<unk>")
SMALLEST = 256 + len(SPECIAL)


def train_prompt_tokenizer(texts: Iterable[str], size: int = 512) -> Tokenizer:
    """Train a byte-level tokenizer that starts every text with <bos>; its first four ids are Gemma's.

    It can encode any text. PaliGemma's own tokenizer is needed for pretrained weights.

    Raises:
        ValueError: `size` leaves no room for the bytes.
    """
    if size < SMALLEST:
        raise ValueError(f"the vocabulary has {size} tokens, expected at least {SMALLEST}")
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A", special_tokens=[(START, SPECIAL.index(START))]
    )
    return tokenizer


def padding_token(tokenizer: Tokenizer) -> str:
    """The token that fills a prompt: Gemma's, or CLIP's where there is no other."""
    return PAD if tokenizer.token_to_id(PAD) is not None else END


def save_tokenizer(tokenizer: Tokenizer, directory: Path) -> None:
    """Write a tokenizer folder that transformers' AutoTokenizer and `load_tokenizer` read."""
    directory.mkdir(parents=True, exist_ok=True)
    plain = Tokenizer.from_str(tokenizer.to_str())
    plain.no_padding()
    plain.no_truncation()
    plain.save(str(directory / TOKENIZER_FILE))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": padding_token(tokenizer)}
    write_json(directory / TOKENIZER_CONFIG, settings, indent=2)
