"""Packed masks come back bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_vost.errors import InputError
from napari_vost.masks import PackedMask, box_of


@settings(max_examples=60, deadline=None, derandomize=True)
@given(arrays(np.bool_, st.tuples(st.integers(1, 17), st.integers(1, 19))))
def test_any_mask_comes_back_and_its_box_is_tight(mask):
    packed = PackedMask.pack(mask)
    np.testing.assert_array_equal(packed.unpack(), mask)
    assert packed.empty == (not mask.any())
    assert packed.area == packed.area == mask.sum()
    assert packed.box == box_of(mask)
    if packed.box is not None:
        y0, x0, y1, x1 = packed.box
        inside = mask[y0:y1, x0:x1]
        assert inside.sum() == mask.sum()
        assert inside[0].any() and inside[-1].any() and inside[:, 0].any() and inside[:, -1].any()


def test_an_empty_mask_takes_no_bytes_and_keeps_its_shape():
    packed = PackedMask.pack(np.zeros((512, 300), dtype=bool))
    assert packed.empty and packed.box is None and packed.data == b""
    assert packed.unpack().shape == (512, 300) and not packed.unpack().any()


def test_an_organ_takes_little_room():
    y, x = np.mgrid[:512, :512]
    organ = ((y - 250) / 90.0) ** 2 + ((x - 200) / 60.0) ** 2 + 0.1 * np.sin(x / 9.0) < 1
    packed = PackedMask.pack(organ)
    assert len(packed.data) < 2000
    np.testing.assert_array_equal(packed.unpack(), organ)


def test_a_slice_of_a_transposed_volume_packs_as_any_other():
    volume = np.random.default_rng(0).random((4, 5, 6)) < 0.3
    frame = np.transpose(volume, (2, 1, 0))[::-1][2]
    np.testing.assert_array_equal(PackedMask.pack(frame).unpack(), frame)


def test_a_volume_is_no_mask():
    with pytest.raises(InputError, match="mask"):
        PackedMask.pack(np.zeros((2, 3, 4), dtype=bool))
