"""The picture sheet shows what it is told to show."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_vost.benchmark.sheet import WIDTH_PX, overlay_sheet
from napari_vost.clip import Clip
from napari_vost.display.colours import COLOURS
from napari_vost.errors import ExportError, InputError
from napari_vost.masks import PackedMask
from napari_vost.phantoms import Phantom, ball_volume, moving_disc_cine
from napari_vost.types import Label, Segmentation


def segmentation(phantom: Phantom, clip: Clip, shift: int = 0) -> Segmentation:
    masks = {
        key: {index: PackedMask.pack(np.roll(frame == key, shift, 1)) for index, frame in enumerate(phantom.labels)}
        for key in phantom.names
    }
    labels = {key: Label(name) for key, name in phantom.names.items()}
    return Segmentation(clip.shape, masks, labels, clip.order, clip.geometry, clip.source, clip.frame_times_s)


def count(picture: np.ndarray, colour: tuple[int, int, int]) -> int:
    return int((picture == colour).all(axis=2).sum())


@pytest.fixture
def ball() -> tuple[Phantom, Clip]:
    phantom = ball_volume(size=48, frames=9, radius_px=12, noise=0.0)
    return phantom, phantom.clip()


def test_a_sheet_is_1600_px_wide_and_holds_the_outlines_in_their_colour(
    ball: tuple[Phantom, Clip], tmp_path: Path
) -> None:
    overlay_sheet(ball[1], segmentation(*ball), tmp_path / "sheet.png", frames=4)
    with Image.open(tmp_path / "sheet.png") as picture:
        pixels = np.asarray(picture)
    assert pixels.shape[1] == WIDTH_PX
    around = 4 * np.pi * 2 * 12 * 8  # four circles, each pixel shown about 8 wide
    assert 0.5 * around < count(pixels, COLOURS[0]) / 2 < 1.6 * around


def test_truth_is_drawn_dashed_and_only_where_it_was_given(ball: tuple[Phantom, Clip], tmp_path: Path) -> None:
    found, truth = segmentation(*ball, shift=4), segmentation(*ball)
    white = []
    for name, one in (("without.png", None), ("with.png", truth)):
        overlay_sheet(ball[1], found, tmp_path / name, truth=one, frames=4)
        with Image.open(tmp_path / name) as picture:
            white.append(count(np.asarray(picture)[60:], (255, 255, 255)))
    assert white[1] > white[0] + 500


def test_a_labels_own_colour_wins(ball: tuple[Phantom, Clip], tmp_path: Path) -> None:
    one = replace(segmentation(*ball), labels={1: Label("Ball", colour_rgb=(1, 250, 2))})
    overlay_sheet(ball[1], one, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as picture:
        assert count(np.asarray(picture), (1, 250, 2)) > 1000


def test_tiles_have_the_shape_that_the_pixels_have_in_millimetres(tmp_path: Path) -> None:
    heights = []
    for spacing in ((1.0, 1.0, 1.0), (1.0, 2.0, 1.0)):
        phantom = ball_volume(size=48, frames=3, radius_px=22, spacing_mm_zyx=spacing)
        clip = phantom.clip()
        overlay_sheet(clip, segmentation(phantom, clip), tmp_path / "sheet.png", frames=1)
        with Image.open(tmp_path / "sheet.png") as picture:
            heights.append(picture.height)
    assert heights[1] - heights[0] == pytest.approx(heights[0], rel=0.15)


def test_a_cine_in_colour_and_objects_never_seen_make_a_sheet_too(tmp_path: Path) -> None:
    phantom = moving_disc_cine(frames=5)
    colour = np.repeat((np.clip(phantom.image, 0, 1) * 255).astype(np.uint8)[..., None], 3, axis=3)
    clip = Clip.from_array(colour, order="time", frame_times_s=phantom.frame_times_s)
    empty = replace(segmentation(phantom, clip), masks={1: {}})
    overlay_sheet(clip, empty, tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size > 1000


def test_masks_of_another_clip_are_refused_and_nothing_is_left(ball: tuple[Phantom, Clip], tmp_path: Path) -> None:
    other = replace(segmentation(*ball), shape=(9, 48, 40))
    with pytest.raises(ExportError, match="same clip"):
        overlay_sheet(ball[1], other, tmp_path / "sheet.png")
    with pytest.raises(InputError, match="frames"):
        overlay_sheet(ball[1], segmentation(*ball), tmp_path / "sheet.png", frames=0)
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_said_in_words(ball: tuple[Phantom, Clip], tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="does not exist"):
        overlay_sheet(ball[1], segmentation(*ball), tmp_path / "no" / "sheet.png")
