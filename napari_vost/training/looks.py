"""Looks of modalities: what a scanner, a probe, a scope or a detector makes of a painted scene. On any device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from napari_vost.training.shapes import Random


class Fields:
    """Random fields from one generator, on one device."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self.device = device
        self.generator = torch.Generator(device=device)
        self.generator.manual_seed(seed)

    def normal(self, *shape: int) -> Tensor:
        """White noise."""
        return torch.randn(*shape, generator=self.generator, device=self.device)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Uniform numbers."""
        return torch.rand(*shape, generator=self.generator, device=self.device) * (high - low) + low

    def smooth(self, clips: int, frames: int, knots: tuple[int, int], side: int) -> Tensor:
        """Smooth noise (clips, frames, side, side) from a coarse grid of (frames, space) knots."""
        coarse = self.normal(clips, knots[0], knots[1] * knots[1])
        if knots[0] != frames:
            coarse = functional.interpolate(coarse.mT, size=frames, mode="linear", align_corners=True).mT
        coarse = coarse.reshape(clips, frames, knots[1], knots[1])
        return functional.interpolate(coarse, size=(side, side), mode="bilinear", align_corners=True)


def blur(value: Tensor, times: Tensor) -> Tensor:
    """Binomial blur (B, T, H, W), as often as ``times`` (B,) says, one to three times or so."""
    for turn in range(int(times.max())):
        wide = functional.pad(value, (1, 1, 1, 1), mode="replicate")
        wide = (wide[..., :-2] + wide[..., 2:] + 2 * wide[..., 1:-1]) / 4
        again = (wide[..., :-2, :] + wide[..., 2:, :] + 2 * wide[..., 1:-1, :]) / 4
        value = torch.where((times > turn)[:, None, None, None], again, value)
    return value


@dataclass(frozen=True, eq=False)
class _Sight:
    """Clips of one look: grey and labels (B, T, S, S), noise (B, 1, 1, 1), where their random numbers come from."""

    grey: Tensor
    labels: Tensor
    noise: Tensor
    fields: Fields

    def one(self, low: float, high: float) -> Tensor:
        """A number per clip, (B, 1, 1, 1)."""
        return self.fields.uniform(low, high, len(self.grey), 1, 1, 1)

    def white(self) -> Tensor:
        """White noise like the picture."""
        return self.fields.normal(*self.grey.shape)

    def smooth(self, frames: int, knots: int) -> Tensor:
        """Smooth noise like the picture."""
        clips, length, side, _ = self.grey.shape
        return self.fields.smooth(clips, length, (min(frames, length), knots), side)

    @property
    def axis(self) -> Tensor:
        """Pixel positions 0..1."""
        return torch.linspace(0, 1, self.grey.shape[-1], device=self.grey.device)


def _mr(sight: _Sight) -> tuple[Tensor, Tensor | None]:
    """Bias field; noise that is rectified where there is no signal."""
    field = (sight.smooth(1, 3) * sight.one(0.0, 0.25)).exp()
    return (sight.grey * field + sight.noise * sight.white()).abs(), None


def _ct(sight: _Sight) -> tuple[Tensor, Tensor | None]:
    """Noise that is correlated as a reconstruction kernel leaves it."""
    length, side = sight.grey.shape[1:3]
    grain = 0.6 * sight.smooth(length, side // 2) + 0.6 * sight.white()
    return sight.grey + sight.noise * grain, None


def _ultrasound(sight: _Sight) -> tuple[Tensor, Tensor | None]:
    """Speckle, wider than deep; a sector; attenuation; shadows behind what a beam does not pass."""
    length, side = sight.grey.shape[1:3]
    speckle = sight.smooth(length, side // 3) * 0.6 + 0.6 * sight.white()
    grey = sight.grey * (1 + (0.1 + 3 * sight.noise) * speckle) + 0.4 * sight.noise * sight.white()
    apex, above = sight.one(0.35, 0.65), sight.one(0.02, 0.5)
    down, aside = sight.axis[:, None] + above, sight.axis[None, :] - apex
    depth, angle = (down * down + aside * aside).sqrt() - above, aside / down
    open_ = sight.one(0.5, 1.1)
    far = sight.one(0.9, 1.15)
    seen = (angle.abs() < open_) & (depth < far) & (depth > 0)
    at = open_ * sight.one(-0.8, 0.8) + 0.03 * sight.smooth(2, 2).mean((2, 3), keepdim=True)
    dark = sight.one(-1.2, 0.85).clamp(min=0)  # two fifths have a shadow
    behind = torch.sigmoid((depth - sight.one(0.1, 0.7)) * 30)
    shadow = 1 - dark * behind * torch.exp(-(((angle - at) / sight.one(0.03, 0.12)) ** 2))
    fade = torch.exp(-depth * sight.one(0.0, 0.9))
    return grey * fade * shadow, seen.expand_as(grey)


def _endoscopy(sight: _Sight) -> tuple[Tensor, Tensor | None]:
    """Colours of tissue and things, vignette, specular spots, smoke. (B, T, 3, S, S)."""
    clips, length, side, _ = sight.grey.shape
    fields = sight.fields
    grey = (sight.grey + sight.noise * sight.white()).clamp(0, 1.2)[:, :, None]
    dark, bright = fields.uniform(0.0, 0.3, clips, 1, 3, 1, 1), fields.uniform(0.55, 1.0, clips, 1, 3, 1, 1)
    tissue = (sight.one(0, 1) < 0.6)[..., None] * torch.tensor([0.15, -0.15, -0.2], device=grey.device)[:, None, None]
    bright = bright + tissue
    # structures of half of the clips have tints of their own; in the others only light tells them from scenery
    hues = fields.uniform(-0.12, 0.12, clips, 8, 3) * (sight.one(0, 1)[:, 0] < 0.5)
    rows = torch.arange(clips, device=grey.device)[:, None, None, None]
    tint = hues[rows, sight.labels.long().clamp(max=7)].permute(0, 1, 4, 2, 3)
    ring = (sight.axis[:, None] - 0.5) ** 2 + (sight.axis[None, :] - 0.5) ** 2
    fall = 1 - ring * sight.one(0.0, 1.5)[..., None]
    colour = (dark + (bright - dark) * grey + tint) * fall
    shine = (fields.smooth(clips, length, (length, 24), side) + 0.5 * sight.grey > 3.0)[:, :, None]
    haze = sight.one(-1.0, 0.55).clamp(min=0) * torch.sigmoid(2 * sight.smooth(4, 4))  # a third of the clips
    colour = torch.maximum(colour, shine * 0.92)
    colour = colour + haze[:, :, None] * (0.75 - colour)
    seen = ring < sight.one(0.2, 0.75)
    return colour, seen.expand_as(sight.grey)


def _xray(sight: _Sight) -> tuple[Tensor, Tensor | None]:
    """What a beam leaves behind of its strength; the picture is of low contrast, bright or dark where it is weak."""
    through = torch.exp(-sight.one(0.8, 1.6) * sight.grey.clamp(min=-0.1))
    through = through + 0.45 * sight.noise * through.clamp(min=0).sqrt() * sight.white()
    scatter = sight.one(0.0, 0.25)
    through = (through + scatter) / (1 + scatter)
    return torch.where(sight.one(0, 1) < 0.5, through, 1.15 - through), None


LOOKS: dict[str, Callable[[_Sight], tuple[Tensor, Tensor | None]]] = {
    "mr": _mr, "ct": _ct, "ultrasound": _ultrasound, "endoscopy": _endoscopy, "xray": _xray,
}  # fmt: skip
_ANY = {"mr": 0.5, "ct": 0.25, "ultrasound": 0.1, "endoscopy": 0.15}


def look(grey: Tensor, noise: Tensor, random: Random, fields: Fields) -> Tensor:
    """Give clips looks at random that show all of the picture: (B, T, S, S) grey to (B, T, 3, S, S), 0..1.

    ``noise`` (B,) is the deviation of the noise that contrasts were chosen for.
    """
    chosen = random.choice(list(_ANY), size=len(grey), p=list(_ANY.values()))
    return looks(grey, torch.zeros_like(grey, dtype=torch.uint8), noise, [str(name) for name in chosen], fields, False)[
        0
    ]


def looks(
    grey: Tensor, labels: Tensor, noise: Tensor, names: Sequence[str], fields: Fields, framed: bool = True
) -> tuple[Tensor, Tensor]:
    """Give every clip the look of a modality.

    Parameters
    ----------
    grey, labels
        (B, T, S, S), as painted.
    noise
        (B,), the deviation of the noise that contrasts were chosen for.
    names
        A key of ``LOOKS`` for each clip.
    fields
        Where random numbers come from.
    framed
        Ultrasound has a sector and endoscopy a round field.

    Returns
    -------
    tuple of Tensor
        Images (B, T, 3, S, S) 0..1, and where a picture shows the scene, (B, T, S, S) bool.
    """
    images = grey.new_empty(*grey.shape[:2], 3, *grey.shape[2:])
    shown = torch.ones_like(labels, dtype=torch.bool)
    level = noise.to(grey)[:, None, None, None]
    for name, show in LOOKS.items():
        found = [row for row, own in enumerate(names) if own == name]
        if not found:
            continue
        at = torch.tensor(found, device=grey.device)
        picture, seen = show(_Sight(grey[at], labels[at], level[at], fields))
        seen = torch.ones_like(grey[at], dtype=torch.bool) if seen is None or not framed else seen
        flat = picture.flatten(1, 2) if picture.ndim == 5 else picture
        flat = blur(flat, fields.uniform(0, 3, len(found)).long()).clamp(0, 1.3)
        flat = flat ** fields.uniform(0.7, 1.4, len(found), 1, 1, 1)
        colour = flat.view(picture.shape) if picture.ndim == 5 else flat[:, :, None].expand(-1, -1, 3, -1, -1)
        images[at] = colour * seen[:, :, None]
        shown[at] = seen
    return images.clamp_(0, 1), shown
