"""Answers with their evidence and the truth beside them: what confidence is fitted to and judged by.

Beside the evidence that confidence uses, further numbers are gathered that it might use (`tried`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast

from napari_vost.benchmark.scores import prompt_from_truth
from napari_vost.benchmark.tried import Looker, Watched
from napari_vost.cleanup import Cleanup, clean
from napari_vost.clip import Clip
from napari_vost.confidence import Evidence, Signs, confidence
from napari_vost.contracts import MemoryPolicy
from napari_vost.legs import Plan
from napari_vost.masks import Mask
from napari_vost.metrics.overlap import dice
from napari_vost.propagation import Reached, propagate
from napari_vost.seeding import Before, Seed, seed
from napari_vost.session import Session
from napari_vost.types import Prompt


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
    """

    truths: Mapping[int, Mask]
    prompted: Mapping[int, int]
    known: Collection[int]
    prompt: str
    extra: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    frames: tuple[int, int] | None = None


def witness(session: Session, exam: Exam) -> Iterator[Sample]:
    """Follow the objects of an exam in a fresh session, which lends its engine, and yield every answer that is judged.

    Frames behind the end of a structure, which are not followed any more, yield nothing.
    """
    seeds: dict[int, Seed] = {}
    for object_id, frame in exam.prompted.items():
        for at in (frame, *exam.extra.get(object_id, ())):
            truth = exam.truths[object_id][at]
            one = seed_of(session, prompt_from_truth(exam.prompt, truth, at, object_id), object_id)
            seeds.setdefault(object_id, one)
            if exam.prompt != "mask":
                yield Sample(one.evidence, dice(one.mask.unpack(), truth), True)
    found: dict[tuple[int, int], tuple[Evidence, Mask, dict[str, float]]] = {}
    for reached, tried in _follow(session, seeds, exam.frames):
        masks = clean(reached.answers, Cleanup())
        for answer, mask, numbers in zip(reached.answers, masks, tried, strict=True):
            found[answer.object_id, reached.frame_index] = answer.evidence, mask, numbers
    for (object_id, frame), (evidence, mask, numbers) in found.items():
        if frame in exam.known:
            truth = exam.truths[object_id][frame]
            yield Sample(evidence, dice(mask, truth), bool(truth.any()), numbers)


def seed_of(session: Session, prompt: Prompt, entry_id: int) -> Seed:
    """The answer to a prompt on a frame that was never reached."""
    return seed(session.engine, session.frame_view(prompt.frame_index), (prompt,), Before(), entry_id)


def _follow(
    session: Session, seeds: Mapping[int, Seed], frames: tuple[int, int] | None
) -> Iterator[tuple[Reached, list[dict[str, float]]]]:
    """What a propagation yields, and the numbers of its answers."""
    watched = Watched(session.engine.policy)
    engine = replace(session.engine, policy=cast(MemoryPolicy, watched))
    clip = session.clip
    looker = Looker(session.engine, seeds, clip.spacing_mm_zyx)
    for reached in propagate(engine, plan_of(clip, seeds, frames), session.frame_view):
        frame = session.frame_view(reached.frame_index)
        pairs = zip(reached.answers, list(watched.seen), strict=True)
        yield reached, [seen | looker.look(answer, frame) for answer, seen in pairs]


def plan_of(clip: Clip, seeds: Mapping[int, Seed], frames: tuple[int, int] | None) -> Plan:
    """Follow every object from its one prompted frame, both ways."""
    return Plan({one: (first,) for one, first in seeds.items()}, len(clip), clip.order, "both", frames)
