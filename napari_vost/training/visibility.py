"""How much of a structure's edge can be seen."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

_REACH = 4  # pixels on either side of an edge that are compared
_LEAST = 1.5


def visible_share(image: Tensor, mask: Tensor) -> float:
    """Share of a mask's edge where inside and outside differ by 1.5 times the noise or more.

    Parameters
    ----------
    image
        (C, H, W); of several channels the one counts, edge pixel by edge pixel, that shows the most.
    mask
        (H, W) bool.

    Returns
    -------
    float
        0..1; 0 where there is no edge with at least 8 pixels of each side nearby.

    Notes
    -----
    Means are taken over 9 x 9 pixels around an edge pixel, without those next to the edge. Noise is the median along
    the edge of the deviation within the two sides.
    """
    mask, image = _around(mask, image)
    inner, outer = mask.float()[None, None], 1 - mask.float()[None, None]
    edge = (inner * functional.max_pool2d(outer, 3, 1, 1))[0, 0] > 0
    sides = [1 - functional.max_pool2d(1 - side, 3, 1, 1) for side in (inner, outer)]
    picture = image.float()[:, None]
    window = 2 * _REACH + 1
    means, spreads, enough = [], [], edge
    for side in sides:
        count = functional.avg_pool2d(side, window, 1, _REACH)
        mean = functional.avg_pool2d(picture * side, window, 1, _REACH) / count.clamp(min=1e-6)
        square = functional.avg_pool2d(picture**2 * side, window, 1, _REACH) / count.clamp(min=1e-6)
        means.append(mean[:, 0])
        spreads.append((square - mean**2)[:, 0].clamp(min=0))
        enough = enough & (count[0, 0] * window**2 >= 8 - 1e-3)
    if not enough.any():
        return 0.0
    apart = (means[0] - means[1]).abs()[:, enough]
    noise = ((spreads[0] + spreads[1]) / 2).sqrt()[:, enough].median(1, keepdim=True).values
    return float((apart / noise.clamp(min=1e-6)).amax(0).ge(_LEAST).float().mean())


def _around(mask: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
    """The part of a mask and its image that matters."""
    spans = []
    for axis in (1, 0):
        found = mask.any(axis).nonzero()[:, 0].tolist() or [0]
        spans.append(slice(max(0, found[0] - 2 * _REACH), found[-1] + 2 * _REACH + 1))
    return mask[spans[0], spans[1]], image[:, spans[0], spans[1]]
