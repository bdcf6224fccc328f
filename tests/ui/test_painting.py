"""What is painted or drawn elsewhere becomes masks on the engine's thread, in its turn."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

from napari.layers import Labels
from qtpy.QtWidgets import QPushButton

from napari_vost.clip import Clip
from napari_vost.session import Session
from napari_vost.ui.painting import LabelMasks, of_labels
from tests.ui.test_correcting import Lay, held, session_of, shown

pytestmark = pytest.mark.gui


def two_boxes(clip: Clip) -> np.ndarray[Any, Any]:
    labels = np.zeros(clip.shape, np.int32)
    labels[3:9, 10:20, 10:30] = 2
    labels[5:14, 30:50, 40:60] = 7
    return labels


def start_from(hands: Any, *layers: Labels) -> None:
    """Add layers of labels and press the button."""
    for layer in layers:
        hands.viewer.add_layer(layer)
    button = next(one for one in hands.desk.findChildren(QPushButton) if one.text().startswith("From labels"))
    button.click()
    hands.settle()


def test_the_masks_of_a_label_map_are_its_objects_frame_by_frame(volume: Clip) -> None:
    labels = two_boxes(volume)
    masks, spared = of_labels(Session(volume), labels)
    assert not spared and isinstance(masks, LabelMasks)
    assert set(masks) == {(2, frame) for frame in range(3, 9)} | {(7, frame) for frame in range(5, 14)}
    assert all(np.array_equal(mask, labels[frame] == object_id) for (object_id, frame), mask in masks.items())


def test_a_session_starts_from_a_labels_layer_as_one_step(lay_desk: Lay, volume: Clip) -> None:
    hands = lay_desk(volume)
    labels = two_boxes(volume)
    start_from(hands, Labels(labels, scale=hands.desk.scene.image.scale))
    assert np.array_equal(held(hands), labels) and np.array_equal(shown(hands), labels)
    assert hands.desk.studio.object_ids == (1, 2, 7) and len(session_of(hands).locks) == 15
    hands.desk.studio.undo()
    hands.settle()
    assert not held(hands).any() and not shown(hands).any()


def test_labels_are_read_on_the_engines_thread(lay_desk: Lay, volume: Clip) -> None:
    hands, readers = lay_desk(volume), []

    class Lazy:
        """An array that notes who reads it."""

        shape = volume.shape

        def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
            readers.append(threading.current_thread().name)
            return two_boxes(volume)

    hands.desk.studio.start_from(Lazy())
    hands.settle()
    assert held(hands).any() and set(readers) == {"napari-vost engine"}


@pytest.mark.parametrize(
    ("shape", "value", "said"), [((24, 64, 70), 1, "24 × 64 × 70"), ((24, 64, 72), 0, "labels are empty")]
)
def test_labels_that_do_not_fit_are_said_and_change_nothing(
    lay_desk: Lay, volume: Clip, shape: tuple[int, ...], value: int, said: str
) -> None:
    hands = lay_desk(volume)
    start_from(hands, Labels(np.full(shape, value)))
    assert said in hands.said[-1] and not held(hands).any() and not session_of(hands).ledger.done


def test_without_one_labels_layer_the_button_says_what_to_do(lay_desk: Lay, volume: Clip) -> None:
    hands = lay_desk(volume)
    start_from(hands)
    assert "no Labels layer" in hands.said[-1]
    hands.viewer.add_layer(Labels(two_boxes(volume), name="mine"))
    hands.viewer.add_layer(Labels(two_boxes(volume), name="theirs"))
    hands.viewer.layers.selection.active = hands.desk.scene.masks
    start_from(hands)
    assert "Select the Labels layer" in hands.said[-1] and not held(hands).any()
