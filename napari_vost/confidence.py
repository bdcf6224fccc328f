"""How sure an answer is: what was seen of it, turned into one number.

The number is the probability that Dice with the truth is .7 or more. What speaks for a followed answer was weighed by
the network's judge, who has seen the images too; a logistic sum makes a probability of its verdict, in cines together
with the weakest link of the track. The answer to a prompt has a sum of its own. Their constants belong to a set of
weights: they were fitted by ``benchmarks/confidence.py`` and lie beside them. Every weight is 0 or more and every term
rises with certainty.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any, Literal

from napari_vost.errors import WeightsError
from napari_vost.types import Order

GOOD_DICE = 0.7  # an answer this close to the truth, or closer, counts as good
FILE = "confidence.json"
Kind = Literal["slice", "frame", "empty frame", "prompted"]
_EDGE = 0.002  # shares closer to 0 or 1 than this say no more
_SETTLED = 3.0  # odds of sharpness above which an answer to a prompt is as good as a painted mask


@dataclass(frozen=True)
class Signs:
    """What a painted mask shows of its own quality.

    Attributes
    ----------
    affinity
        Predicted IoU, 0 to 1.
    sharpness
        Dice that the mask has if the probabilities of its pixels are right, 0 to 1: low where its border is blurred.
    firmness
        Mean logit of its pixels.
    overlap
        IoU with the mask before, the centre of one laid on that of the other: how much the shape has kept; 1 where
        there was none.
    size
        Natural logarithm of its area over that of the nearest prompted mask; 0 where that is empty.
    """

    affinity: float
    sharpness: float
    firmness: float
    overlap: float
    size: float

    def lowest(self, other: Signs | None) -> Signs:
        """The lower of the two, sign by sign."""
        return self if other is None else Signs(*map(min, astuple(self), astuple(other)))


@dataclass(frozen=True)
class Evidence:
    """What is known of one answer.

    Attributes
    ----------
    affinity, occurrence
        As in `Scores`.
    signs
        Of the mask; None where nothing was painted.
    lowest
        The lowest signs from the answer on the prompted frame on, this one included; None before anything was painted.
    distance
        Frames to the nearest prompted one; 0 on a prompted frame itself.
    motion
        As in `Scores`; None without a motion prior.
    order
        Of the clip: far from the prompt slices end, while a cine goes on.
    start
        Sharpness of the answer to the prompt that it was followed from; 1 where that was painted, None where nothing
        was found there.
    judged
        Log odds that the network's judge gives it; None where there is none.
    """

    affinity: float
    occurrence: float
    signs: Signs | None = None
    lowest: Signs | None = None
    distance: int = 0
    motion: float | None = None
    order: Order = "depth"
    start: float | None = None
    judged: float | None = None

    @property
    def kind(self) -> Kind:
        """Which sum weighs it: of a slice, of a cine's frame, painted or left empty, or of the answer to a prompt."""
        if self.distance == 0:
            return "prompted"
        if self.order == "depth":
            return "slice"
        return "frame" if self.signs is not None else "empty frame"


def _odds(share: float) -> float:
    held = min(max(share, _EDGE), 1 - _EDGE)
    return math.log(held / (1 - held))


def _own(read: Callable[[Signs], float]) -> Callable[[Evidence], float | None]:
    return lambda evidence: None if evidence.signs is None else read(evidence.signs)


def _worst(read: Callable[[Signs], float]) -> Callable[[Evidence], float | None]:
    return lambda evidence: None if evidence.lowest is None else read(evidence.lowest)


TERMS: Mapping[str, Callable[[Evidence], float | None]] = {  # each rises with certainty; None where nobody knows
    "affinity": lambda evidence: _odds(evidence.affinity),
    "occurrence": lambda evidence: min(max(evidence.occurrence, -10.0), 10.0),
    "absence": lambda evidence: -min(max(evidence.occurrence, -10.0), 10.0),
    "sharpness": _own(lambda signs: _odds(signs.sharpness)),
    "firmness": _own(lambda signs: signs.firmness),
    "overlap": _own(lambda signs: signs.overlap),
    "lowest affinity": _worst(lambda signs: _odds(signs.affinity)),
    "lowest sharpness": _worst(lambda signs: _odds(signs.sharpness)),
    "lowest firmness": _worst(lambda signs: signs.firmness),
    "lowest overlap": _worst(lambda signs: signs.overlap),
    "tapered": _worst(lambda signs: -min(max(signs.size, -3.0), 0.0)),
    "start": lambda evidence: None if evidence.start is None else min(_odds(evidence.start), _SETTLED),
    "nearness": lambda evidence: -math.log1p(evidence.distance),
    "motion": lambda evidence: evidence.motion,
    "judged": lambda evidence: evidence.judged,
}
WEIGHED: Mapping[Kind, tuple[str, ...]] = {
    "slice": ("judged",),
    "frame": ("judged", "lowest sharpness", "start"),  # a track in time is no better than its worst link
    "empty frame": ("judged", "absence", "tapered", "nearness"),  # of a lost object the judge alone says too much
    "prompted": ("affinity", "occurrence", "sharpness", "firmness"),
}


@dataclass(frozen=True)
class Term:
    """One summand: ``weight * (value - typical)``; 0 where the value is missing."""

    name: str
    weight: float
    typical: float


@dataclass(frozen=True)
class LogisticSum:
    """A bias and terms."""

    bias: float
    terms: tuple[Term, ...]

    def probability(self, evidence: Evidence) -> float:
        """The number, 0 to 1."""
        total = self.bias
        for term in self.terms:
            value = TERMS[term.name](evidence)
            if value is not None:
                total += term.weight * (value - term.typical)
        return _sigmoid(total)


@dataclass(frozen=True)
class Calibration:
    """The sums of one set of weights, known by its fingerprint, one per kind of answer."""

    weights: str
    sums: Mapping[Kind, LogisticSum]


def confidence(evidence: Evidence, calibration: Calibration | None) -> float:
    """Probability that an answer has a Dice of .7 or more, 0 to 1; of a frame left empty, that it is empty.

    Parameters
    ----------
    evidence
        What is known of the answer.
    calibration
        Of the network that gave it. None, for a network that nobody calibrated: affinity times the probability of
        being there (or of not being there where nothing was painted), which ranks answers but is no probability. The
        same holds for a followed answer that no judge has seen.
    """
    if calibration is not None and (evidence.kind == "prompted" or evidence.judged is not None):
        return calibration.sums[evidence.kind].probability(evidence)
    present = _sigmoid(evidence.occurrence)
    return evidence.affinity * present if evidence.occurrence > 0 else 1.0 - present


def save_calibration(calibration: Calibration, folder: Path) -> None:
    """Write ``confidence.json`` beside the weights that it belongs to."""
    (folder / FILE).write_text(json.dumps(asdict(calibration), indent=1) + "\n", encoding="utf-8")


def load_calibration(folder: Path, fingerprint: str) -> Calibration | None:
    """The calibration that lies beside weights; None where there is none, or it was made for others.

    Raises
    ------
    WeightsError
        The file is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        sums = {kind: _read_sum(known["sums"][kind]) for kind in WEIGHED}
        return Calibration(fingerprint, sums) if known["weights"] == fingerprint else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path} is no calibration ({error}): install again, or delete it to go without.") from error


def _read_sum(known: Mapping[str, Any]) -> LogisticSum:
    terms = tuple(Term(str(one["name"]), float(one["weight"]), float(one["typical"])) for one in known["terms"])
    for term in terms:
        if term.name not in TERMS or not term.weight >= 0:
            raise ValueError(f"{term.name!r} with weight {term.weight:g} is no term")
    return LogisticSum(float(known["bias"]), terms)


def _sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(max(value, -60.0), 60.0)))
