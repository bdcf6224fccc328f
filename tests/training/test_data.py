"""The data engine, real clips and batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from napari_vost.errors import InputError
from napari_vost.training.batches import ClipPool, augment
from napari_vost.training.looks import Fields
from napari_vost.training.pack import Facts, Volume, pack, read_pack, to_bytes, write_pack
from napari_vost.training.real import RealClips
from napari_vost.training.synthetic import RawClips, synthetic_clips


def _ball(group: str = "sct_cord", part: str = "train") -> Volume:
    """A bright ball in a dark cube of 40 voxels."""
    z, y, x = np.mgrid[:40, :40, :40]
    labels = (((z - 20) ** 2 + (y - 18) ** 2 + (x - 22) ** 2) < 144).astype(np.uint8)
    facts = Facts(f"{group}/ball", group, (1.0, 1.0, 2.0), (0, 1, 2), part)
    return Volume(facts, (labels * 150 + 40).astype(np.uint8), labels)


@pytest.fixture(scope="module")
def clips() -> RawClips:
    return synthetic_clips(12, 6, 96, seed=5)


def test_the_same_seed_makes_the_same_clips(clips: RawClips) -> None:
    again, other = synthetic_clips(12, 6, 96, seed=5), synthetic_clips(12, 6, 96, seed=6)
    assert torch.equal(clips.images, again.images) and torch.equal(clips.labels, again.labels)
    assert not torch.equal(clips.images, other.images)


def test_synthetic_clips_have_the_promised_form(clips: RawClips) -> None:
    assert clips.images.shape == (12, 6, 3, 96, 96) and clips.images.dtype == torch.uint8
    assert clips.labels.shape == (12, 6, 96, 96) and clips.labels.dtype == torch.uint8
    assert (clips.labels > 0).flatten(1).any(1).all()
    assert clips.images.float().flatten(1).std(1).min() > 4


def test_masks_change_from_frame_to_frame_but_not_too_much(clips: RawClips) -> None:
    masks = clips.labels > 0
    both = (masks[:, 1:] & masks[:, :-1]).sum((2, 3)).float()
    total = masks[:, 1:].sum((2, 3)) + masks[:, :-1].sum((2, 3))
    dice = (2 * both / total)[total > 100]
    assert 0.6 < dice.mean() < 0.98


def test_a_real_clip_is_cropped_around_its_structure() -> None:
    source = RealClips([_ball()], 96)
    random = np.random.default_rng(2)
    for _ in range(10):
        clip = source.draw(4, random)
        mask = clip.labels[0, 0] == 1
        share = int(mask.any(0).sum()) / 96, int(mask.any(1).sum()) / 96
        assert 0.15 < max(share) < 0.75
        assert clip.images.shape == (1, 4, 3, 96, 96)


def test_image_and_mask_of_a_real_clip_lie_on_each_other() -> None:
    volume = _ball(group="davis16")  # never painted over
    clip = RealClips([volume], 96).draw(3, np.random.default_rng(3))
    bright = clip.images[0, :, 0] > 110
    mask = clip.labels[0] == 1
    assert (bright & mask).sum() / (bright | mask).sum() > 0.9


def test_a_pack_gives_back_what_went_in(tmp_path: Path) -> None:
    labels_only = Volume(Facts("x/y", "x", (1, 1, 1), (0,), "valid", drawn=False), None, _ball().labels)
    write_pack([_ball(), labels_only], tmp_path / "pack.npz")
    (train,), (valid,) = read_pack(tmp_path / "pack.npz", "train"), read_pack(tmp_path / "pack.npz", "valid")
    assert train.facts == _ball().facts and train.image is not None and valid.image is None
    np.testing.assert_array_equal(train.image, _ball().image)
    np.testing.assert_array_equal(valid.labels, labels_only.labels)
    assert len(read_pack(tmp_path / "pack.npz")) == 2


def test_what_is_no_pack_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a training pack"):
        read_pack(tmp_path / "none.npz")
    with pytest.raises(InputError, match="holds nothing"):
        pack(tmp_path / "nowhere", tmp_path / "pack.npz")


def test_bytes_span_the_percentiles() -> None:
    made = to_bytes(np.linspace(-1000, 3000, 1001))
    assert made.min() == 0 and made.max() == 255 and made[500] == pytest.approx(127, abs=2)


@pytest.mark.slow
def test_the_real_pack_keeps_subjects_apart_and_reads_no_dev_folder(data: Path, tmp_path: Path) -> None:
    facts = pack(data, tmp_path / "pack.npz")
    assert (tmp_path / "pack.npz").stat().st_size <= 40 << 20
    parts: dict[str, set[str]] = {}
    for one in facts:
        parts.setdefault(one.name, set()).add(one.part)
    assert all(len(found) == 1 for found in parts.values())
    dev = {path.name.split(".")[0] for path in (data / "msd_hippocampus/dev/images").iterdir()}
    assert not dev & {one.name.split("/")[1] for one in facts}
    assert not any(one.group.startswith(("acdc", "ct_lesion")) for one in facts)
    assert {one.group for one in facts if one.part == "valid"} >= {"msd_hippocampus", "davis16", "totalseg_ref"}


def test_batches_hold_one_target_of_the_promised_size() -> None:
    pool = ClipPool(12, 4, 96, RealClips([_ball()], 96), 0, torch.device("cpu"))
    pool.renew(12)
    assert pool.filled == 12
    random = np.random.default_rng(4)
    batch = pool.batch(6, 3, 64, random)
    assert batch.images.shape == (6, 3, 3, 64, 64) and batch.masks.shape == (6, 3, 1, 64, 64)
    assert set(batch.masks.unique().tolist()) <= {0.0, 1.0}
    assert (batch.masks[:, 0].flatten(1).sum(1) > 20).float().mean() > 0.6
    changed = augment(batch, random, Fields(1, torch.device("cpu")))
    assert torch.equal(changed.masks, batch.masks)
    assert 0 <= changed.images.min() and changed.images.max() <= 1
    assert not torch.equal(changed.images, batch.images)


def test_a_pool_forgets_its_oldest_clips_first() -> None:
    pool = ClipPool(10, 2, 32, RealClips([_ball()], 32), 1, torch.device("cpu"))
    pool.renew(10)
    before = pool.images.clone()
    pool.renew(1)
    same = (pool.images == before).flatten(1).all(1)
    assert not same[0] and same[-1]
