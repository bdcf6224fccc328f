"""Simulated corrections, with a session whose answers are known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import pytest

from napari_vost.benchmark.corrections import correct
from napari_vost.metrics.interactive import Click
from napari_vost.session import Session


class Obedient:
    """A session in which a click puts its frame right for its object, and following does nothing else."""

    def __init__(self, truths: dict[int, np.ndarray], masks: dict[int, np.ndarray]) -> None:
        self.truths, self.masks = truths, {one: mask.copy() for one, mask in masks.items()}
        self.waiting: list[tuple[int, int]] = []
        self.log: list[Any] = []

    def add_point(self, frame_index: int, point_yx: tuple[int, int], object_id: int, positive: bool) -> None:
        self.log.append((object_id, Click(frame_index, *point_yx, positive)))
        self.waiting.append((object_id, frame_index))

    def propagate(self, direction: str, frames: tuple[int, int] | None) -> Iterator[None]:
        self.log.append((direction, frames))
        for object_id, frame in self.waiting:
            self.masks[object_id][frame] = self.truths[object_id][frame]
            yield None
        self.waiting.clear()

    def segmentation(self) -> Obedient:
        return self

    def volume(self, object_id: int) -> np.ndarray:
        return self.masks[object_id].copy()


@pytest.fixture
def truths() -> dict[int, np.ndarray]:
    """Object 1 on frames 1 to 3, object 2 on frame 2."""
    first, second = np.zeros((2, 5, 20, 20), dtype=bool)
    first[1:4, 5:10, 5:10] = True
    second[2, 12:17, 12:17] = True
    return {1: first, 2: second}


def run(truths: dict[int, np.ndarray], masks: dict[int, np.ndarray], rounds: int, known: Any = range(5)) -> Any:
    session = Obedient(truths, masks)
    return session, list(correct(cast(Session, session), truths, known, rounds, (0, 5)))


def test_each_object_is_clicked_where_it_is_worst_and_followed_once_a_round(truths: dict[int, np.ndarray]) -> None:
    masks = {1: truths[1].copy(), 2: truths[2].copy()}
    masks[1][3] = False  # missed
    masks[1][2, :7] = False  # missed in part
    masks[2][2, :, :14] = False  # missed in part
    masks[2][4, :3, :3] = True  # leaked: not for clicks
    session, rounds = run(truths, masks, 3)
    assert session.log == [
        (1, Click(3, 7, 7, True)),
        (2, Click(2, 12, 12, True)),
        ("both", (0, 5)),
        (1, Click(2, 5, 5, True)),
        ("both", (0, 5)),
    ]
    assert [one.clicks[2] for one in rounds] == [Click(2, 12, 12, True), None, None]
    assert rounds[2].masks[2][4].any()
    assert rounds[0].masks[1][2].sum() == 15
    for object_id in (1, 2):
        np.testing.assert_array_equal(rounds[2].masks[object_id][:4], truths[object_id][:4])


def test_nothing_runs_where_nothing_is_wrong(truths: dict[int, np.ndarray]) -> None:
    session, rounds = run(truths, truths, 2)
    assert session.log == []
    assert [dict(one.clicks) for one in rounds] == [{1: None, 2: None}] * 2


def test_frames_without_labels_are_left_alone(truths: dict[int, np.ndarray]) -> None:
    _, rounds = run(truths, {1: np.zeros_like(truths[1]), 2: truths[2]}, 1, (1, 4))
    assert rounds[0].clicks[1] == Click(1, 7, 7, True)


def test_a_pixel_is_clicked_once(truths: dict[int, np.ndarray]) -> None:
    class Deaf(Obedient):
        def propagate(self, direction: str, frames: tuple[int, int] | None) -> Iterator[None]:
            return iter(())

    session = Deaf(truths, {1: np.zeros_like(truths[1]), 2: truths[2]})
    rounds = list(correct(cast(Session, session), truths, (3,), 2))
    first, second = rounds[0].clicks[1], rounds[1].clicks[1]
    assert first is not None
    assert second is not None
    assert first != second
    assert (first.frame_index, second.frame_index) == (3, 3)
