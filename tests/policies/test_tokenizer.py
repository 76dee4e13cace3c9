# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The instruction tokenizer: golden ids, training, padding and truncation."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

from lbm_policy_node.policies.checkpoint.processor_files import TokenizerStep
from lbm_policy_node.policies.tokenizer import END, InstructionTokenizer, load_tokenizer
from lbm_policy_node.policies.tokenizer_training import START, save_tokenizer, train_tokenizer

TEXTS = ("open the door", "close the window", "push the puck to the goal")


def test_golden_ids_of_several_instructions(golden: Any) -> None:
    tokens, mask = golden.checkpoint.tokenizer([golden.instruction, "open the door", "a"])
    assert torch.equal(tokens, golden.reference["train.observation.language.tokens"])
    assert torch.equal(mask, golden.reference["train.observation.language.attention_mask"])


def test_trained_words_are_single_tokens_between_start_and_end() -> None:
    tokenizer = train_tokenizer(TEXTS, 560)
    assert tokenizer.encode("Open  THE door").tokens == [START, "open</w>", "the</w>", "door</w>", END]


def test_unseen_text_is_spelled_and_never_ends_early() -> None:
    tokenizer = train_tokenizer(TEXTS, 530)
    end = tokenizer.token_to_id(END)
    ids = tokenizer.encode("Grasp the café's 3rd mug, 机器人!").ids
    assert end is not None and ids.index(end) == len(ids) - 1
    assert tokenizer.decode(ids).replace("</w>", " ").startswith("grasp the café 's 3 rd mug")


def test_start_and_end_are_the_last_ids_and_the_size_is_kept() -> None:
    tokenizer = train_tokenizer(TEXTS, 520)
    assert tokenizer.get_vocab_size() == 520
    assert (tokenizer.token_to_id(START), tokenizer.token_to_id(END)) == (518, 519)


def test_vocabulary_without_room_for_the_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="514"):
        train_tokenizer(TEXTS, 513)


def test_saved_tokenizer_gives_the_same_ids_here_and_in_transformers(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(TEXTS, 560)
    save_tokenizer(tokenizer, tmp_path)
    ours = load_tokenizer(tmp_path, TokenizerStep(max_length=12))
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    for text in (*TEXTS, "Reach for the peg, twice", ""):
        expected = theirs(text, padding="max_length", max_length=12, truncation=True)
        tokens, mask = ours(text)
        assert tokens[0].tolist() == expected["input_ids"]
        assert mask[0].int().tolist() == expected["attention_mask"]


def test_truncation_keeps_the_end_token() -> None:
    tokenizer = InstructionTokenizer(train_tokenizer(TEXTS, 560), TokenizerStep(max_length=4))
    tokens, mask = tokenizer("push the puck to the goal")
    assert tokens.shape == (1, 4) and mask.all()
    assert tokens[0, -1] == tokenizer.tokenizer.token_to_id(END)


def test_long_text_without_truncation_is_refused() -> None:
    step = TokenizerStep(max_length=4, truncation=False)
    with pytest.raises(ValueError, match="8 tokens"):
        InstructionTokenizer(train_tokenizer(TEXTS, 560), step)("push the puck to the goal")


@pytest.mark.parametrize("padding", ["longest", "do_not_pad"])
def test_padding_to_the_longest_text_only(padding: str) -> None:
    tokenizer = InstructionTokenizer(train_tokenizer(TEXTS, 560), TokenizerStep(padding=padding))
    assert tokenizer(["open the door", "push the puck to the goal"])[0].shape == (2, 8)
