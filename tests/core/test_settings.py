# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""One declaration of a setting: its type, range and choices hold for texts and for values."""

import math
from dataclasses import dataclass, field

import pytest

from lbm_policy_node.core.settings import (
    REQUIRED,
    SettingError,
    build,
    check_settings,
    same_setting,
    setting,
    setting_named,
    settings_of,
    shown,
)


@dataclass(frozen=True, kw_only=True)
class Oven:
    recipe: str = setting(REQUIRED, "What is baked.")
    heat_k: float = setting(450.0, "Temperature.", unit="K", low=300.0, high=600.0)
    trays: int = setting(1, "How many.", low=1)
    fan: bool = setting(False, "Whether the air moves.")
    mode: str = setting("bake", "How.", choices=("", "bake", "grill"))
    light: bool | None = setting(None, "The lamp; auto: with the door.")
    pause_s: float = setting(math.nan, "Pause; NaN: never.", unit="s")
    notes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True, kw_only=True)
class Kitchen:
    heat_k: float | None = same_setting(Oven, "heat_k", default=None)
    trays: int = same_setting(Oven, "trays", text="Trays of the oven.")


def test_settings_are_listed_in_order_and_other_fields_are_left_out() -> None:
    names = [entry.name for entry in settings_of(Oven)]
    assert names == ["recipe", "heat_k", "trays", "fan", "mode", "light", "pause_s"]
    recipe, heat, *_ = settings_of(Oven)
    assert recipe.required and not heat.required
    assert heat.description == "Temperature. Unit: K." and heat.default == 450.0


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("recipe", "1", "1"),
        ("heat_k", "350", 350.0),
        ("trays", "12", 12),
        ("fan", "True", True),
        ("mode", "", ""),
        ("light", "auto", None),
        ("light", "false", False),
    ],
)
def test_text_becomes_a_value_of_the_settings_type(name: str, text: str, value: object) -> None:
    parsed = setting_named(Oven, name).parse(text)
    assert parsed == value and type(parsed) is type(value)
    assert setting_named(Oven, name).parse(shown(value)) == value


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("heat_k", "hot", "heat_k is 'hot'; expected a number from 300 to 600"),
        ("heat_k", "200", "heat_k is 200; expected a number from 300 to 600"),
        ("heat_k", "nan", "heat_k is nan; expected a number from 300 to 600"),
        ("trays", "1.5", "trays is '1.5'; expected a whole number of at least 1"),
        ("fan", "on", "fan is 'on'; expected true or false"),
        ("mode", "gril", "mode is 'gril'; expected one of '', bake, grill; did you mean 'grill'?"),
    ],
)
def test_text_that_does_not_fit_is_refused_with_what_was_expected(
    name: str, text: str, complaint: str
) -> None:
    with pytest.raises(SettingError) as caught:
        setting_named(Oven, name).parse(text)
    assert str(caught.value) == complaint


@pytest.mark.parametrize(
    ("name", "value"),
    [("trays", True), ("trays", 1.0), ("trays", "1"), ("recipe", 1), ("fan", 1), ("heat_k", False)],
)
def test_a_value_of_another_type_is_refused(name: str, value: object) -> None:
    with pytest.raises(SettingError, match=f"{name} is .*expected"):
        setting_named(Oven, name).check(value)


def test_a_dataclass_is_built_from_checked_values() -> None:
    oven = build(Oven, {"recipe": "bread", "heat_k": 500})
    assert (oven.heat_k, oven.trays, oven.fan) == (500.0, 1, False) and type(oven.heat_k) is float
    with pytest.raises(SettingError, match=r"Oven has no setting 'heat'; did you mean 'heat_k'\?"):
        build(Oven, {"recipe": "bread", "heat": 500})
    with pytest.raises(SettingError, match="trays is 0"):
        Oven(recipe="bread", trays=0)


def test_a_setting_of_another_dataclass_keeps_its_range() -> None:
    heat, trays = settings_of(Kitchen)
    assert (heat.default, heat.low, heat.high, heat.unit, heat.optional) == (None, 300.0, 600.0, "K", True)
    assert (trays.default, trays.text) == (1, "Trays of the oven.")


def test_only_plain_types_are_settings() -> None:
    @dataclass
    class Wrong:
        names: list[str] = setting(REQUIRED, "Names.")  # noqa: RUF009

    with pytest.raises(TypeError, match="setting names is of type"):
        settings_of(Wrong)
