"""A beating left ventricle: apical four-chamber ultrasound with speckle that moves with the tissue."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_vost.checks import check_range
from napari_vost.phantoms.base import Field, Phantom, blur, ellipsoid, smooth_noise, smooth_union, tube
from napari_vost.phantoms.heart import LongAxis, contraction
from napari_vost.phantoms.ultrasound import Probe

VENTRICLE, MYOCARDIUM, ATRIUM, RIGHT_VENTRICLE = 1, 2, 3, 4
NAMES = {
    VENTRICLE: "Left ventricle",
    MYOCARDIUM: "Myocardium of left ventricle",
    ATRIUM: "Left atrium",
    RIGHT_VENTRICLE: "Right ventricle",
}
APEX_YX_MM = (27.0, 7.0)  # apex of the cavity, from the probe
TILT_RAD = 0.07  # axis of the ventricle against the middle beam
WALL_MM = 9.5
PERIOD_S = 0.8
FRAME_S = 1.0 / 30.0
TOP_MM = -2.0


def ventricle(frames: int = 40, size: int = 256, seed: int = 3, scatterers: int = 150_000) -> Phantom:
    """Make an apical four-chamber cine of 75 beats a minute at 30 frames a second, from end of diastole.

    Parameters
    ----------
    frames, size
        Frames; pixels along y and x. The field is always 154 mm, so that a small size makes a cheap phantom.
    seed
        Seed of scatterers and noise.
    scatterers
        Number of points that echo; fewer is cheaper and grainier.

    Returns
    -------
    Phantom
        uint8 (frames, size, size), objects `NAMES`; end of diastole at phase 0, end of systole at phase 0.36 of
        ``period_s``.
    """
    check_range(frames, 1, 100_000, "frames")
    check_range(size, 32, 4096, "size")
    rng = np.random.default_rng(seed)
    heart, probe = LongAxis(), Probe()
    pixel = 154.0 / size
    y = rng.uniform(2.0, probe.depth_mm, scatterers)
    x = rng.uniform(-1.0, 1.0, scatterers) * np.tan(probe.half_angle_rad) * y
    along, across = _to_axis(y, x)
    tissue, decibel = _anatomy(along, across)
    echo = rng.standard_normal(scatterers) + 1j * rng.standard_normal(scatterers)
    echo *= 10.0 ** ((decibel + _texture(y, x, rng)) / 20.0) * np.sqrt(y / 80.0)  # as dense per beam at any depth
    haze = _haze(probe, rng)
    phases = np.arange(frames) * FRAME_S / PERIOD_S
    images = np.zeros((frames, size, size), dtype=np.uint8)
    labels = np.zeros((frames, size, size), dtype=np.uint8)
    for index, phase in enumerate(phases):
        squeeze = float(contraction(np.asarray(phase)))
        flow = np.where(tissue == 0, np.exp(2j * np.pi * rng.random(scatterers)), 1.0)  # blood never looks the same
        now_y, now_x = _from_axis(*heart.now(along, across, squeeze))
        leaf_y, leaf_x, leaf_echo = _leaflets(heart, squeeze, float(phase), seed)
        strength = probe.envelope(
            np.concatenate([now_y, leaf_y]), np.concatenate([now_x, leaf_x]), np.concatenate([echo * flow, leaf_echo])
        )
        noise = [blur(rng.standard_normal(haze[1].shape), (0.9, 0.9)) for _ in range(2)]
        strength = np.hypot(np.hypot(strength * haze[0], haze[1]), 2.2 * haze[2] * np.hypot(*noise))
        decibels = 20.0 * np.log10(np.maximum(strength, 1e-9)) + 3.0
        images[index] = probe.picture(decibels, size, pixel, TOP_MM)
        labels[index] = _truth(heart, squeeze, size, pixel, probe)
    times = tuple(round(index * FRAME_S, 9) for index in range(frames))
    spacing = (1.0, pixel, pixel)
    return Phantom(images, labels, NAMES, spacing, "time", times, PERIOD_S, "US")


def _to_axis(y: Field, x: Field) -> tuple[Field, Field]:
    """Millimetres from the probe to millimetres along and across the ventricle."""
    v, u = y - APEX_YX_MM[0], x - APEX_YX_MM[1]
    return v * np.cos(TILT_RAD) + u * np.sin(TILT_RAD), -v * np.sin(TILT_RAD) + u * np.cos(TILT_RAD)


def _from_axis(along: Field, across: Field) -> tuple[Field, Field]:
    v = along * np.cos(TILT_RAD) - across * np.sin(TILT_RAD)
    u = along * np.sin(TILT_RAD) + across * np.cos(TILT_RAD)
    return v + APEX_YX_MM[0], u + APEX_YX_MM[1]


def _levels(along: Field, across: Field) -> dict[str, Field]:
    """Levels in mm (negative inside) of chambers and walls at end of diastole."""
    heart = LongAxis()
    points = (along, across)
    u = along / heart.length_mm
    uneven = 0.7 * np.sin(0.29 * along + 1.0) * np.sign(across) + 0.5 * np.sin(0.71 * along - 0.2 * across)
    gap = np.abs(across) - heart.half_width(np.clip(u, 0.0, 1.0), 0.0) + uneven
    cavity = np.maximum(np.maximum(gap * 0.9, -along), along - heart.length_mm)
    outer = np.abs(across) - heart.half_width(np.clip((along + WALL_MM) / 96.0, 0.0, 0.62), 0.0) - WALL_MM
    shell = np.maximum(np.maximum(outer, along - heart.length_mm - 1.5), -along - WALL_MM)
    atrium = smooth_union(
        ellipsoid(points, (108.0, 0.0), (20.0, 22.0)), ellipsoid(points, (85.0, 0.0), (9.0, 15.5)), 6.0
    )
    atrium = np.maximum(atrium, heart.length_mm - along)
    right = ellipsoid(points, (52.0, -44.0), (38.0, 21.0))
    right = smooth_union(right, ellipsoid(points, (66.0, -50.0), (15.0, 15.0)), 10.0)
    right = np.maximum(np.maximum(right, -outer + 0.5), along - 78.0)
    right_atrium = smooth_union(
        ellipsoid(points, (103.0, -48.0), (22.0, 21.0)), ellipsoid(points, (80.0, -46.0), (9.0, 14.0)), 6.0
    )
    right_atrium = np.maximum(right_atrium, 78.0 - along)
    chambers = np.minimum(np.minimum(atrium, right), right_atrium)
    hull = smooth_union(smooth_union(shell, chambers - 4.5, 8.0), chambers - 4.5, 8.0)
    return {
        "cavity": cavity,
        "shell": shell,
        "atrium": atrium,
        "right": right,
        "right_atrium": right_atrium,
        "hull": hull,
    }


def _anatomy(along: Field, across: Field) -> tuple[NDArray[np.intp], Field]:
    """Tissue (0 blood, 1 muscle, 2 around) and echo in dB at end of diastole."""
    level = _levels(along, across)
    blood = (level["cavity"] < 0) | (level["atrium"] < 0) | (level["right"] < 0) | (level["right_atrium"] < 0)
    tissue = np.where(blood, 0, np.where(level["hull"] < 0, 1, 2))
    decibel = np.select([tissue == 0, tissue == 1], [np.full(along.shape, -52.0), np.full(along.shape, -21.0)], -31.0)
    rim = np.minimum.reduce([np.abs(level[name]) for name in ("cavity", "atrium", "right", "right_atrium")])
    decibel = decibel + np.where((tissue != 0) & (rim < 1.6), 3.0, 0.0)
    sac = np.abs(level["hull"] - 0.8) < 1.5
    decibel = np.where(sac, -11.0, decibel)
    band = tube((along, across), np.array([[20.0, -29.0], [33.0, -40.0], [38.0, -56.0]]), np.array([1.6, 1.4, 2.2])) < 0
    decibel = np.where(band, -27.0, decibel)  # moderator band, which tells the right ventricle
    papillary = ellipsoid((along, across), (40.0, 19.5), (14.0, 4.6)) < 0
    return tissue, np.where(papillary & (level["cavity"] < 0), -29.0, decibel)


def _texture(y: Field, x: Field, rng: np.random.Generator) -> Field:
    """Slow changes of echo in dB: uneven contact, and walls along the beam that answer weakly."""
    size = 96
    bumps = smooth_noise((size, size), (9, 9), rng)
    row = np.clip((y / 160.0 * (size - 1)).astype(np.intp), 0, size - 1)
    column = np.clip(((x / 240.0 + 0.5) * (size - 1)).astype(np.intp), 0, size - 1)
    lateral = np.exp(-(((np.arctan2(x, y) - 0.36) / 0.11) ** 2)) * np.clip((y - 50.0) / 40.0, 0.0, 1.0)
    return 3.8 * bumps[row, column] - 6.0 * lateral


def _haze(probe: Probe, rng: np.random.Generator) -> tuple[Field, Field, Field]:
    """Gain over the sector, and what is added: clutter and reverberation that stay, noise that grows with depth."""
    radius = np.linspace(0.0, 1.0, probe.samples)[:, None]
    beam = np.linspace(-1.0, 1.0, probe.beams)[None, :]
    gain = 10.0 ** (
        (-7.0 * radius - 3.5 * np.abs(beam) ** 3 + 1.2 * smooth_noise((1, probe.beams), (4, 14), rng)) / 20.0
    )
    clutter = 10.0 ** ((-17.0 - 330.0 * radius**1.5) / 20.0) + 10.0 ** (
        (-43.0 - 130.0 * (radius - 0.12) ** 2 * 4.0) / 20.0
    )
    floor = 10.0 ** ((-60.0 + 7.0 * radius) / 20.0)
    grain = 0.6 + 0.4 * np.abs(smooth_noise((probe.samples, probe.beams), (probe.samples / 3, 50), rng))
    return gain, clutter * grain, np.broadcast_to(floor, grain.shape)


def _leaflets(heart: LongAxis, squeeze: float, phase: float, seed: int) -> tuple[Field, Field, NDArray[np.complex128]]:
    """Scatterers on the leaflets of both valves; they open while the ventricle fills."""
    rng = np.random.default_rng([seed, 1])
    beat = phase % 1.0
    wide = (
        np.exp(-(((beat - 0.50) / 0.085) ** 2))
        + 0.65 * np.exp(-(((beat - 0.88) / 0.05) ** 2))
        + 0.25 * (0.42 < beat < 0.95)
    )
    opening = float(np.clip(wide, 0.0, 1.0))
    ring = heart.length(squeeze)
    count = 420
    along, across, echo = [], [], []
    for middle, half, height, reach, side in (
        (0.0, 17.0, ring, 21.0, 1.0),
        (0.0, 17.0, ring, 15.0, -1.0),
        (-45.0, 16.0, ring - 5.0, 19.0, 1.0),
        (-45.0, 16.0, ring - 5.0, 16.0, -1.0),
    ):
        share = rng.random(count)
        angle = 0.30 + 1.10 * opening  # from the plane of the ring into the ventricle
        inward = share * reach * np.cos(angle)
        belly = 2.0 * np.sin(np.pi * share) * (1.0 - opening)
        along.append(height - share * reach * np.sin(angle) * 0.9 + belly + rng.normal(0.0, 0.45, count))
        across.append(middle - side * (half - inward) + rng.normal(0.0, 0.3, count))
        echo.append(0.11 * (rng.standard_normal(count) + 1j * rng.standard_normal(count)))
    y, x = _from_axis(np.concatenate(along), np.concatenate(across))
    return y, x, np.concatenate(echo)


def _truth(heart: LongAxis, squeeze: float, size: int, pixel: float, probe: Probe) -> NDArray[np.uint8]:
    """Objects of one frame: where every pixel was at end of diastole says what it is."""
    y = np.broadcast_to((np.arange(size) * pixel + TOP_MM)[:, None], (size, size))
    x = np.broadcast_to(((np.arange(size) - (size - 1) / 2) * pixel)[None, :], (size, size))
    level = _levels(*heart.reference(*_to_axis(y, x), squeeze))
    labels = np.zeros((size, size), dtype=np.uint8)
    labels[level["right"] < 0] = RIGHT_VENTRICLE
    labels[level["shell"] < 0] = MYOCARDIUM
    labels[level["atrium"] < 0] = ATRIUM
    labels[level["cavity"] < 0] = VENTRICLE
    labels[(np.hypot(y, x) > probe.depth_mm) | (np.abs(np.arctan2(x, y)) > probe.half_angle_rad)] = 0
    return labels
