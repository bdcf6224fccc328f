"""Folders of pictures, single ones, TIFF stacks with and without metadata."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_vost.errors import ChoiceNeeded, ReadError
from napari_vost.io.readers import open_clip


def pictures(folder: Path, count: int, suffix: str = "png", colour: bool = False) -> np.ndarray:
    folder.mkdir(parents=True, exist_ok=True)
    shape = (count, 6, 8, 3) if colour else (count, 6, 8)
    stack = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    for index, picture in enumerate(stack):
        Image.fromarray(picture).save(folder / f"frame{index}.{suffix}")
    return stack


def test_pictures_follow_in_the_natural_order_of_their_names(tmp_path: Path) -> None:
    stack = pictures(tmp_path, 12)
    clip = open_clip(tmp_path)
    np.testing.assert_array_equal(np.stack(list(clip)), stack)
    assert clip.order == "depth" and not clip.geometry.spaced and not clip.geometry.oriented
    assert any("order=" in notice for notice in clip.notices)


def test_colour_pictures_are_a_cine_and_order_changes_that(tmp_path: Path) -> None:
    stack = pictures(tmp_path, 3, "bmp", colour=True)
    clip = open_clip(tmp_path)
    assert clip.order == "time" and clip.colour
    np.testing.assert_array_equal(clip.frame(2), stack[2])
    assert open_clip(tmp_path, order="depth").order == "depth"


def test_grey_among_colour_becomes_colour(tmp_path: Path) -> None:
    pictures(tmp_path, 2, colour=True)
    Image.fromarray(np.full((6, 8), 9, np.uint8)).save(tmp_path / "frame2.png")
    assert open_clip(tmp_path).frame(2)[0, 0].tolist() == [9, 9, 9]


def test_sixteen_bit_greys_and_palettes_keep_their_values(tmp_path: Path) -> None:
    deep = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000
    Image.fromarray(deep).save(tmp_path / "a.png")
    np.testing.assert_array_equal(open_clip(tmp_path / "a.png").frame(0), deep)
    palette = Image.fromarray(np.zeros((6, 8), np.uint8), "P")
    palette.putpalette([10, 20, 30] + [0] * 765)
    palette.save(tmp_path / "p.png")
    assert open_clip(tmp_path / "p.png").frame(0)[0, 0].tolist() == [10, 20, 30]


def test_one_picture_is_a_clip_of_one_frame(tmp_path: Path) -> None:
    pictures(tmp_path, 3)
    clip = open_clip(tmp_path / "frame1.png")
    assert len(clip) == 1 and any("nothing to follow" in notice for notice in clip.notices)


def test_mixed_sizes_and_damage_are_refused(tmp_path: Path) -> None:
    pictures(tmp_path / "a", 2)
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "a" / "x.png")
    with pytest.raises(ReadError, match="different sizes"):
        open_clip(tmp_path / "a")
    pictures(tmp_path / "b", 2)
    (tmp_path / "b" / "frame1.png").write_bytes(b"no picture")
    with pytest.raises(ReadError, match=r"frame1\.png"):
        open_clip(tmp_path / "b")


def test_folders_of_pictures_are_choices(tmp_path: Path) -> None:
    pictures(tmp_path / "frames", 4, colour=True)
    pictures(tmp_path / "masks", 4)
    with pytest.raises(ChoiceNeeded, match="2 series") as caught:
        open_clip(tmp_path)
    assert "frames" in caught.value.choices[0] and len(open_clip(tmp_path, series=1)) == 4


def test_pages_of_a_plain_tiff_are_slices(tmp_path: Path) -> None:
    stack = np.random.default_rng(0).integers(0, 60000, (5, 6, 8)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack", metadata=None)
    clip = open_clip(tmp_path / "a.tif")
    assert clip.order == "depth" and not clip.geometry.spaced
    np.testing.assert_array_equal(np.stack(list(clip)), stack)


def test_imagej_says_time_spacing_and_interval(tmp_path: Path) -> None:
    stack = np.random.default_rng(0).integers(0, 255, (5, 6, 8)).astype(np.uint8)
    facts = {"axes": "TYX", "unit": "um", "finterval": 0.5}
    tifffile.imwrite(tmp_path / "t.tif", stack, imagej=True, resolution=(4.0, 2.0), metadata=facts)
    clip = open_clip(tmp_path / "t.tif")
    assert clip.order == "time" and clip.frame_time_s == pytest.approx(0.5) and not clip.notices
    assert clip.spacing_mm_zyx[1:] == pytest.approx((0.5e-3, 0.25e-3)) and clip.geometry.spaced
    np.testing.assert_array_equal(np.stack(list(clip)), stack)


def test_a_tiff_with_time_and_depth_asks_for_a_choice(tmp_path: Path) -> None:
    stack = np.random.default_rng(0).integers(0, 255, (3, 4, 6, 8)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "t.tif", stack, imagej=True, metadata={"axes": "TZYX"})
    with pytest.raises(ChoiceNeeded, match="3 time points of 4 slices"):
        open_clip(tmp_path / "t.tif")
    np.testing.assert_array_equal(np.stack(list(open_clip(tmp_path / "t.tif", order="time", at=2))), stack[:, 2])
    np.testing.assert_array_equal(np.stack(list(open_clip(tmp_path / "t.tif", order="depth", at=1))), stack[1])


def test_colour_pages_keep_their_colours(tmp_path: Path) -> None:
    stack = np.random.default_rng(0).integers(0, 255, (4, 6, 8, 3)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "c.tif", stack, photometric="rgb", metadata=None)
    clip = open_clip(tmp_path / "c.tif")
    assert clip.order == "time"
    np.testing.assert_array_equal(np.stack(list(clip)), stack)


def test_channels_are_refused(tmp_path: Path) -> None:
    stack = np.zeros((3, 2, 6, 8), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "c.tif", stack, imagej=True, metadata={"axes": "ZCYX"})
    with pytest.raises(ReadError, match="axes ZCYX"):
        open_clip(tmp_path / "c.tif")
