# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""Arrays travel as openpi's packages write them, and nothing else gets through."""

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from openpi_client import msgpack_numpy

from lbm_policy_node.messages.packing import PackingError, pack, unpack

DTYPES = ("|b1", "|u1", "|i1", "<u2", "<i4", ">i4", "<i8", "<u8", "<f2", "<f4", "<f8", ">f8")
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text() | st.binary()
SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
ARRAYS = st.sampled_from(DTYPES).flatmap(lambda dtype: arrays.arrays(dtype, SHAPES))


@given(ARRAYS)
def test_arrays_come_back_with_type_shape_and_every_bit(array):
    back = unpack(pack({"array": array}))["array"]
    assert back.dtype == array.dtype and back.shape == array.shape
    assert back.tobytes() == array.tobytes()
    assert not back.flags.writeable


@given(st.recursive(SCALARS, lambda c: st.lists(c, max_size=3) | st.dictionaries(st.text(), c, max_size=3)))
def test_plain_values_come_back(value):
    assert unpack(pack(value)) == value


@given(ARRAYS)
def test_bytes_are_those_of_the_published_openpi_client(array):
    value = {"observation/image": array, "prompt": "go", "scalar": np.float32(0.5), "n": [1, 2.5]}
    assert pack(value) == msgpack_numpy.packb(value)
    back = msgpack_numpy.unpackb(pack(value))
    assert back["observation/image"].tobytes() == array.tobytes() and back["scalar"] == 0.5


@pytest.mark.parametrize(
    "value", [np.array([{}]), np.array([1j]), np.array(["a"]), np.zeros(2, "i4,i4"), {1, 2}, object(), 2**70]
)
def test_what_is_no_plain_value_and_no_array_of_numbers_is_not_sent(value):
    with pytest.raises(PackingError, match="cannot be sent"):
        pack({"value": value})


def packed(value) -> bytes:
    """A message as somebody else may write it."""
    data = msgpack.packb(value)
    assert data is not None
    return data


def entry(**changes):
    whole = {"data": bytes(24), "dtype": "<f4", "shape": [2, 3]}
    return {b"__ndarray__": True, **{key.encode(): value for key, value in {**whole, **changes}.items()}}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"dtype": "|O"}, "array type '|O' is refused"),
        ({"dtype": "O"}, "'O'"),
        ({"dtype": "i4,O"}, "'i4,O'"),
        ({"dtype": "<U6"}, "'<U6'"),
        ({"dtype": "|V4"}, "'|V4'"),
        ({"dtype": "<c8"}, "'<c8'"),
        ({"dtype": "<M8[s]"}, "M8"),
        ({"dtype": ["a", "O"]}, "is refused"),
        ({"shape": [2, 4]}, "expected 32 bytes"),
        ({"shape": [-2, -3]}, "shape"),
        ({"shape": [2**40, 2**40]}, "expected"),
        ({"shape": [1] * 40}, "at most 8"),
        ({"shape": 6}, "shape 6"),
        ({"data": "text"}, "str"),
        ({"data": None}, "NoneType"),
    ],
)
def test_an_array_that_is_none_or_of_objects_is_refused(changes, named):
    with pytest.raises(PackingError, match=r"refused|expected") as caught:
        unpack(packed({"a": entry(**changes)}))
    assert named in str(caught.value)


@pytest.mark.parametrize(
    "scalar", [{b"dtype": "|O", b"data": 1}, {b"dtype": "|u1", b"data": 999}, {b"dtype": "<f4"}]
)
def test_a_scalar_that_is_none_is_refused(scalar):
    with pytest.raises(PackingError):
        unpack(packed({b"__npgeneric__": True, **scalar}))


@given(st.binary(max_size=64))
def test_any_bytes_are_a_value_or_a_packing_error(data):
    try:
        unpack(data)
    except PackingError as error:
        assert str(error)


@pytest.mark.parametrize(
    "data", [b"", b"\x81\xa1", b"\x91" * 100_000, b"\xc0\xc0", packed({1: 2}), b"\xa1\xff"]
)
def test_truncated_deep_or_double_messages_are_refused(data):
    with pytest.raises(PackingError, match="is not a msgpack message"):
        unpack(data)
