"""Phantoms: the same seed gives the same pixels, and the truth is where the picture says it is."""

import numpy as np
import pytest
from scipy import ndimage

from napari_vost.errors import InputError
from napari_vost.phantoms import Phantom, abdomen, ball_volume, moving_disc_cine, ventricle
from napari_vost.phantoms.abdomen import NAMES as ORGANS
from napari_vost.phantoms.base import ellipsoid, rounded_box, smooth_noise, tube
from napari_vost.phantoms.heart import LongAxis, contraction
from napari_vost.phantoms.ventricle import MYOCARDIUM, VENTRICLE

BEAT_FRAMES = 24  # 0.8 s at 30 frames a second


@pytest.fixture(scope="module")
def scan() -> Phantom:
    return abdomen((30, 96, 96))


@pytest.fixture(scope="module")
def cine() -> Phantom:
    return ventricle(frames=BEAT_FRAMES + 2, size=96, scatterers=60_000)


def areas(phantom: Phantom, object_id: int) -> np.ndarray:
    return (phantom.labels == object_id).sum(axis=(1, 2))


def centre_x(phantom: Phantom, object_id: int) -> float:
    return float(np.nonzero(phantom.labels == object_id)[2].mean())


def test_an_abdomen_of_one_seed_is_the_same_every_time_and_another_seed_is_another_one() -> None:
    first, again, other = (abdomen((6, 48, 48), seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.image, again.image) and np.array_equal(first.labels, again.labels)
    assert not np.array_equal(first.image, other.image)


def test_every_organ_is_in_the_abdomen_with_its_own_hounsfield_units(scan: Phantom) -> None:
    assert set(np.unique(scan.labels)) == {0, *ORGANS}
    middle = {ORGANS[key]: float(np.median(scan.image[scan.labels == key])) for key in ORGANS}
    assert 95 < middle["Liver"] < 125
    assert 105 < middle["Spleen"] < 130
    assert middle["Aorta"] > 160 > middle["Left kidney"] - 40
    assert middle["Liver lesion"] < middle["Liver"] - 30
    assert abs(np.median(scan.image[0, :8, :8]) + 1000) < 8  # air around the body


def test_sides_sizes_and_spacing_of_the_abdomen_are_those_of_a_person(scan: Phantom) -> None:
    ids = {name: key for key, name in ORGANS.items()}
    assert centre_x(scan, ids["Right kidney"]) < centre_x(scan, ids["Aorta"]) < centre_x(scan, ids["Left kidney"])
    assert centre_x(scan, ids["Liver"]) < centre_x(scan, ids["Spleen"])
    assert scan.spacing_mm_zyx == pytest.approx((5.0, 333 / 96, 333 / 96))
    millilitres = {name: (scan.labels == key).sum() * np.prod(scan.spacing_mm_zyx) / 1000 for name, key in ids.items()}
    assert 900 < millilitres["Liver"] < 1500
    assert 100 < millilitres["Spleen"] < 250
    for side in ("Left kidney", "Right kidney"):
        assert 100 < millilitres[side] < 200


def test_a_finer_grid_shows_the_same_body(scan: Phantom) -> None:
    coarse = abdomen((15, 48, 48))
    for key in (1, 2, 5):
        fine_ml = (scan.labels == key).sum() * np.prod(scan.spacing_mm_zyx)
        coarse_ml = (coarse.labels == key).sum() * np.prod(coarse.spacing_mm_zyx)
        assert coarse_ml == pytest.approx(fine_ml, rel=0.1)


def test_a_ventricle_of_one_seed_is_the_same_every_time() -> None:
    first, again = (ventricle(frames=2, size=48, scatterers=5_000) for _ in range(2))
    assert np.array_equal(first.image, again.image) and np.array_equal(first.labels, again.labels)


def test_the_ventricle_beats_with_its_period_and_is_smallest_at_end_of_systole(cine: Phantom) -> None:
    cavity = areas(cine, VENTRICLE)
    assert np.array_equal(cine.labels[0], cine.labels[BEAT_FRAMES])
    assert cine.period_s == pytest.approx(0.8)
    assert int(np.argmin(cavity)) in (8, 9)
    assert 0.5 < cavity.min() / cavity.max() < 0.72
    assert cine.frame_times_s is not None and len(cine.frame_times_s) == len(cine.image)


def test_muscle_keeps_its_amount_while_the_cavity_shrinks_and_is_brighter_than_blood(cine: Phantom) -> None:
    wall = areas(cine, MYOCARDIUM)
    assert wall.min() > 0.75 * wall.max()
    for frame in (0, 9):
        blood, muscle = (cine.image[frame][cine.mask(key, frame)] for key in (VENTRICLE, MYOCARDIUM))
        assert np.median(muscle) > 2 * np.median(blood)


def test_speckle_of_muscle_lasts_and_that_of_blood_does_not() -> None:
    phantom = ventricle(frames=25, size=96, scatterers=60_000)
    alike = {}
    for key in (VENTRICLE, MYOCARDIUM):
        inside = np.zeros((96, 96), dtype=bool)
        inside[34:54, :52] = ndimage.binary_erosion(phantom.mask(key, 0), iterations=2)[
            34:54, :52
        ]  # septum and blood beside it: no leaflets, no papillary
        first, later = (phantom.image[index][inside].astype(float) for index in (0, 24))
        alike[key] = np.corrcoef(first, later)[0, 1]
    assert alike[MYOCARDIUM] > 0.9 > 0.5 > alike[VENTRICLE]


@pytest.mark.parametrize("squeeze", [0.0, 0.4, 1.0])
def test_moving_the_heart_forth_and_back_ends_where_it_began(squeeze: float) -> None:
    heart = LongAxis()
    along, across = (grid.ravel() for grid in np.meshgrid(np.linspace(-8, 130, 60), np.linspace(-50, 50, 41)))
    there = heart.now(along, across, squeeze)
    back = heart.reference(*there, squeeze)
    assert np.abs(back[0] - along).max() < 0.2
    near = np.abs(across) < 35  # further out the wall's share fades, and the inverse is only close
    assert np.abs(back[1] - across)[near].max() < 2.0


def test_contraction_starts_and_ends_at_rest() -> None:
    phase = np.linspace(0, 1, 201)
    squeeze = contraction(phase)
    assert squeeze[0] == squeeze[-1] == 0.0
    assert squeeze.max() == pytest.approx(1.0, abs=1e-3) and squeeze.min() >= 0.0
    assert np.abs(np.diff(squeeze)).max() < 0.06
    assert np.array_equal(squeeze, contraction(phase + 3.0)) or np.allclose(
        squeeze, contraction(phase + 3.0), atol=1e-9
    )


def test_a_ball_begins_and_ends_inside_its_volume() -> None:
    ball = ball_volume(size=64, frames=12, radius_px=14)
    found = areas(ball, 1)
    assert found[0] == found[-1] == 0
    assert found.max() == pytest.approx(np.pi * 14**2, rel=0.03)
    inside = ball.labels == 1
    assert ball.image[inside].mean() > 0.9 > 0.3 > ball.image[~inside].mean()


def test_a_ball_lies_where_it_was_put() -> None:
    ball = ball_volume(size=64, frames=6, radius_px=8, centre_yx=(20, 40), noise=0.0)
    _, y, x = np.nonzero(ball.labels)
    assert (y.mean(), x.mean()) == pytest.approx((20, 40), abs=0.2)


def test_a_hidden_disc_is_away_and_comes_back_elsewhere() -> None:
    disc = moving_disc_cine(frames=16, hidden=(5, 9))
    found = areas(disc, 1)
    assert (found[5:9] == 0).all() and (np.delete(found, range(5, 9)) > 150).all()
    before, after = (np.argwhere(disc.mask(1, index)).mean(axis=0) for index in (4, 9))
    assert np.linalg.norm(after - before) > 9


def test_a_phantom_opens_as_a_clip_of_its_order_and_times() -> None:
    clip = moving_disc_cine(frames=5).clip()
    assert (clip.order, clip.shape, clip.frame_time_s) == ("time", (5, 64, 64), pytest.approx(0.04))


def test_truth_of_another_shape_than_the_image_is_refused() -> None:
    with pytest.raises(InputError, match="labels"):
        Phantom(np.zeros((2, 4, 4)), np.zeros((2, 4, 5), dtype=np.uint8), {}, (1, 1, 1), "depth")


@pytest.mark.parametrize("make", [lambda: ventricle(frames=0), lambda: ball_volume(size=2)])
def test_impossible_sizes_are_refused(make: object) -> None:
    with pytest.raises(InputError, match="expected a value"):
        make()  # type: ignore[operator]


def test_levels_are_about_distances() -> None:
    y, x = np.mgrid[-20:21, -20:21].astype(float)
    ball = ellipsoid((y, x), (0.0, 0.0), (10.0, 10.0))
    assert ball[20, 35] == pytest.approx(5.0) and ball[20, 25] < 0
    assert rounded_box(y, x, (0.0, 0.0), (10.0, 10.0), 2.0)[20, 35] == pytest.approx(5.0, abs=0.1)
    pipe = tube((y, x), np.array([[0.0, -10.0], [0.0, 10.0]]), np.array([3.0, 3.0]))
    assert pipe[30, 20] == pytest.approx(7.0) and pipe[20, 35] == pytest.approx(2.0)


def test_smooth_noise_is_smooth_and_of_unit_size() -> None:
    field = smooth_noise((64, 64), (6, 6), np.random.default_rng(0))
    assert field.std() == pytest.approx(1.0)
    assert np.abs(np.diff(field, axis=0)).max() < 0.6
