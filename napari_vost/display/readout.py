"""The line under the cursor: which image, where in the patient, which value, which object."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_vost.clip import Clip
from napari_vost.errors import InputError
from napari_vost.geometry import points_lps


def readout(
    clip: Clip,
    frame_index: int,
    pixel_yx: tuple[float, float] | None = None,
    value: float | Sequence[float] | NDArray[np.generic] | None = None,
    label: str = "",
) -> str:
    """One line such as ``Image 46/120 (instance 75) · z −132.5 mm · R 17.6 P 35.3 · 64 HU · Pancreas``.

    Of a 4D source it says the other axis too: ``Image 12/30 · Slice 4/10 · 380 ms …``.

    Positions are those of the cursor in the patient, millimetres, whatever plane it moves in: to the Right or Left and
    to Anterior or Posterior of the origin, z towards the head (DICOM's patient coordinates). Without orientation they
    count from pixel (0, 0) of the first frame along the frame's own axes; without spacing in pixels.

    Parameters
    ----------
    clip
        Its facts; no frame is read.
    frame_index
        From 0; the line counts images from 1, as a PACS does.
    pixel_yx
        Array pixels under the cursor; None, or a pixel outside the frame, leaves position, value and label out.
    value
        Value under the cursor in real-world units, three numbers in colour; None where it is not known yet.
    label
        Name of the object under the cursor, ``""`` for none.

    Raises
    ------
    InputError
        No such frame.
    """
    if not 0 <= frame_index < len(clip):
        raise InputError(f"Frame {frame_index} does not exist: the clip has frames 0 to {len(clip) - 1}.")
    inside = pixel_yx is not None and _inside(clip, pixel_yx)
    parts = [_image(clip, frame_index), str(clip.source.grid.part or "")]
    parts.append(_along(clip, frame_index, pixel_yx if inside else None))
    if inside and pixel_yx is not None:
        parts += [_across(clip, frame_index, pixel_yx), _value(clip, value), label]
    return " · ".join(part for part in parts if part)


def _inside(clip: Clip, pixel_yx: tuple[float, float]) -> bool:
    return all(-0.5 <= place < size - 0.5 for place, size in zip(pixel_yx, clip.shape[1:], strict=True))


def _image(clip: Clip, frame_index: int) -> str:
    """Number of the image, and that of the DICOM instance or stored frame where it is another one."""
    count, source = frame_index + 1, clip.source
    along_stored = source.grid.axes[0] in (2, 3)  # else a frame cuts across the stored images
    for word, numbers in (("frame", source.frame_numbers), ("instance", source.instance_numbers)):
        if along_stored and len(numbers) == len(clip) and numbers[frame_index] != count:
            return f"Image {count}/{len(clip)} ({word} {numbers[frame_index]})"
    return f"Image {count}/{len(clip)}"


def _along(clip: Clip, frame_index: int, pixel_yx: tuple[float, float] | None) -> str:
    """Where the frame lies along the clip: milliseconds of a cine, else z at the cursor or the middle of the frame."""
    if clip.order == "time":
        return "" if clip.frame_times_s is None else f"{clip.frame_times_s[frame_index] * 1000:.0f} ms"
    if not clip.geometry.spaced or (not clip.geometry.oriented and len(clip) == 1):
        return ""
    _, height, width = clip.shape
    z = _position(clip, frame_index, pixel_yx or ((height - 1) / 2, (width - 1) / 2))[2]
    return f"z {_signed(z)} mm"


def _across(clip: Clip, frame_index: int, pixel_yx: tuple[float, float]) -> str:
    if not clip.geometry.spaced:
        return f"x {pixel_yx[1]:.0f} y {pixel_yx[0]:.0f} px"
    x, y, _ = _position(clip, frame_index, pixel_yx)
    if not clip.geometry.oriented:
        return f"x {_signed(x)} y {_signed(y)} mm"
    return f"{'R' if x < 0 else 'L'} {abs(x):.1f} {'A' if y < 0 else 'P'} {abs(y):.1f}"


def _position(clip: Clip, frame_index: int, pixel_yx: tuple[float, float]) -> NDArray[np.float64]:
    """LPS millimetres of a pixel, (3,); without orientation, millimetres along (x, y, frame) from the first pixel."""
    geometry = clip.geometry
    along = 0 if clip.order == "time" else frame_index  # every frame of a cine lies where the first one lies
    if not geometry.oriented:
        z, y, x = geometry.spacing_mm_zyx
        return np.array([pixel_yx[1] * x, pixel_yx[0] * y, along * z])
    in_frame = points_lps(geometry.affine_lps, np.array([[pixel_yx[1], pixel_yx[0], 0.0]]))[0]
    return np.asarray(in_frame - geometry.affine_lps[:3, 3] + geometry.frame_origin(along))


def _value(clip: Clip, value: float | Sequence[float] | NDArray[np.generic] | None) -> str:
    if value is None:
        return ""
    numbers = np.atleast_1d(np.asarray(value, dtype=np.float64))
    words = " ".join(_number(float(number)) for number in numbers)
    return f"{words} HU" if clip.modality == "CT" and len(numbers) == 1 else words


def _number(value: float) -> str:
    """Whole numbers as they are, others to 4 digits, with a real minus sign."""
    words = f"{value:.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.4g}"
    return words.replace("-", "−")


def _signed(millimetres: float) -> str:
    """One decimal, with a real minus sign and never ``−0.0``."""
    return f"{round(millimetres, 1) + 0.0:.1f}".replace("-", "−")
