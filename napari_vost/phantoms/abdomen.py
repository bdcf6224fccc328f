"""A CT-like upper abdomen in HU, portal venous phase, with known organs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_vost.clip import Window
from napari_vost.phantoms.base import Field, Phantom, blur, ellipsoid, rounded_box, smooth_noise, smooth_union
from napari_vost.phantoms.canvas import Canvas
from napari_vost.phantoms.skeleton import paint_muscles, paint_ribs, paint_spine

LIVER, SPLEEN, LEFT_KIDNEY, RIGHT_KIDNEY, AORTA, STOMACH, VERTEBRA, LESION, SMALL_LESION = range(1, 10)
NAMES = {
    LIVER: "Liver",
    SPLEEN: "Spleen",
    LEFT_KIDNEY: "Left kidney",
    RIGHT_KIDNEY: "Right kidney",
    AORTA: "Aorta",
    STOMACH: "Stomach",
    VERTEBRA: "Vertebral column",
    LESION: "Liver lesion",
    SMALL_LESION: "Small liver lesion",
}
FIELD_MM = (150.0, 333.0, 333.0)
STEP_HU = 4  # stored values are multiples of this: the noise stays, the files are smaller
WINDOWS = (Window(-160.0, 240.0, "ABDOMEN"), Window(-20.0, 180.0, "LIVER"), Window(-650.0, 1350.0, "BONE"))


def abdomen(shape: tuple[int, int, int] = (60, 256, 256), seed: int = 7, noise_hu: float = 10.0) -> Phantom:
    """Make a CT-like abdomen: organs with vessels and lesions, spine, ribs, muscle, fat, bowel, gas.

    Parameters
    ----------
    shape
        ``(T, H, W)``. The field is always 150 x 333 x 333 mm; a coarser grid makes a cheaper phantom. Frames run
        from the feet to the head, x to the patient's left, y to the back.
    seed
        Seed of bends, textures, bowel and noise.
    noise_hu
        Standard deviation of the noise in soft tissue.

    Returns
    -------
    Phantom
        int16 HU, nine objects (`NAMES`). Lesions are not part of the liver's label.
    """
    rng = np.random.default_rng(seed)
    canvas = Canvas(shape, FIELD_MM, rng)
    cavity = _body(canvas)
    _bowel(canvas, cavity)
    _liver(canvas, cavity)
    _spleen(canvas, cavity)
    _stomach(canvas, cavity)
    _pancreas(canvas)
    for side in (-1.0, 1.0):
        _kidney(canvas, side)
    paint_spine(canvas, VERTEBRA)
    paint_muscles(canvas)
    _great_vessels(canvas)
    _couch(canvas)
    image = _scan(canvas, noise_hu)
    return Phantom(image, canvas.labels, NAMES, canvas.spacing, "depth", modality="CT", windows=WINDOWS)


def _body(canvas: Canvas) -> Field:
    """Skin, fat, muscle wall, ribs, inner fat; returns the level of the cavity."""
    whole = (slice(None), slice(None), slice(None))
    _, y, x = canvas.at(whole)
    groove = 7.0 * np.exp(-((x / 14.0) ** 2)) * np.clip(y / 60.0, 0.0, 1.0)
    skin = rounded_box(y, x, (0.0, 0.0), (104.0, 152.0), 2.4) + groove + 1.2 * canvas.rough
    wall = rounded_box(y, x, (-7.0, 0.0), (85.0, 136.0), 2.3) + 0.8 * canvas.rough
    cavity = rounded_box(y, x, (-7.0, 0.0), (75.0, 126.0), 2.3) + 0.8 * canvas.rough
    canvas.paint(whole, skin, 15.0)
    canvas.paint(whole, skin + 2.2, -103.0 + 4.0 * canvas.grain)
    canvas.paint(whole, wall, 58.0 + 3.0 * canvas.grain)
    for depth in (3.4, 6.6):  # thin fat between the three flat muscles of the flank
        flank = np.abs(wall + depth) - 0.45
        canvas.paint(whole, np.maximum(flank, 70.0 - np.abs(x)), -40.0)
    paint_ribs(canvas)
    canvas.paint(whole, cavity, -101.0 + 5.0 * canvas.grain)
    return cavity


def _liver(canvas: Canvas, cavity: Field) -> None:
    """Right and left lobe, portal and hepatic veins, two lesions, gall bladder."""
    cut = canvas.cut((-80.0, -90.0, -130.0), (80.0, 75.0, 75.0))
    points = canvas.at(cut)
    z, y, x = points
    right = ellipsoid(points, (30.0, -4.0, -68.0), (84.0, 72.0, 62.0))
    left = ellipsoid(points, (48.0, -42.0, -6.0), (34.0, 30.0, 62.0))
    level = smooth_union(right, left, 22.0)
    hilum = ellipsoid(points, (8.0, 12.0, -14.0), (40.0, 26.0, 24.0))
    level = np.maximum(np.maximum(level, -hilum), cavity[cut] + 2.0) + 1.3 * canvas.rough[cut]
    # the visceral surface: slopes up from the right flank to the left
    level = np.maximum(level, (-(z + 46.0) + 0.55 * (x + 95.0) - 0.25 * (y - 10.0)) * 0.8)
    canvas.paint(cut, level, 108.0 + 4.0 * canvas.grain[cut], LIVER)
    for path, widths in _liver_vessels(canvas.rng):
        for index in range(len(path) - 1):
            part, inside = canvas.pipe(path[index : index + 2], widths[index : index + 2])
            labels = canvas.labels[part]
            outside = np.where(labels == LIVER, -9.0, 9.0)
            canvas.paint(part, np.maximum(inside, outside), 158.0, LIVER)
    for object_id, centre, radii in (
        (LESION, (28.0, 8.0, -92.0), (15.0, 14.0, 16.0)),
        (SMALL_LESION, (44.0, -38.0, -52.0), (9.0, 9.0, 8.0)),
    ):
        part, lesion = canvas.ball(centre, radii)
        lesion = lesion + 1.4 * canvas.rough[part]
        canvas.paint(part, lesion, 92.0, object_id)
        canvas.paint(part, lesion + 2.0, 52.0 + 6.0 * canvas.grain[part], object_id)
        canvas.paint(part, lesion + 8.0, 32.0 + 4.0 * canvas.grain[part], object_id)
    part, bladder = canvas.pipe(np.array([[-14.0, -44.0, -52.0], [14.0, -22.0, -34.0]]), np.array([13.0, 6.0]))
    canvas.paint(part, bladder - 1.8, 70.0)
    canvas.paint(part, bladder, 8.0)


def _liver_vessels(rng: np.random.Generator) -> list[tuple[NDArray[np.float64], Field]]:
    """Paths (z, y, x) and radii of branching veins."""
    out: list[tuple[NDArray[np.float64], Field]] = []
    portal, confluence = np.array([10.0, 4.0, -26.0]), np.array([68.0, 22.0, -22.0])
    targets = [
        (20.0, -6.0, -95.0),
        (40.0, 28.0, -88.0),
        (-12.0, 18.0, -92.0),
        (34.0, -40.0, 12.0),
        (14.0, -42.0, -60.0),
    ]
    for target in targets:
        out += _branch(portal, np.array(target), 5.2, 3, rng)
    for target in ((30.0, 20.0, -104.0), (34.0, -28.0, -66.0), (46.0, -40.0, 2.0)):
        out += _branch(confluence, np.array(target), 5.0, 2, rng)
    return out


def _branch(
    start: NDArray[np.float64], stop: NDArray[np.float64], radius: float, depth: int, rng: np.random.Generator
) -> list[tuple[NDArray[np.float64], Field]]:
    along = stop - start
    length = float(np.linalg.norm(along))
    corners = start + np.linspace(0.0, 1.0, 6)[:, None] * along
    corners[1:-1] += rng.normal(0.0, 0.05 * length, (4, 3))
    out = [(corners, np.linspace(radius, 0.55 * radius, 6))]
    if depth > 1:
        for corner in (2, 3, 5):
            turn = along * 0.55 + rng.normal(0.0, 0.33 * length, 3)
            out += _branch(corners[corner], corners[corner] + 0.75 * turn, 0.62 * radius, depth - 1, rng)
    return out


def _spleen(canvas: Canvas, cavity: Field) -> None:
    """A crescent along the left back of the cavity."""
    cut, level = canvas.ball((34.0, 24.0, 94.0), (54.0, 54.0, 34.0))
    hollow = ellipsoid(canvas.at(cut), (34.0, -6.0, 62.0), (70.0, 50.0, 33.0))
    level = np.maximum(np.maximum(level, -hollow), cavity[cut] + 2.5) + 0.9 * canvas.rough[cut]
    canvas.paint(cut, level, 118.0 + 3.0 * canvas.grain[cut], SPLEEN)


def _stomach(canvas: Canvas, cavity: Field) -> None:
    """Wall, contents with a level surface, gas in front of it: the patient lies on the back."""
    path = np.array([[58.0, -14.0, 62.0], [38.0, -28.0, 66.0], [16.0, -44.0, 52.0], [2.0, -50.0, 22.0]])
    cut, level = canvas.pipe(path, np.array([26.0, 29.0, 22.0, 13.0]))
    level = np.maximum(level + 1.8 * canvas.rough[cut], cavity[cut] + 3.0)
    free = ~np.isin(canvas.labels[cut], (LIVER, SPLEEN, LESION, SMALL_LESION))
    level = np.where(free, level, np.maximum(level, 0.7))
    canvas.paint(cut, level, 78.0, STOMACH)
    inside = level + 3.6 + 1.5 * np.abs(canvas.grain[cut])  # folds of the wall
    canvas.paint(cut, inside, 22.0 + 14.0 * canvas.grain[cut], STOMACH)
    still = np.asarray(canvas.axes[1])[None, cut[1], None]  # gravity knows no bends
    canvas.paint(cut, np.maximum(inside, still + 44.0), -960.0, STOMACH)


def _pancreas(canvas: Canvas) -> None:
    """A lobulated band from the duodenum to the spleen, with the splenic vein behind it."""
    path = np.array(
        [[-16.0, -10.0, -36.0], [-4.0, -16.0, -18.0], [6.0, -16.0, 8.0], [14.0, -2.0, 38.0], [22.0, 14.0, 66.0]]
    )
    cut, level = canvas.pipe(path, np.array([13.0, 11.0, 8.5, 8.5, 7.0]))
    canvas.paint(cut, level + 1.6 * canvas.grain[cut], 96.0 + 7.0 * canvas.grain[cut])
    canvas.paint_pipe(path[1:] + np.array([1.0, 9.0, 0.0]), np.array([5.5, 4.6, 4.2, 3.8]), 165.0)


def _kidney(canvas: Canvas, side: float) -> None:
    """One kidney: cortex, pyramids, fat and vessels of the sinus; ``side`` is -1 right, +1 left."""
    low = -16.0 if side < 0 else -4.0
    object_id = RIGHT_KIDNEY if side < 0 else LEFT_KIDNEY
    middle = (low, 36.0, side * 66.0)
    cut, surround = canvas.ball(middle, (66.0, 36.0, 38.0))
    free = np.where(np.isin(canvas.labels[cut], (LIVER, SPLEEN, LESION, SMALL_LESION)), 9.0, -9.0)
    canvas.paint(cut, np.maximum(surround, free), -103.0 + 3.0 * canvas.grain[cut])
    z, y, x = canvas.at(cut)
    z = z - low
    across = side * (x - middle[2]) + 0.20 * z  # outwards, the upper pole leans to the spine
    forward = -(y - middle[1]) + 0.12 * z
    u = 0.86 * across - 0.50 * forward  # away from the hilum, which looks inwards and forwards
    v = 0.50 * across + 0.86 * forward
    level = ellipsoid((z, v, u), (0.0, 0.0, 0.0), (53.0, 24.0, 29.0)) + 0.5 * canvas.rough[cut]
    level = np.maximum(level, -ellipsoid((z, v, u), (0.0, 0.0, -30.0), (24.0, 8.0, 17.0)))
    canvas.paint(cut, level, 188.0 + 4.0 * canvas.grain[cut], object_id)
    angle = np.arctan2(v, u + 6.0)
    columns = 2.2 * np.cos(5.0 * angle + 0.6 * side) * np.cos(z / 5.6)
    canvas.paint(cut, level + 8.0 + columns, 128.0, object_id)
    sinus = ellipsoid((z, v, u), (0.0, 0.0, -11.0), (29.0, 7.5, 13.0)) + 2.0 * canvas.grain[cut]
    canvas.paint(cut, sinus, -70.0, object_id)
    pelvis = ellipsoid((z, v, u), (-3.0, -1.0, -13.0), (15.0, 3.8, 12.0))
    canvas.paint(cut, pelvis, 14.0, object_id)
    # the sinus outside the kidney's hull is fat around it, not kidney
    canvas.labels[cut][(level > 0) & (u < -20.0) & (canvas.labels[cut] == object_id)] = 0
    hilum = np.array([low + 4.0, 28.0, side * 46.0])
    hub = np.array([low + 8.0, 18.0, side * 10.0 - 3.0])
    canvas.paint_pipe(np.stack([hub, 0.5 * (hub + hilum) + [0, -3, 0], hilum]), np.array([5.0, 4.6, 4.0]), 158.0)
    canvas.paint_pipe(np.stack([hub, hilum]) + np.array([5.0, 6.0, 0.0]), np.array([3.0, 2.4]), 185.0)


def _great_vessels(canvas: Canvas) -> None:
    """Aorta with its front branches, and the inferior vena cava."""
    z = np.linspace(-85.0, 85.0, 18)
    bend = 2.0 * np.sin(z / 40.0)
    aorta = np.stack([z, 12.0 - 0.035 * z, 9.0 + bend], axis=1)
    cava = np.stack([z, 8.0 - 0.06 * z, -21.0 - bend - 0.03 * z], axis=1)
    canvas.paint_pipe(cava - np.array([0.0, 0.0, 3.0]), 8.6, 146.0)
    canvas.paint_pipe(cava + np.array([0.0, 0.0, 3.0]), 8.6, 146.0)
    for high, tilt in ((24.0, 6.0), (10.0, -16.0)):  # coeliac trunk, superior mesenteric artery
        root = np.array([high, 11.0, 9.0])
        course = np.array([[0.0, 0.0, 0.0], [tilt / 3, -16.0, 0.0], [4 * tilt, -24.0, 2.0]])
        canvas.paint_pipe(root + course, 3.4, 178.0)
    canvas.paint_pipe(np.array([[14.0, -18.0, -4.0], [-80.0, -26.0, -8.0]]), 5.0, 160.0)  # superior mesenteric vein
    canvas.paint_pipe(aorta, np.linspace(9.4, 10.8, 18), 176.0, AORTA)
    for height, turn in ((-38.0, 0.8), (-12.0, 2.2), (-57.0, 1.4)):  # plaques
        at = np.array([height, 12.0 - 0.035 * height + 9.0 * np.sin(turn), 9.0 + 9.0 * np.cos(turn)])
        cut, level = canvas.ball((at[0], at[1], at[2]), (3.4, 1.7, 1.9))
        canvas.paint(cut, level, 520.0, None)


def _bowel(canvas: Canvas, cavity: Field) -> None:
    """Loops of small bowel, vessels of the mesentery, colon with contents and gas."""
    rng = canvas.rng
    for _ in range(26):
        middle = np.array([rng.uniform(-82.0, -10.0), rng.uniform(-62.0, -8.0), rng.uniform(-62.0, 96.0)])
        turn, phase = rng.uniform(0.0, np.pi), np.linspace(-0.9, 0.9, 7)
        bow = rng.uniform(14.0, 24.0)
        path = middle + bow * np.stack(
            [0.8 * np.sin(2.2 * phase + turn), 0.7 * np.cos(2.2 * phase) - 0.5, 1.6 * phase * np.cos(turn)], axis=1
        )
        wide = rng.uniform(8.5, 12.5)
        cut, level = canvas.pipe(path, wide)
        level = np.maximum(level + 0.8 * canvas.rough[cut], cavity[cut] + 4.0)
        canvas.paint(cut, level, 92.0 + 5.0 * canvas.grain[cut])
        canvas.paint(cut, level + 2.6 + 0.7 * canvas.grain[cut], rng.uniform(12.0, 45.0))
        if rng.random() < 0.3:
            still = np.asarray(canvas.axes[1])[None, cut[1], None]
            canvas.paint(cut, np.maximum(level + 2.8, still - (middle[1] - 0.9 * wide)), -850.0)
    for _ in range(30):
        tip = np.array([rng.uniform(-80.0, 0.0), rng.uniform(-62.0, -14.0), rng.uniform(-60.0, 70.0)])
        root = np.array([0.6 * tip[0], -18.0, 0.0])
        canvas.paint_pipe(
            np.stack([root, 0.5 * (root + tip) + rng.normal(0, 4, 3), tip]), np.array([2.2, 1.7, 1.1]), 140.0
        )
    rising = np.array([[-85.0, 12.0, -94.0], [-50.0, 14.0, -98.0], [-30.0, -10.0, -92.0]])
    falling = np.array([[-85.0, 22.0, 104.0], [-20.0, 26.0, 106.0], [6.0, 6.0, 104.0]])
    across = np.array(
        [[-34.0, -40.0, -84.0], [-52.0, -62.0, -40.0], [-58.0, -66.0, 10.0], [-40.0, -60.0, 60.0], [2.0, -22.0, 100.0]]
    )
    for path, wide in ((rising, 21.0), (falling, 13.0), (across, 15.0)):
        _colon(canvas, cavity, path, wide)


def _colon(canvas: Canvas, cavity: Field, path: NDArray[np.float64], wide: float) -> None:
    cut, level = canvas.pipe(path, wide)
    level = np.maximum(level + 2.0 * np.abs(canvas.rough[cut]), cavity[cut] + 2.5)  # haustra
    still = np.asarray(canvas.axes[1])[None, cut[1], None]
    canvas.paint(cut, level, 70.0)
    lumen = level + 2.4
    speckled = np.where(canvas.grain[cut] > 1.0, -420.0, 30.0 + 22.0 * canvas.grain[cut])
    canvas.paint(cut, lumen, speckled)
    canvas.paint(cut, np.maximum(lumen, still - (float(path[:, 1].mean()) - 0.45 * wide)), -920.0)


def _couch(canvas: Canvas) -> None:
    """The table under the patient: two thin curved shells."""
    y, x = np.asarray(canvas.axes[1])[None, :, None], np.asarray(canvas.axes[2])[None, None, :]
    top = 117.0 - (x / 200.0) ** 2 * 26.0
    whole = (slice(None), slice(None), slice(None))
    for down, value in ((0.0, -380.0), (30.0, -420.0)):
        shell = np.abs(y - top - 0.6 * down) - 1.6
        level = np.broadcast_to(np.maximum(shell, np.abs(x) - 150.0), canvas.shape)
        canvas.paint(whole, np.asarray(level), value, None)


def _scan(canvas: Canvas, noise_hu: float) -> NDArray[np.int16]:
    """What the scanner makes of it: slice thickness, sharpness, grainy noise, even HU steps."""
    fine = min(1.0, 1.3 / canvas.spacing[2])
    image = blur(canvas.hu, (0.45, 0.62 * fine, 0.62 * fine))
    noise = blur(canvas.rng.standard_normal(canvas.shape), (0.0, 0.55, 0.55))
    noise /= noise.std()
    dose = 0.75 + 0.45 * np.exp(-((np.asarray(canvas.axes[1])[:, None] / 90.0) ** 2 + (canvas.axes[2] / 130.0) ** 2))
    noise *= noise_hu * dose
    noise += 2.0 * smooth_noise(canvas.shape, (canvas.shape[0], 12, 12), canvas.rng)
    air = np.clip((image + 1000.0) / 300.0, 0.12, 1.0)
    stored = np.rint((image + noise * air) / STEP_HU) * STEP_HU
    return np.asarray(np.clip(stored, -1024, 3071), dtype=np.int16)
