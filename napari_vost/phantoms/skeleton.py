"""Bones and muscles of the abdomen phantom."""

from __future__ import annotations

import numpy as np

from napari_vost.phantoms.base import Field, ellipsoid, tube
from napari_vost.phantoms.canvas import Canvas

LEVEL_MM = 34.0  # from one vertebra to the next: body and disc
MUSCLE_HU, CORTEX_HU, MARROW_HU = 60.0, 560.0, 175.0


def paint_spine(canvas: Canvas, object_id: int) -> None:
    """Vertebral bodies with cortical rim and discs, canal, arch, processes; the column is one object."""
    cut = canvas.cut((-80.0, 15.0, -52.0), (80.0, 100.0, 52.0))
    points = canvas.at(cut)
    z, y, x = points
    phase = (z + 6.0) / LEVEL_MM
    along = (phase - np.round(phase)) * LEVEL_MM  # mm from the middle of the nearest body
    waist = 1.6 * (along / 13.0) ** 2
    body = ellipsoid((y, x), (41.0, 0.0), (16.5, 22.0)) - waist + 0.5 * canvas.rough[cut]
    body = np.maximum(body, -ellipsoid((y, x), (62.0, 0.0), (10.0, 12.0)))
    disc = np.abs(along) - 12.8
    canvas.paint(cut, body, 82.0, object_id)  # disc, the rest is painted over
    bone = np.maximum(body, disc)
    canvas.paint(cut, bone, CORTEX_HU - 110.0, object_id)
    canvas.paint(cut, bone + 1.9, MARROW_HU + 32.0 * canvas.grain[cut], object_id)
    arch = _arch(points, along)
    canvas.paint(cut, arch, CORTEX_HU - 140.0, object_id)
    canvas.paint(cut, arch + 1.5, MARROW_HU + 70.0, object_id)
    canal = ellipsoid((y, x), (63.5, 0.0), (8.0, 10.5))
    canvas.paint(cut, canal, -20.0)
    canvas.paint(cut, canal + 1.6, 18.0)
    canvas.paint(cut, ellipsoid((y, x), (63.5, 0.0), (4.6, 5.6)), 42.0)


def _arch(points: tuple[Field, Field, Field], along: Field) -> Field:
    """Pedicles, laminae, spinous and transverse processes around the canal."""
    _, y, x = points
    local = (along, y, np.abs(x))
    pedicle = tube(local, np.array([[4.0, 50.0, 14.0], [3.0, 66.0, 15.0]]), np.array([4.8, 5.2]))
    lamina = tube(local, np.array([[-2.0, 68.0, 14.0], [-5.0, 77.0, 2.0]]), np.array([4.6, 4.0]))
    facet = tube(local, np.array([[-16.0, 69.0, 15.0], [14.0, 68.0, 15.0]]), np.array([4.6, 5.0]))
    across = tube(local, np.array([[4.0, 66.0, 16.0], [2.0, 70.0, 40.0]]), np.array([4.4, 2.6]))
    spinous = tube(local, np.array([[-4.0, 76.0, 0.0], [-9.0, 94.0, 0.0]]), np.array([3.8, 4.2]))
    spinous = np.maximum(spinous, np.abs(x) - 3.4)
    return np.asarray(np.minimum.reduce([pedicle, lamina, facet, across, spinous]))


def paint_ribs(canvas: Canvas) -> None:
    """Ribs inside the wall: from the spine they fall towards the flank."""
    turn = np.radians(np.linspace(60.0, -25.0, 15))  # 90 degrees is the back, 0 the flank
    for start in (28.0, 58.0, 88.0, 118.0):
        height = start - 52.0 * (1.0 - np.sin(np.maximum(turn, 0.0))) - 12.0 * np.sin(np.maximum(-turn, 0.0))
        for side in (-1.0, 1.0):
            path = np.stack(
                [
                    height,
                    -6.0 + 82.0 * np.sign(turn) * np.abs(np.sin(turn)) ** 0.9,
                    side * 132.0 * np.cos(turn) ** 0.88,
                ],
                axis=1,
            )
            count = 8 if start < 40.0 else len(path)  # the lowest rib floats
            canvas.paint_pipe(path[:count], 5.2, CORTEX_HU)
            canvas.paint_pipe(path[:count], 3.2, MARROW_HU + 30.0)


def paint_muscles(canvas: Canvas) -> None:
    """Erector spinae, quadratus lumborum, psoas, crura of the diaphragm, rectus abdominis."""
    streaks = np.where(canvas.grain > 1.35, -50.0, 0.0)
    for side in (-1.0, 1.0):
        for centre, radii, streaky in (
            ((0.0, 84.0, side * 20.0), (400.0, 13.0, 15.0), True),
            ((0.0, 81.0, side * 46.0), (400.0, 12.0, 21.0), True),
            ((-70.0, 62.0, side * 62.0), (80.0, 9.0, 17.0), False),
        ):
            cut = canvas.cut((-80.0, 40.0, -90.0), (80.0, 104.0, 90.0))
            level = ellipsoid(canvas.at(cut), centre, radii) + 0.7 * canvas.rough[cut]
            bone = np.where(canvas.hu[cut] > 110.0, 5.0, -5.0)
            value = MUSCLE_HU + (streaks[cut] if streaky else 0.0) + 3.0 * canvas.grain[cut]
            keep = np.where(canvas.labels[cut] > 0, 5.0, -5.0)
            canvas.paint(cut, np.maximum(np.maximum(level, bone), keep), value, None)
        path = np.array([[30.0, 42.0, side * 23.0], [-20.0, 44.0, side * 31.0], [-90.0, 42.0, side * 39.0]])
        cut, level = canvas.pipe(path, np.array([4.0, 12.0, 19.0]))
        keep = np.where(canvas.labels[cut] > 0, 5.0, -5.0)
        canvas.paint(cut, np.maximum(level + 0.8 * canvas.rough[cut], keep), MUSCLE_HU, None)
        crus = np.array([[90.0, 14.0, side * 19.0 + 5.0], [0.0, 24.0, side * 17.0 + 3.0]])
        canvas.paint_pipe(crus, np.array([4.5, 3.0]), MUSCLE_HU)
        cut = canvas.cut((-80.0, -100.0, -60.0), (80.0, -70.0, 60.0))
        front = ellipsoid(canvas.at(cut), (0.0, -80.5, side * 30.0), (500.0, 6.0, 27.0))
        canvas.paint(cut, front, MUSCLE_HU, None)
