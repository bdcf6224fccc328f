"""Answers with their evidence and the truth beside them: what confidence is fitted to and judged by.

Beside the evidence that confidence uses, further numbers are gathered that it might use: how far the candidates of an
answer differ, what memory attention reads, and what a second pass says, back from the last frame of each leg.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast

import numpy as np

from napari_vost.benchmark.scores import prompt_from_truth
from napari_vost.cleanup import Cleanup, clean
from napari_vost.confidence import Evidence, Signs, confidence
from napari_vost.contracts import Answer, Choice, MemoryBank, MemoryPolicy, Prediction, TrackState
from napari_vost.masks import Mask, PackedMask
from napari_vost.metrics.overlap import dice
from napari_vost.propagation import Plan, Reached, propagate
from napari_vost.seeding import Before, Seed, seed
from napari_vost.session import Session
from napari_vost.types import Direction, MaskPrompt, Prompt

TRIED = ("margin", "candidates agree", "memory entropy", "read of prompts", "way back", "way back home")


@dataclass(frozen=True)
class Sample:
    """One answer that can be judged.

    Attributes
    ----------
    evidence
        What confidence is made of.
    dice
        With the truth; both empty is 1.
    held
        Whether the truth holds the object.
    tried
        Numbers of `TRIED` where they were gathered, each rising with certainty.
    """

    evidence: Evidence
    dice: float
    held: bool
    tried: Mapping[str, float] = field(default_factory=dict)

    @property
    def plain(self) -> float:
        """Confidence without a calibration."""
        return confidence(self.evidence, None)


def facts_of(sample: Sample) -> dict[str, Any]:
    """A sample, ready for JSON."""
    return asdict(sample)


def sample_of(facts: Mapping[str, Any]) -> Sample:
    """A sample as `facts_of` wrote it."""
    known = dict(facts["evidence"])
    for name in ("signs", "lowest"):
        known[name] = None if known[name] is None else Signs(**known[name])
    return Sample(Evidence(**known), facts["dice"], facts["held"], facts["tried"])


class _Watched:
    """A memory policy whose answers and reads are seen; all else is the other's. For one hypothesis per object."""

    def __init__(self, policy: MemoryPolicy) -> None:
        self._policy = policy
        self.wants_read = True
        self._reads: list[dict[str, float]] = []
        self.seen: list[dict[str, float]] = []  # of the newest frame, in the order of its rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._policy, name)

    def observe(self, bank: MemoryBank, read: Mapping[int, float]) -> MemoryBank:
        shares = np.array([*read.values()]) / max(sum(read.values()), 1e-9)
        entropy = -float((shares * np.log(np.maximum(shares, 1e-12))).sum()) / math.log(max(len(shares), 2))
        certain = {entry.entry_id for entry in bank.prompted}
        prompted = sum(share for entry, share in read.items() if entry in certain)
        self._reads.append({"memory entropy": -entropy, "read of prompts": prompted})
        return bank

    def choose(
        self, answer: Answer, predictions: tuple[Prediction | None, ...], state: TrackState
    ) -> tuple[Choice, ...]:
        choices = self._policy.choose(answer, predictions, state)
        reads, self._reads = self._reads, []
        self.seen = [
            reads[row] | _rivals(answer, choice) if len(reads) == len(choices) else _rivals(answer, choice)
            for row, choice in enumerate(choices)
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


@dataclass(frozen=True, eq=False)
class Exam:
    """What is followed, and how.

    Attributes
    ----------
    truths
        Masks (T, H, W) by object id.
    prompted
        Prompted frame by object id.
    known
        Frames whose truth is known.
    prompt
        ``"mask"``, ``"box"`` or ``"point"``.
    extra
        Further frames by object id whose prompts are answered, but not followed.
    frames
        Half-open range that is followed; None for all.
    way_back
        Whether a second pass goes back from the last painted frame of every leg.
    """

    truths: Mapping[int, Mask]
    prompted: Mapping[int, int]
    known: Collection[int]
    prompt: str
    extra: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    frames: tuple[int, int] | None = None
    way_back: bool = False


def witness(session: Session, exam: Exam) -> Iterator[Sample]:
    """Follow the objects of an exam in a fresh session, which lends its engine, and yield every answer that is judged.

    Frames behind the end of a structure, which are not followed any more, yield nothing.
    """
    seeds: dict[int, Seed] = {}
    for object_id, frame in exam.prompted.items():
        for at in (frame, *exam.extra.get(object_id, ())):
            truth = exam.truths[object_id][at]
            one = _seed(session, prompt_from_truth(exam.prompt, truth, at, object_id), object_id)
            seeds.setdefault(object_id, one)
            if exam.prompt != "mask":
                yield Sample(one.evidence, dice(one.mask.unpack(), truth), True)
    found: dict[tuple[int, int], tuple[Evidence, Mask, dict[str, float]]] = {}
    for reached, tried in _follow(session, seeds, "both", exam.frames):
        masks = clean(reached.answers, Cleanup())
        for answer, mask, numbers in zip(reached.answers, masks, tried, strict=True):
            found[answer.object_id, reached.frame_index] = answer.evidence, mask, numbers
    masks_found = {place: mask for place, (_, mask, _) in found.items()}
    back = _ways_back(session, exam, masks_found) if exam.way_back else {}
    for (object_id, frame), (evidence, mask, numbers) in found.items():
        if frame in exam.known:
            truth = exam.truths[object_id][frame]
            tried_here = numbers | back.get((object_id, frame), {})
            yield Sample(evidence, dice(mask, truth), bool(truth.any()), tried_here)


def _seed(session: Session, prompt: Prompt, entry_id: int) -> Seed:
    return seed(session.engine, session.frame_view(prompt.frame_index), (prompt,), Before(), entry_id)


def _follow(
    session: Session, seeds: Mapping[int, Seed], direction: Direction, frames: tuple[int, int] | None
) -> Iterator[tuple[Reached, list[dict[str, float]]]]:
    """What a propagation yields, and the numbers of its answers."""
    watched = _Watched(session.engine.policy)
    engine = replace(session.engine, policy=cast(MemoryPolicy, watched))
    clip = session.clip
    plan = Plan({one: (first,) for one, first in seeds.items()}, len(clip), clip.order, direction, frames)
    for reached in propagate(engine, plan, session.frame_view):
        yield reached, watched.seen


def _ways_back(
    session: Session, exam: Exam, found: Mapping[tuple[int, int], Mask]
) -> dict[tuple[int, int], dict[str, float]]:
    """Dice of every answer with what is found on the way back to it, and of the prompted mask with the return to it."""
    numbers: dict[tuple[int, int], dict[str, float]] = {}
    for sign, home in ((1, "backward"), (-1, "forward")):
        painted: dict[int, int] = {}
        for (object_id, frame), mask in found.items():
            if mask.any() and (frame - exam.prompted[object_id]) * sign > 0:
                painted[object_id] = max(painted.get(object_id, frame), frame, key=lambda one: one * sign)
        turned = {
            object_id: _seed(session, MaskPrompt(frame, object_id, PackedMask.pack(found[object_id, frame])), object_id)
            for object_id, frame in painted.items()
        }
        if not turned:
            continue
        on_way = {
            (answer.object_id, reached.frame_index): answer.mask
            for reached, _ in _follow(session, turned, cast(Direction, home), exam.frames)
            for answer in reached.answers
        }
        for object_id, frame in painted.items():
            start = exam.prompted[object_id]
            returned = on_way.get((object_id, start))
            truth = exam.truths[object_id][start]
            kept = {} if returned is None else {"way back home": dice(returned, truth)}
            for at in range(start + sign, frame + sign, sign):
                here, again = found.get((object_id, at)), on_way.get((object_id, at))
                agreed = {} if here is None or again is None else {"way back": dice(here, again)}
                numbers[object_id, at] = kept | agreed
    return numbers
