"""Sweeps over phantoms with a network that sees bright pixels: masks are exact, so order and ends can be checked."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_vost import Session, propagation
from napari_vost.cleanup import Cleanup
from napari_vost.clip import Clip
from napari_vost.contracts import TrackState
from napari_vost.engine import EngineOptions
from napari_vost.sight import Engine, FrameView
from napari_vost.testing import BrightNetwork
from napari_vost.types import Region


def ball(frames: int = 20, first: int = 4, last: int = 15, size: int = 64) -> np.ndarray:
    """Bright discs (T, H, W) uint8 on frames first..last, thinner towards the ends."""
    y, x = np.mgrid[0:size, 0:size]
    stack = np.zeros((frames, size, size), np.uint8)
    for index in range(first, last + 1):
        radius = 4 + 10 * np.sin(np.pi * (index - first + 1) / (last - first + 2))
        stack[index] = 255 * ((y - 30) ** 2 + (x - 34) ** 2 < radius**2)
    return stack


def followed(stack: np.ndarray, order: str, frame: int = 9, **options: object) -> Session:
    session = Session(Clip.from_array(stack, order=order), BrightNetwork(), options=EngineOptions(**options))
    session.add_mask(frame, stack[frame] > 0)
    list(session.propagate())
    return session


def test_a_bright_ball_is_followed_exactly() -> None:
    stack = ball()
    session = followed(stack, "depth")
    assert np.array_equal(np.asarray(session.label_map()), (stack > 0).astype(np.uint16))


def test_in_depth_a_sweep_ends_two_slices_after_the_structure() -> None:
    session = followed(ball(frames=40), "depth")
    assert max(frame for _, frame in session.ledger.kept) == 17
    assert min(frame for _, frame in session.ledger.kept) == 2


def test_in_time_nothing_ends_the_search_and_an_object_that_comes_back_is_found() -> None:
    stack = ball(frames=30)
    stack[25:28] = stack[9]
    session = followed(stack, "time")
    assert {frame for _, frame in session.ledger.kept} == set(range(30))
    assert np.array_equal(np.asarray(session.label_map()) > 0, stack > 0)


def test_old_masks_beyond_the_end_of_a_structure_are_cleared() -> None:
    stack = ball(frames=30)
    session = followed(stack, "depth")
    session.add_mask(25, stack[9] > 0)
    list(session.propagate())
    assert session.preview(24)
    session.undo()
    session.undo()
    list(session.propagate(exact=True))
    assert not np.asarray(session.label_map())[20:].any()


@pytest.mark.parametrize("size", [(50, 120), (200, 90)])
def test_a_region_gives_back_the_frame_pixels_of_any_frame_size(size: tuple[int, int]) -> None:
    y, x = np.mgrid[0 : size[0], 0 : size[1]]
    centres = [(20 + t, 30 + 2 * t) for t in range(15)]
    stack = np.stack([255 * ((y - cy) ** 2 + (x - cx) ** 2 < 64) for cy, cx in centres]).astype(np.uint8)
    session = Session(Clip.from_array(stack, order="time"), BrightNetwork(native_region="auto"))
    session.add_mask(0, stack[0] > 0)
    list(session.propagate())
    found, truth = np.asarray(session.label_map()) > 0, stack > 0
    overlap = 2 * (found & truth).sum() / (found.sum() + truth.sum())
    assert overlap > 0.97
    regions = {
        entry.region
        for entry in (
            seed.entry
            for seed in session._follower.plan(session.engine, session.frame_view, "both", None, True).seeds[1]
        )
    }
    assert all(region.height < max(size) for region in regions)


def test_small_holes_are_filled_and_large_ones_are_not() -> None:
    stack = ball()
    stack[12, 30, 34] = 0
    stack[7, 28:32, 32:36] = 0
    session = followed(stack, "depth")
    assert session.preview(12)[1][30, 34]
    assert not session.preview(7)[1][30, 34]
    untouched = followed(stack, "depth", cleanup=Cleanup(fill_holes_px=0))
    assert not untouched.preview(12)[1][30, 34]


def test_only_the_largest_part_is_kept_if_asked() -> None:
    stack = ball()
    stack[10, 2:5, 2:5] = 255
    assert followed(stack, "depth").preview(10)[1][3, 3]
    assert not followed(stack, "depth", cleanup=Cleanup(largest_component=True)).preview(10)[1][3, 3]


def test_one_frame_is_a_clip_with_nothing_to_follow() -> None:
    stack = ball()[9:10]
    session = Session(Clip.from_array(stack), BrightNetwork())
    session.add_box(0, (20, 20, 45, 50))
    assert [result.frame_index for result in session.propagate()] == [0]
    assert np.array_equal(session.preview(0)[1], stack[0] > 0)


def test_the_whole_path_ends_in_a_file_on_the_same_grid(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    from napari_vost import export, open_clip

    stack = ball()
    affine = np.array([[0, 0, -2.0, 40], [1.1, 0, 0, -20], [0, 1.2, 0, 7], [0, 0, 0, 1.0]])
    nibabel.save(nibabel.Nifti1Image(stack.transpose(2, 1, 0), affine), tmp_path / "scan.nii.gz")
    clip = open_clip(tmp_path / "scan.nii.gz")
    session = Session(clip, BrightNetwork())
    session.add_point(9, (30, 34))
    list(session.propagate())
    export(session, tmp_path / "mask.nii.gz")
    mask = nibabel.load(tmp_path / "mask.nii.gz")
    assert np.allclose(mask.affine, affine)
    assert np.array_equal(np.asarray(mask.dataobj) > 0, stack.transpose(2, 1, 0) > 0)
    session.save(tmp_path / "case.vost")
    again = Session.load(tmp_path / "case.vost")
    assert np.array_equal(np.asarray(again.label_map()), np.asarray(session.label_map()))


def test_an_object_that_begins_far_away_changes_nothing_of_one_that_is_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise the first would look through another region from that frame on."""
    seen: list[tuple[int, Region]] = []
    one_step = propagation.step

    def step(engine: Engine, state: TrackState, frame: FrameView) -> Any:
        seen.extend((frame.frame_index, row.region) for row in state.rows if row.object_id == 1)
        return one_step(engine, state, frame)

    monkeypatch.setattr(propagation, "step", step)
    frames = np.full((10, 400, 400), 20, np.uint8)
    for index in range(10):
        frames[index, 40 : 64 + 2 * index, 40 : 64 + 2 * index] = 220  # it grows
    frames[:, 330:360, 330:360] = 220
    looks = []
    for beside in (False, True):
        session = Session(Clip.from_array(frames, order="time"), BrightNetwork(native_region="auto"))
        session.add_mask(0, frames[0] * (np.arange(400) < 200) > 100)
        if beside:
            session.add_mask(5, frames[5] * (np.arange(400) > 200) > 100, object_id=2)
        seen.clear()
        list(session.propagate("forward"))
        looks.append(list(seen))
    assert len(looks[0]) == 9 and looks[0] == looks[1]
