"""Layers of a clip that were moved lie where they lay before, and one sentence says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_vost.ui import guard
from napari_vost.ui.guard import LayerGuard
from napari_vost.ui.layers import grid_options
from tests.display.patients import turned
from tests.ui.looking import SHAPE, add_clip, right_marked


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(guard, "show_warning", found.append)
    return found


def layers_of_a_clip() -> list[Any]:
    viewer, clip = ViewerModel(), right_marked(turned((2, 1, 0), (1, 1, 1)))
    masks = {**grid_options(clip), "name": "Masks"}
    layers = [
        add_clip(viewer, clip),
        viewer.add_labels(np.zeros(SHAPE, np.uint8), **masks),
        viewer.add_points(ndim=3, **{**masks, "name": "Prompts"}),
    ]
    return layers


MOVES = {
    "scale": (1.0, 1.0, 1.0),
    "translate": (1.0, 2.0, 3.0),
    "rotate": np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]),
    "shear": (0.1, 0.0, 0.0),
    "affine": np.diag([1.0, 1.0, 2.0, 1.0]),
    "units": ("um", "um", "um"),
}


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("which", [0, 1, 2], ids=["image", "labels", "points"])
def test_a_moved_layer_is_put_back_with_one_sentence(said: list[str], name: str, which: int) -> None:
    layers = layers_of_a_clip()
    before = [layer.data_to_world((1, 2, 3)) for layer in layers], [layer.units for layer in layers]
    watch = LayerGuard(layers)
    setattr(layers[which], name, MOVES[name])
    assert np.allclose([layer.data_to_world((1, 2, 3)) for layer in layers], before[0])
    assert [layer.units for layer in layers] == before[1]
    assert len(said) == 1 and layers[which].name in said[0]
    setattr(layers[which], name, MOVES[name])
    assert len(said) == 1  # a drag moves it many times
    watch.close()


def test_transform_mode_ends_when_it_moves_a_layer(said: list[str]) -> None:
    layers = layers_of_a_clip()
    watch = LayerGuard(layers)
    layers[0].mode = "transform"
    layers[0].affine = np.diag([1.0, 1.0, 2.0, 1.0])
    assert layers[0].mode == "pan_zoom" and len(said) == 1
    watch.close()


def test_once_closed_layers_may_be_moved(said: list[str]) -> None:
    layers = layers_of_a_clip()
    LayerGuard(layers).close()
    layers[0].translate = (1.0, 2.0, 3.0)
    assert tuple(layers[0].translate) == (1.0, 2.0, 3.0) and not said
