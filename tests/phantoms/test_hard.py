"""Hard clips: what their names promise happens in them, and can be seen."""

import numpy as np
import pytest
from scipy import ndimage

from napari_vost.errors import InputError, UnknownName
from napari_vost.phantoms.hard import HARD, HardClip, hard_clip
from napari_vost.phantoms.hard.base import gaps_of, parted_at, spans

SHORT = {name: (60 if name == "long" else None) for name in HARD}


@pytest.fixture(scope="module")
def clips() -> dict[str, HardClip]:
    return {name: hard_clip(name, frames) for name, frames in SHORT.items()}


def areas(hard: HardClip) -> np.ndarray:
    return hard.truth().sum(axis=(1, 2))


def middles(hard: HardClip) -> np.ndarray:
    return np.array([ndimage.center_of_mass(mask) if mask.any() else (np.nan, np.nan) for mask in hard.truth()])


def test_one_seed_gives_one_clip_and_another_seed_another() -> None:
    first, again, other = (hard_clip("fast", 8, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.phantom.image, again.phantom.image)
    assert np.array_equal(first.phantom.labels, again.phantom.labels)
    assert not np.array_equal(first.phantom.image, other.phantom.image)
    assert not np.array_equal(first.phantom.labels, other.phantom.labels)


@pytest.mark.parametrize("name", HARD)
def test_the_prompted_frame_shows_a_structure_that_differs_from_what_is_around_it(
    name: str, clips: dict[str, HardClip]
) -> None:
    hard = clips[name]
    mask = hard.truth()[hard.prompted_frame]
    image = hard.phantom.image[hard.prompted_frame].astype(float)
    around = ndimage.binary_dilation(mask, iterations=5) & ~ndimage.binary_dilation(mask, iterations=2)
    assert mask.sum() > 150
    assert abs(image[mask].mean() - image[around].mean()) > 25


@pytest.mark.parametrize("name", HARD)
def test_pixels_are_textured_and_noisy_and_never_burnt_out(name: str, clips: dict[str, HardClip]) -> None:
    hard = clips[name]
    image = hard.phantom.image
    assert image.dtype == np.uint8
    assert ((image == 0) | (image == 255)).mean() < 0.02
    quiet = ndimage.binary_erosion(hard.truth()[hard.prompted_frame], iterations=3)
    assert image[hard.prompted_frame][quiet].std() > 3


@pytest.mark.parametrize("name", HARD)
def test_a_clip_has_as_many_frames_and_pixels_as_asked_for(name: str) -> None:
    assert hard_clip(name, 5, 64, 3).phantom.clip().shape == (5, 64, 64)


@pytest.mark.parametrize("hidden", [10, 30, 60])
def test_an_occlusion_hides_everything_for_about_as_long_as_its_name_says(
    hidden: int, clips: dict[str, HardClip]
) -> None:
    hard = clips[f"occlusion-{hidden}"]
    ((start, stop),) = hard.events.gaps
    empty = int((areas(hard) == 0).sum())
    assert abs(empty - hidden) <= 4
    assert areas(hard)[start:stop].max() < areas(hard)[stop] < 0.9 * areas(hard)[0] < areas(hard)[stop + 6]
    assert stop + 20 < len(areas(hard))


def test_what_comes_back_is_somewhere_else(clips: dict[str, HardClip]) -> None:
    for name in ("occlusion-30", "leave"):
        hard = clips[name]
        ((start, stop),) = hard.events.gaps
        there = middles(hard)
        assert np.hypot(*(there[stop] - there[start - 1])) > 8, name


def test_who_leaves_is_gone_for_a_while(clips: dict[str, HardClip]) -> None:
    assert 10 < (areas(clips["leave"]) == 0).sum() < 30


def test_twins_look_alike_and_touch_only_where_they_cross(clips: dict[str, HardClip]) -> None:
    hard = clips["twins"]
    ((start, stop),) = hard.events.crossings
    image, labels = hard.phantom.image, hard.phantom.labels
    tones = [image[0][labels[0] == one].mean() for one in (1, hard.events.twin_id)]
    assert abs(tones[0] - tones[1]) < 12
    both = np.isin(labels, (1, hard.events.twin_id))
    pieces = np.array([ndimage.label(frame, np.ones((3, 3)))[1] for frame in both])
    assert set(pieces[start:stop]) == {1}
    assert set(pieces[:start]) == set(pieces[stop:]) == {2}
    assert 10 < stop - start < 40
    swapped = [
        (np.argwhere(labels[at] == 1) - np.argwhere(labels[at] == 2).mean(axis=0)).mean(axis=0) for at in (0, -1)
    ]
    assert swapped[0][0] * swapped[1][0] < 0  # the upper one is the lower one now


def test_what_splits_is_one_piece_first_and_two_like_pieces_then(clips: dict[str, HardClip]) -> None:
    hard = clips["split"]
    pieces = [ndimage.label(mask)[1] for mask in hard.truth()]
    assert hard.events.parted is not None
    assert set(pieces[: hard.events.parted]) == {1}
    assert set(pieces[hard.events.parted + 3 :]) == {2}


def test_the_fast_one_moves_by_a_good_part_of_its_own_size_every_frame(clips: dict[str, HardClip]) -> None:
    hard = clips["fast"]
    steps = np.hypot(*np.diff(middles(hard), axis=0).T)
    across = 2 * np.sqrt(areas(hard).mean() / np.pi)
    assert 0.3 < np.median(steps) / across < 0.7
    assert areas(hard).min() > 0.8 * areas(hard).max()  # never out of sight


@pytest.mark.parametrize("period", [8, 20, 50])
def test_a_heart_beats_as_often_as_its_name_says(period: int, clips: dict[str, HardClip]) -> None:
    hard = clips[f"beat-{period}"]
    course = areas(hard) - areas(hard).mean()
    strongest = np.argmax(np.abs(np.fft.rfft(course, 16 * len(course)))[8:]) + 8
    assert strongest / (16 * len(course)) == pytest.approx(1 / period, rel=0.08)
    assert hard.phantom.period_s == pytest.approx(0.04 * period)
    assert areas(hard).min() < 0.55 * areas(hard).max()


def test_breath_moves_a_kidney_up_and_down_and_it_drifts(clips: dict[str, HardClip]) -> None:
    height = middles(clips["breath"])[:, 0]
    assert height[16] - height[0] > 8  # half a breath
    assert 6 < height[128] - height[0] < 12  # four breaths


def test_what_changes_loses_contrast_and_grows_long(clips: dict[str, HardClip]) -> None:
    hard = clips["change"]

    def contrast(frame: int) -> float:
        image, mask = hard.phantom.image[frame].astype(float), hard.truth()[frame]
        around = ndimage.binary_dilation(mask, iterations=5) & ~ndimage.binary_dilation(mask, iterations=2)
        return float(image[mask].mean() - image[around].mean())

    assert contrast(0) > 2 * contrast(-1) > 0


def test_an_organ_ends_within_its_volume_and_its_neighbour_goes_on(clips: dict[str, HardClip]) -> None:
    hard = clips["volume-end"]
    held = np.flatnonzero(areas(hard))
    assert hard.phantom.order == "depth" and hard.phantom.frame_times_s is None
    assert 6 < held[0] and held[-1] < len(areas(hard)) - 6
    assert held[0] < hard.prompted_frame < held[-1]


def test_ranges_gaps_and_pieces_are_found_in_hand_made_masks() -> None:
    assert spans(np.array([True, False, True, True])) == ((0, 1), (2, 4))
    masks = np.zeros((4, 4, 8), dtype=bool)
    masks[0, :, :2] = masks[1, 0, :2] = masks[3, :, :2] = masks[3, :, 6:] = True
    assert gaps_of(masks, np.full(4, 8.0)) == ((1, 3),)
    assert parted_at(masks) == 3
    assert parted_at(masks[:3]) is None


def test_an_unknown_clip_or_a_wrong_length_is_refused_in_words() -> None:
    with pytest.raises(UnknownName, match="twins"):
        hard_clip("twin")
    with pytest.raises(InputError, match="frames"):
        hard_clip("twins", 1)
    with pytest.raises(InputError, match="period"):
        from napari_vost.phantoms.hard.cycles import beat

        beat(period=1)
