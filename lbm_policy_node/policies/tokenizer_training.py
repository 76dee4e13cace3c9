# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""A byte-level BPE tokenizer in CLIP's form, trained on a dataset's instructions."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from lbm_policy_node.policies.checkpoint.files import write_json
from lbm_policy_node.policies.tokenizer import END, TOKENIZER_CONFIG, TOKENIZER_FILE

START = "<|startoftext|>"
WORD_END = "</w>"
PATTERN = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def train_tokenizer(texts: Iterable[str], vocab_size: int = 1024) -> Tokenizer:
    """Train a tokenizer that can encode any text, best the given ones.

    The vocabulary is CLIP's: every byte, every byte at a word's end, merges, start token, end token (also
    padding).

    Args:
        texts: Instructions.
        vocab_size: At most this many tokens, at least 514; fewer when the texts offer no more merges.

    Raises:
        ValueError: `vocab_size` leaves no room for the bytes.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    base = alphabet + [letter + WORD_END for letter in alphabet]
    room = vocab_size - len(base) - 2
    if room < 0:
        raise ValueError(f"vocab_size is {vocab_size}, expected at least {len(base) + 2}")
    merges = _learn_merges(texts, room, alphabet) if room else []
    tokens = [*base, *(first + second for first, second in merges), START, END]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    model = models.BPE(vocab=vocabulary, merges=merges, unk_token=END, end_of_word_suffix=WORD_END)
    tokenizer = _pipeline(model)
    tokenizer.add_special_tokens([START, END])
    sep, cls = (END, vocabulary[END]), (START, vocabulary[START])
    tokenizer.post_processor = processors.RobertaProcessing(
        sep, cls, trim_offsets=False, add_prefix_space=False
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _learn_merges(texts: Iterable[str], count: int, alphabet: list[str]) -> list[tuple[str, str]]:
    """The first `count` merges of byte pair encoding."""
    tokenizer = _pipeline(models.BPE(unk_token=END, end_of_word_suffix=WORD_END))
    trainer = trainers.BpeTrainer(
        vocab_size=2 * len(alphabet) + count,
        initial_alphabet=alphabet,
        end_of_word_suffix=WORD_END,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    learned = json.loads(tokenizer.to_str())["model"]["merges"]
    return [(first, second) for first, second in itertools.islice(learned, count)]


def _pipeline(model: models.BPE) -> Tokenizer:
    """CLIP's text clean-up and word split: lower case, single spaces, words, digits, other signs."""
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, directory: Path) -> None:
    """Write a tokenizer folder that transformers' CLIPTokenizer and `load_tokenizer` read."""
    directory.mkdir(parents=True, exist_ok=True)
    plain = Tokenizer.from_str(tokenizer.to_str())
    plain.no_padding()
    plain.no_truncation()
    plain.save(str(directory / TOKENIZER_FILE))
    settings = {
        "backend": "tokenizers",
        "bos_token": START,
        "eos_token": END,
        "pad_token": END,
        "unk_token": END,
        "tokenizer_class": "CLIPTokenizer",
    }
    write_json(directory / TOKENIZER_CONFIG, settings, indent=2)
