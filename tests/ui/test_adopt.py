"""Layers of others: the frames of the clip are those of the layer, its spacing the layer's, and the rest is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image, Labels, Points

from napari_vost.clip import Clip
from napari_vost.errors import InputError
from napari_vost.io.readers.candidates import ONE_FRAME
from napari_vost.ui.adopt import adopt, check_labels, labels_of, place_options
from napari_vost.ui.layers import image_layer

VOLUME = np.random.default_rng(0).integers(-500, 900, (6, 7, 8)).astype(np.int16)
MM = ("mm", "mm", "mm")


def test_a_plain_layer_is_slices_without_spacing() -> None:
    clip = adopt(Image(VOLUME))
    assert clip.order == "depth" and not clip.geometry.spaced and not clip.geometry.oriented
    assert np.array_equal(clip.frame(3), VOLUME[3])


def test_spacing_comes_from_the_scale_where_its_units_are_lengths() -> None:
    clip = adopt(Image(VOLUME, scale=(2.5, 0.8, 0.7), units=MM))
    assert clip.geometry.spaced and clip.spacing_mm_zyx == pytest.approx((2.5, 0.8, 0.7))
    micro = adopt(Image(VOLUME, scale=(2.5, 0.8, 0.7), units=("um", "um", "um")))
    assert micro.spacing_mm_zyx == pytest.approx((0.0025, 0.0008, 0.0007))


def test_a_scale_in_pixels_is_no_spacing() -> None:
    clip = adopt(Image(VOLUME, scale=(2.5, 0.8, 0.7)))
    assert not clip.geometry.spaced and clip.spacing_mm_zyx == (1.0, 1.0, 1.0)


def test_an_affine_that_only_scales_counts() -> None:
    clip = adopt(Image(VOLUME, affine=np.diag([3.0, 2.0, 2.0, 1.0]), units=MM))
    assert clip.spacing_mm_zyx == pytest.approx((3.0, 2.0, 2.0))


def test_a_first_axis_in_seconds_is_a_cine_with_its_times() -> None:
    clip = adopt(Image(VOLUME, scale=(0.04, 0.5, 0.5), units=("s", "mm", "mm")))
    assert clip.order == "time" and clip.frame_time_s == pytest.approx(0.04)
    assert clip.geometry.spaced and clip.spacing_mm_zyx[1:] == pytest.approx((0.5, 0.5))


def test_a_first_axis_called_t_is_a_cine_too() -> None:
    assert adopt(Image(VOLUME, axis_labels=("t", "y", "x"))).order == "time"


@pytest.mark.parametrize("alpha", [3, 4], ids=["rgb", "rgba"])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_colour_is_a_cine_in_eight_bits(alpha: int, kind: str) -> None:
    eight = np.random.default_rng(1).integers(0, 256, (5, 9, 8, alpha)).astype(np.uint8)
    film: Any = {"uint8": eight, "uint16": eight.astype(np.uint16) * 257, "float32": (eight / 255).astype(np.float32)}
    clip = adopt(Image(film[kind], rgb=True))
    assert clip.colour and clip.order == "time" and clip.frame(2).dtype == np.uint8
    assert np.array_equal(clip.frame(2), eight[2, ..., :3])


def test_a_single_image_is_a_clip_of_one_frame() -> None:
    clip = adopt(Image(VOLUME[0]))
    assert clip.shape == (1, 7, 8) and ONE_FRAME in clip.notices
    assert np.array_equal(clip.frame(0), VOLUME[0])


def test_our_own_layer_gives_its_own_clip() -> None:
    clip = Clip.from_array(VOLUME)
    data, options = image_layer(clip, "mine")
    assert adopt(Image(data, **options)) is clip


def test_dask_is_computed_frame_by_frame() -> None:
    computed: list[Any] = []

    def block(block_info: Any = None) -> np.ndarray[Any, Any]:
        computed.append(block_info[None]["chunk-location"][0])
        return np.full((1, 7, 8), computed[-1], np.int16)

    lazy = da.map_blocks(block, chunks=((1,) * 6, (7,), (8,)), dtype=np.int16, meta=np.zeros((0, 0, 0), np.int16))
    layer = Image(lazy, contrast_limits=(0, 6), cache=False)
    computed.clear()
    clip = adopt(layer)
    assert computed == []
    assert (clip.frame(4) == 4).all() and computed == [4]


def test_zarr_is_read_lazily() -> None:
    zarr = pytest.importorskip("zarr")
    store = zarr.array(VOLUME, chunks=(1, 7, 8))
    clip = adopt(Image(store, contrast_limits=(-500, 900)))
    assert np.array_equal(clip.frame(5), VOLUME[5])


def test_of_a_multiscale_layer_the_finest_level_is_taken() -> None:
    layer = Image([VOLUME, VOLUME[:, ::2, ::2]], multiscale=True, scale=(2, 1, 1), units=MM)
    clip = adopt(layer)
    assert clip.shape == VOLUME.shape and clip.spacing_mm_zyx == pytest.approx((2, 1, 1))
    assert np.array_equal(clip.frame(1), VOLUME[1])


@pytest.mark.parametrize(
    "turn",
    [
        {"rotate": (0, 0, 10)},
        {"rotate": (30, 0, 0)},
        {"shear": (0.1, 0, 0)},
        {"scale": (1, -1, 1)},
        {"affine": np.array([[1, 0.2, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])},
    ],
)
def test_a_layer_that_does_not_lie_straight_is_refused(turn: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="rotated, sheared or mirrored"):
        adopt(Image(VOLUME, **turn))


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (None, "No image is selected"),
        (Labels(np.zeros((3, 4, 4), int)), "holds labels"),
        (Points(np.zeros((2, 3))), "holds points"),
        (Image(np.zeros((2, 3, 4, 5))), "4 axes (2 × 3 × 4 × 5)"),
        (Image(np.zeros((2, 2, 3, 4, 5))), "5 axes"),
        (Image(np.zeros((9, 8, 2)), rgb=False), "channels"),
    ],
    ids=["nothing", "labels", "points", "4D", "5D", "channels"],
)
def test_what_is_no_clip_is_refused_in_one_sentence(layer: Any, said: str) -> None:
    with pytest.raises(InputError) as refused:
        adopt(layer)
    words = str(refused.value)
    assert said in words and words.endswith(".") and "\n" not in words


def test_the_layers_of_a_clip_lie_on_the_layer_that_shows_it() -> None:
    layer = Image(VOLUME, scale=(2.5, 0.8, 0.7), translate=(10, -4, 3), units=MM, axis_labels=("z", "y", "x"))
    twin = Labels(np.zeros(VOLUME.shape, int), **place_options(layer))
    for name in ("scale", "translate"):
        assert np.array_equal(getattr(twin, name), getattr(layer, name))
    assert (twin.units, twin.axis_labels) == (layer.units, layer.axis_labels)


def test_the_layers_of_a_single_image_get_a_frame_axis() -> None:
    layer = Image(VOLUME[0], scale=(0.8, 0.7), translate=(-4, 3))
    twin = Labels(np.zeros((1, 7, 8), int), **place_options(layer))
    assert twin.scale.tolist() == [1.0, 0.8, 0.7] and twin.translate.tolist() == [0.0, -4.0, 3.0]


def test_labels_of_the_same_shape_are_taken_as_they_are() -> None:
    ids = np.random.default_rng(2).integers(0, 4, VOLUME.shape)
    assert np.array_equal(check_labels(labels_of(Labels(ids)), adopt(Image(VOLUME))), ids)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (Labels(np.zeros((6, 7, 9), int)), "6 × 7 × 9 and the image is 6 × 7 × 8"),
        (Image(VOLUME), "No labels are selected"),
        (Labels(np.full((6, 7, 8), 70000)), "70000"),
        (Labels(np.full((6, 7, 8), -2)), "-2"),
    ],
)
def test_labels_that_do_not_fit_are_refused(layer: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        check_labels(labels_of(layer), Clip.from_array(VOLUME))


@pytest.mark.gui
def test_what_another_reader_opened_is_said_to_have_lost_its_spacing(make_napari_viewer: Any, tmp_path: Path) -> None:
    import tifffile

    tifffile.imwrite(tmp_path / "scan.tif", VOLUME)
    viewer = make_napari_viewer()
    (theirs,) = viewer.open(tmp_path / "scan.tif", plugin="napari")
    (ours,) = viewer.open(tmp_path / "scan.tif", plugin="napari-vost")
    assert "Another reader opened this image" in adopt(theirs).notices[-1]
    assert not any("Another reader" in one for one in adopt(ours).notices)
    assert np.array_equal(adopt(theirs).frame(2), VOLUME[2])


@pytest.mark.gui
def test_a_layer_of_others_is_stepped_through_where_it_lies(make_napari_viewer: Any, qtbot: Any) -> None:
    """Its scale and place are its own: no clip's grid knows them."""
    from napari_vost.ui.dock import Dock

    viewer = make_napari_viewer(show=True)
    layer = viewer.add_image(np.zeros((20, 40, 50), np.uint8), scale=(2, 1, 1), translate=(5, 10, 20), name="mine")
    dock = Dock(viewer)
    viewer.window.add_dock_widget(dock)
    dock.open_layer(layer)
    assert dock.desk is not None
    dock.desk.view.go_to(10)
    assert viewer.dims.point[0] == 25.0 and dock.desk.view.frame_index == 10
    dock.desk.view.step(1)
    assert dock.desk.view.frame_index == 11
    assert tuple(layer.translate) == (5, 10, 20) and tuple(dock.desk.scene.masks.translate) == (5, 10, 20)
    viewer.window.remove_dock_widget(dock)
    qtbot.wait(10)
