"""What napari itself does with a grid and a view; its model of a viewer needs no window."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vost.display.grid import layer_grid
from napari_vost.display.orientation import view
from napari_vost.display.planes import planes
from tests.display.patients import ORDERS, clip_at, turned

components = pytest.importorskip("napari.components", reason="napari is not installed")


@pytest.mark.parametrize("step", [0.7, 0.333, 3.0, 1e-4, 37.123])
def test_the_slider_reaches_every_frame_and_shows_the_one_that_was_asked_for(step: float) -> None:
    affine = turned((2, 1, 0), (-1, 1, 1))
    affine[:3, 2] *= step / 2.5
    affine[:3, 3] = (-12.345678, 45.6, -343.86451861)
    for frames in (2, 29, 241):
        grid = layer_grid(clip_at(affine, shape=(frames, 3, 4)))
        viewer = components.ViewerModel()
        numbered = np.broadcast_to(np.arange(frames, dtype=np.int16)[:, None, None], (frames, 3, 4))
        viewer.add_image(
            numbered,
            scale=grid.scale,
            translate=grid.translate,
            units=grid.units,
            axis_labels=grid.axis_labels,
            contrast_limits=(0, frames),
        )
        viewer.add_image(np.zeros((40, 3, 4)), scale=(0.11, 1, 1), units=grid.units, contrast_limits=(0, 1))
        for frame_index in range(0, frames, max(1, frames // 20)):
            viewer.dims.set_point(0, grid.world_of_frame(frame_index))
            assert grid.frame_of_world(viewer.dims.point[0]) == frame_index
            layer = viewer.layers[0]
            assert round(layer.world_to_data(viewer.dims.point)[0]) == frame_index
        viewer.layers.pop()
        assert viewer.dims.nsteps[0] == frames


def test_napari_takes_every_order_and_direction() -> None:
    viewer = components.ViewerModel()
    viewer.add_image(np.zeros((5, 6, 7)), contrast_limits=(0, 1))
    for order in ORDERS:
        clip = clip_at(turned(*order))
        for plane in planes(clip):
            shown = view(clip, plane)
            viewer.dims.order = shown.dims_order(viewer.dims.ndim)
            viewer.scene.camera.orientation2d = shown.orientation2d
            viewer.scene.camera.orientation = shown.orientation
            assert tuple(map(str, viewer.scene.camera.orientation)) == shown.orientation
            assert viewer.dims.displayed == shown.order[1:]
