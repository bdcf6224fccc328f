"""Kinds of scenes, what may befall them, their looks, and how much of them can be seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_vost.training.looks import LOOKS, Fields, look, looks
from napari_vost.training.scenes import CINES, KINDS, SLICES, draw_scene
from napari_vost.training.scenes.brush import Brush, apex, beat, ellipsoid
from napari_vost.training.scenes.events import camera, occluder
from napari_vost.training.scenes.painter import paint
from napari_vost.training.shapes import WAVES, Disc, Scene
from napari_vost.training.synthetic import RawClips, clips_of, synthetic_clips
from napari_vost.training.visibility import visible_share

FRAMES, SIDE = 6, 96


def _brush(seed: int = 0, moving: bool = True) -> Brush:
    return Brush(np.random.default_rng(seed), FRAMES, moving, 0.03, 0.2)


def _disc(label: int = 1, radius: float = 0.2, y: float = 0.5, x: float = 0.5, **other: bool) -> Disc:
    """A round disc that stands still."""
    at, size = np.tile((y, x), (FRAMES, 1)), np.full((FRAMES, 2), radius)
    return Disc(label, 0.8, 0.0, at, size, np.zeros(FRAMES), np.zeros((2, WAVES)), **other)


def _scene(*discs: Disc, look: str = "ct", **other: bool) -> Scene:
    return Scene("organ", look, discs, 0.2, 0.02, False, np.zeros((FRAMES, 4)), **other)


def _labels(scene: Scene) -> torch.Tensor:
    return paint([scene], SIDE, Fields(0, torch.device("cpu")))[1][0]


def _dice(masks: torch.Tensor) -> torch.Tensor:
    """Dice of adjacent frames of masks (T, H, W)."""
    areas = masks.sum((1, 2))
    return 2 * (masks[1:] & masks[:-1]).sum((1, 2)) / (areas[1:] + areas[:-1]).clamp(min=1)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_makes_curves_for_every_frame_and_labels(kind: str) -> None:
    random = np.random.default_rng(1)
    scenes = [draw_scene(random, FRAMES, kind) for _ in range(12)]
    for scene in scenes:
        assert scene.camera.shape == (FRAMES, 4) and scene.look in (CINES if scene.moving else SLICES)
        for disc in scene.discs:
            assert disc.centre.shape == disc.radius.shape == (FRAMES, 2) and disc.angle.shape == (FRAMES,)
            assert np.isfinite(disc.centre).all() and (disc.radius >= 0).all() and 0 <= disc.tone <= 1
    clips = clips_of(scenes, 64, 1)
    assert (clips.labels > 0).flatten(1).any(1).float().mean() > 0.9
    assert not torch.equal(clips.images[:, 0], clips.images[:, -1])


@pytest.mark.parametrize("name", LOOKS)
def test_every_look_shows_a_disc_where_it_lies(name: str) -> None:
    scenes = [_scene(_disc(), look=name) for _ in range(6)]
    clips = clips_of(scenes, SIDE, 2)
    seen = [visible_share(clips.images[row, 0], clips.labels[row, 0] == 1) for row in range(6)]
    assert np.median(seen) > 0.8


def test_a_bar_has_straight_sides_and_the_length_it_was_given() -> None:
    start, end = np.tile((0.3, 0.2), (FRAMES, 1)), np.tile((0.3, 0.8), (FRAMES, 1))
    labels = _labels(_scene(_brush().bar(1, 0.8, start, end, np.full(FRAMES, 0.05))))[0]
    assert int(labels.sum()) == pytest.approx(0.6 * 0.1 * SIDE * SIDE, rel=0.15)
    assert labels[int(0.3 * SIDE), int(0.5 * SIDE)] == 1 and labels[int(0.3 * SIDE), int(0.1 * SIDE)] == 0


def test_the_camera_moves_turns_and_enlarges_what_it_sees() -> None:
    long = replace(_disc(radius=0.1), radius=np.tile((0.2, 0.05), (FRAMES, 1)))
    path = np.zeros((FRAMES, 4))
    path[1] = 0.2, 0.0, 0.0, 0.0
    path[2] = 0.0, 0.0, np.pi / 2, 0.0
    path[3] = 0.0, 0.0, 0.0, np.log(1.5)
    masks = _labels(replace(_scene(long), camera=path)) == 1
    rows, columns = masks.any(2).sum(1), masks.any(1).sum(1)
    assert rows[0] > 2 * columns[0] and columns[2] > 2 * rows[2]
    assert int(masks[3].sum()) == pytest.approx(2.25 * int(masks[0].sum()), rel=0.15)
    middle = [float(mask.nonzero()[:, 0].float().mean()) for mask in masks]
    assert middle[1] - middle[0] == pytest.approx(0.2 * SIDE, abs=2)


def test_an_apex_falls_by_30_to_60_percent_per_frame_and_ends() -> None:
    random = np.random.default_rng(3)
    ended = 0
    for _ in range(50):
        size = apex(random, 10)
        size = size if size[0] >= size[-1] else size[::-1]
        steps = size[1:][size[1:] > 0] / size[:-1][size[1:] > 0]
        assert steps.min() > 0.35 and steps.max() <= 1
        ended += int(size[-1] == 0)
    assert 20 < ended < 50


def test_what_beats_never_ends_and_an_ellipsoid_may() -> None:
    random = np.random.default_rng(4)
    assert min(float(beat(random, 8).min()) for _ in range(50)) > 0.6
    assert sum(bool((ellipsoid(random, 8) == 0).any()) for _ in range(50)) > 10


def test_an_occluder_spares_the_first_frame_and_takes_the_label_where_it_passes() -> None:
    taken = []
    for seed in range(20):
        target = _disc(radius=0.1)
        labels = _labels(_scene(target, occluder(_brush(seed), target, 0.1)))
        areas = (labels == 1).sum((1, 2)).float()
        taken.append((float(areas[0]), float(areas.min())))
    full = np.pi * (0.1 * SIDE) ** 2
    assert np.mean([first > 0.8 * full for first, _ in taken]) > 0.7
    assert np.mean([least < 0.5 * full for _, least in taken]) > 0.7


def test_some_targets_leave_the_picture_and_most_of_these_come_back() -> None:
    left = back = 0
    for seed in range(200):
        path = camera(_brush(seed), _disc(radius=0.1))
        areas = (_labels(replace(_scene(_disc(radius=0.1)), camera=path)) == 1).sum((1, 2))
        if areas[0] > 0 and areas.min() == 0:
            left += 1
            back += int(areas[-1] > 0)
    assert 15 < left < 60
    assert back > left / 3


def test_slices_lie_askew_as_a_whole() -> None:
    paths = [camera(_brush(seed, moving=False), None) for seed in range(40)]
    moved = [path for path in paths if np.abs(path).any()]
    assert 5 < len(moved) < 25
    assert all((path[:, 2:] == 0).all() and np.abs(path[:, :2]).max() < 0.1 for path in moved)


@pytest.mark.parametrize("kind", ["vessels", "splitting"])
def test_one_becomes_two(kind: str) -> None:
    scipy_label = pytest.importorskip("scipy.ndimage").label
    random = np.random.default_rng(5)
    parts = []
    for _ in range(12):
        labels = _labels(replace(draw_scene(random, FRAMES, kind), camera=np.zeros((FRAMES, 4))))
        parts.append({scipy_label((frame == 1).numpy())[1] for frame in labels})
    assert sum({1, 2} <= counts for counts in parts) >= 3


def test_a_thick_slice_mixes_what_lies_in_it() -> None:
    sizes = np.linspace(0.05, 0.5, FRAMES)
    growing = replace(_disc(), radius=np.stack((sizes, sizes), 1))
    thin, thick = (clips_of([_scene(growing, thick=flag)], SIDE, 6) for flag in (False, True))
    mask = thin.labels[0, 3] > 0
    more = thick.images[0, 3, 0].float() - thin.images[0, 3, 0].float()
    grown = torch.nn.functional.max_pool2d(mask[None].float(), 3, 1, 1)[0] > 0
    shrunk = torch.nn.functional.max_pool2d((~mask)[None].float(), 3, 1, 1)[0] == 0
    far = torch.nn.functional.max_pool2d(mask[None].float(), 21, 1, 10)[0] == 0
    assert more[grown & ~mask].mean() > 5 and more[mask & ~shrunk].mean() < -5  # bright disc on a dark ground
    assert more[far].abs().mean() < 2
    assert (_dice(torch.stack((mask, thick.labels[0, 3] > 0))) > 0.95).all()


def test_label_volumes_of_noise_go_on_from_slice_to_slice_thick_or_thin() -> None:
    random = np.random.default_rng(8)
    drawn = [replace(draw_scene(random, FRAMES, "noise", "ct"), camera=np.zeros((FRAMES, 4))) for _ in range(4)]
    for thick in (False, True):
        labels = clips_of([replace(scene, thick=thick) for scene in drawn], SIDE, 9).labels
        same = (labels[:, 1:] == labels[:, :-1]).float().mean()
        assert 0.6 < same < 0.95
        assert all(len(clip.unique()) >= 3 for clip in labels)


def test_a_projection_shows_what_lies_under_an_unlabelled_thing() -> None:
    under, over = _disc(1, 0.2), _disc(0, 0.4)
    assert not (_labels(_scene(under, over)) == 1).any()
    assert (_labels(_scene(under, over, look="xray")) == 1).any()


def test_labels_end_where_a_sector_or_a_round_field_ends() -> None:
    everywhere = _disc(1, 2.0)
    for name in ("ultrasound", "endoscopy"):
        clips = clips_of([_scene(everywhere, look=name) for _ in range(12)], SIDE, 7)
        dark = (clips.images == 0).all(2)
        assert (dark & (clips.labels == 0)).sum() > 0.02 * dark.numel()
        assert ((clips.labels == 0) <= dark).all()


def test_a_look_for_painted_label_maps_shows_all_of_the_picture() -> None:
    fields, random = Fields(0, torch.device("cpu")), np.random.default_rng(0)
    images = look(torch.full((12, 2, 64, 64), 0.5), torch.full((12,), 0.03), random, fields)
    assert images.shape == (12, 2, 3, 64, 64)
    assert float(images.mean(2).flatten(2).median(2).values.min()) > 0.1
    corners = images[..., :4, :4].mean((1, 2, 3, 4))
    assert (corners > 0.02).all()
    framed, shown = looks(torch.full((1, 2, 64, 64), 0.5), torch.ones(1, 2, 64, 64, dtype=torch.uint8),
                          torch.tensor([0.03]), ["ultrasound"], fields)  # fmt: skip
    assert not shown.all() and (framed.mean(2)[~shown] == 0).all()


def test_visible_share_knows_sharp_from_none_and_half() -> None:
    generator = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    mask = (y - 32) ** 2 + (x - 32) ** 2 < 225
    noise = 10 * torch.randn(1, 64, 64, generator=generator)
    assert visible_share(100 + 40 * mask + noise, mask) > 0.95
    assert visible_share(100 + 5 * mask + noise, mask) < 0.2
    half = visible_share(100 + 40 * (mask | (x > 32)) + noise, mask)
    assert 0.35 < half < 0.65
    assert visible_share(noise, torch.zeros(64, 64, dtype=torch.bool)) == 0


@pytest.fixture(scope="module")
def many() -> RawClips:
    parts = [synthetic_clips(40, 8, 128, seed) for seed in (11, 12)]
    return RawClips(torch.cat([part.images for part in parts]), torch.cat([part.labels for part in parts]))


def test_the_target_of_four_clips_in_five_can_be_seen(many: RawClips) -> None:
    random = np.random.default_rng(0)
    seen = []
    for images, labels in zip(many.images, many.labels, strict=True):
        counts = torch.bincount(labels[0].flatten().long(), minlength=2)[1:]
        large = (counts >= 60).nonzero()[:, 0] + 1
        if len(large):
            target = int(random.choice(large.numpy()))
            seen.append(visible_share(images[0], labels[0] == target) >= 0.7)
    assert len(seen) > 60
    assert np.mean(seen) >= 0.8


def test_structures_change_as_much_as_real_ones_and_some_end(many: RawClips) -> None:
    dice, gone = [], []
    for labels in many.labels:
        for label in labels[0].unique()[1:]:
            masks = labels == label
            if int(masks[0].sum()) >= 60:
                dice += _dice(masks).tolist()
                gone.append(not bool(masks[-1].any()))
    assert 0.6 < np.mean(dice) < 0.9
    assert np.percentile(dice, 10) < 0.6 and np.percentile(dice, 90) > 0.88
    assert 0.02 < np.mean(gone) < 0.4
