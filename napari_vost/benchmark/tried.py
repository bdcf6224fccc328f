"""Numbers that confidence might use and does not, gathered beside what it does use.

They say how far the candidates of an answer differ, what memory attention reads, what the prompted memory alone makes
of a place, and how the mask has changed on the way.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch.nn.functional import cosine_similarity

from napari_vost.contracts import Answer, Choice, MemoryBank, MemoryPolicy, Prediction, TrackState
from napari_vost.masks import Mask
from napari_vost.metrics.overlap import iou
from napari_vost.recovery import tone_of
from napari_vost.search import look, square_on
from napari_vost.seeding import Seed
from napari_vost.sight import Engine, FrameView
from napari_vost.step import RowAnswer

TRIED = (
    "margin", "candidates agree", "memory entropy", "read of prompts", "pointer", "second opinion", "tone",
    "in own sizes", "trend of area", "drift of shape",
)  # fmt: skip
TREND = 3  # frames before this one that its area is compared with
FURTHEST = 3.0  # standard deviations beyond which two tones are as unlike as can be


class Watched:
    """A memory policy whose answers and reads are seen; all else is the other's. For one hypothesis per object."""

    def __init__(self, policy: MemoryPolicy) -> None:
        self._policy = policy
        self.wants_read = True
        self._reads: list[dict[str, float]] = []
        self.seen: list[dict[str, float]] = []  # of the newest frame, in the order of its rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._policy, name)

    def observe(self, bank: MemoryBank, read: Mapping[int, float]) -> MemoryBank:
        """Take down what was read; the bank stays as it is."""
        shares = np.array([*read.values()]) / max(sum(read.values()), 1e-9)
        entropy = -float((shares * np.log(np.maximum(shares, 1e-12))).sum()) / math.log(max(len(shares), 2))
        certain = {entry.entry_id for entry in bank.prompted}
        prompted = sum(share for entry, share in read.items() if entry in certain)
        self._reads.append({"memory entropy": -entropy, "read of prompts": prompted})
        return bank

    def choose(
        self, answer: Answer, predictions: tuple[Prediction | None, ...], state: TrackState
    ) -> tuple[Choice, ...]:
        """What the other policy chooses, taken down."""
        choices = self._policy.choose(answer, predictions, state)
        reads, self._reads = self._reads, []
        known = reads if len(reads) == len(choices) else [{}] * len(choices)
        self.seen = [
            read | _rivals(answer, choice) | _pointer(answer, choice, state)
            for read, choice in zip(known, choices, strict=True)
        ]
        return choices


def _rivals(answer: Answer, choice: Choice) -> dict[str, float]:
    """How far the chosen candidate is ahead of the next, and its least IoU with another."""
    affinity = answer.affinity[choice.parent]
    if len(affinity) < 2:
        return {}
    masks = answer.mask_logits[choice.parent] > 0
    chosen, union = masks[choice.candidate], (masks | masks[choice.candidate]).flatten(1).sum(1)
    ious = (masks & chosen).flatten(1).sum(1) / union.clamp(min=1)
    best = affinity.sort().values
    return {"margin": float(best[-1] - best[-2]), "candidates agree": float(ious.min())}


def _pointer(answer: Answer, choice: Choice, state: TrackState) -> dict[str, float]:
    """How like the object pointer is to that of a prompted frame."""
    here = answer.pointer[choice.parent, choice.candidate].float()
    shown = state.rows[choice.parent].bank.prompted
    return {"pointer": max(float(cosine_similarity(here, one.pointer.float(), dim=0)) for one in shown)}


class Looker:
    """What can be asked of an answer once it is there.

    Parameters
    ----------
    engine, seeds, spacing_mm_zyx
        Of the session; one prompted frame per object.
    """

    def __init__(self, engine: Engine, seeds: Mapping[int, Seed], spacing_mm_zyx: tuple[float, float, float]) -> None:
        self._engine, self._seeds, self._spacing = engine, seeds, spacing_mm_zyx
        self._areas: dict[tuple[int, int], list[int]] = {}
        self._kept: dict[tuple[int, int], float] = {}

    def look(self, answer: RowAnswer, frame: FrameView) -> dict[str, float]:
        """Numbers of a frame; frames of a leg are to come in their order. Nothing of an empty one."""
        shown = self._seeds[answer.object_id].entry
        leg = answer.object_id, 1 if frame.frame_index > shown.frame_index else -1
        areas = self._areas.setdefault(leg, [])
        areas.append(int(answer.mask.sum()))
        signs = answer.evidence.signs
        if signs is None or not areas[-1] or not shown.area_px:
            return {}
        self._kept[leg] = self._kept.get(leg, 0.0) + math.log(max(signs.overlap, 0.05))
        z, y, x = self._spacing
        found = {
            "second opinion": self._opinion(answer.mask, shown.region.height, frame, answer.object_id),
            "in own sizes": -math.log1p(answer.evidence.distance * z / math.sqrt(shown.area_px * y * x)),
        }
        tone = tone_of(frame.image, answer.mask)
        if tone is not None and shown.tone is not None:
            found["tone"] = -min(abs(tone[0] - shown.tone[0]) / max(shown.tone[1], 1e-6), FURTHEST)
        if frame.order == "time":  # nothing ends in cines
            return found
        found["drift of shape"] = self._kept[leg]
        before = areas[-1 - TREND : -1]
        if any(before):
            found["trend of area"] = -math.log(areas[-1] / float(np.mean(before)))
        return found

    def _opinion(self, mask: Mask, side: float, frame: FrameView, object_id: int) -> float:
        """Score of what the prompted memory alone finds there, times its IoU with the mask."""
        shown = self._seeds[object_id].entry
        (sighting,) = look(self._engine, [shown], frame, [square_on(mask, side, shown)])
        return sighting.score * iou(sighting.mask, mask)
