"""Answers put before the network's judge, beside what the user showed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from napari_vost.confidence import Evidence
from napari_vost.contracts import EXHIBIT_SIDE, Exhibit, MemoryEntry, TrackRow
from napari_vost.features.intensity import to_unit
from napari_vost.features.region import crop, crop_logits
from napari_vost.masks import Mask
from napari_vost.sight import Engine, FrameView
from napari_vost.types import Region


def portrait(engine: Engine, frame: FrameView, region: Region, mask: Mask) -> Tensor | None:
    """What a judge is to know of a prompted frame: values and coverage of its region, (2, 64, 64), 0 to 1.

    Parameters
    ----------
    engine, frame, region
        Who looks at what.
    mask
        (H, W) of the object.

    Returns
    -------
    Tensor or None
        On the device of the network; None where the network has no judge, or the object is not there.
    """
    if engine.network.traits.judge is None or not mask.any():
        return None
    held = _small(torch.from_numpy(mask).float()[None], region)
    return torch.stack([_values(engine, frame, region), held]).to(engine.network.device, torch.float16)


def judged(
    engine: Engine,
    frame: FrameView,
    rows: Sequence[TrackRow],
    regions: Sequence[Region],
    logits: Tensor,
    evidence: Sequence[Evidence],
) -> list[Evidence]:
    """Evidence of the answers of a frame, with what the network's judge says of each.

    Parameters
    ----------
    engine, frame
        Who answered, and where.
    rows, regions
        Per answer the row as it was before, and what was looked at.
    logits
        (B, 1, s, s) mask logits of the answers in their regions, ungated.
    evidence
        Of each answer.

    Returns
    -------
    list
        The same where the network has no judge, or nobody showed the object in this clip.
    """
    judge = engine.network.traits.judge
    if judge is None:
        return list(evidence)
    device = engine.network.device
    values = {region: _values(engine, frame, region).to(device) for region in dict.fromkeys(regions)}
    places, exhibits = [], []
    for place, (row, region) in enumerate(zip(rows, regions, strict=True)):
        shown = _nearest_portrait(row.bank.prompted, frame.frame_index)
        if shown is not None:
            before = None if row.mask_logits is None else crop_logits(row.mask_logits, row.region, region)
            places.append(place)
            exhibits.append(
                Exhibit(evidence[place], values[region], _fitted(logits[place]), _fitted(before, device), *shown)
            )
    found = list(evidence)
    for place, verdict in zip(places, judge.judge(exhibits), strict=True):
        found[place] = replace(found[place], judged=verdict)
    return found


def _nearest_portrait(prompted: Sequence[MemoryEntry], frame_index: int) -> tuple[Tensor, Tensor] | None:
    known = [entry for entry in prompted if entry.portrait is not None]
    if not known:
        return None
    nearest = min(known, key=lambda one: abs(one.frame_index - frame_index)).portrait
    return None if nearest is None else (nearest[0].float(), nearest[1].float())


def _values(engine: Engine, frame: FrameView, region: Region) -> Tensor:
    return _small(to_unit(frame.image, engine.window), region)


def _small(image: Tensor, region: Region) -> Tensor:
    """A region of an image (C, H, W), channels averaged, (64, 64)."""
    twice = crop(image, region, 2 * EXHIBIT_SIDE).mean(0, keepdim=True)
    return avg_pool2d(twice[None], 2)[0, 0]


def _fitted(logits: Tensor | None, device: torch.device | None = None) -> Tensor:
    """Logits (1, s, s) as (64, 64); 0 where there are none."""
    if logits is None:
        return torch.zeros((EXHIBIT_SIDE, EXHIBIT_SIDE), device=device)
    if logits.shape[-1] == EXHIBIT_SIDE:
        return logits[0].float()
    return interpolate(logits[None].float(), (EXHIBIT_SIDE, EXHIBIT_SIDE), mode="area")[0, 0]
