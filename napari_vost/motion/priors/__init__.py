"""Motion priors, one file each. A name here, a class there; other packages add theirs by entry point."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from napari_vost.contracts import Facts, MotionPrior, Rule, first_that_applies
from napari_vost.errors import UnknownName

ENTRY_POINTS = "napari_vost.motion_priors"
_PRIORS = {
    "flow": "napari_vost.motion.priors.flow:Flow",
    "harmonic": "napari_vost.motion.priors.harmonic:Harmonic",
    "imm": "napari_vost.motion.priors.imm:Imm",
    "kalman": "napari_vost.motion.priors.kalman:Kalman",
    "points": "napari_vost.motion.priors.points:Points",
    "regression": "napari_vost.motion.priors.regression:Regression",
}

# What "auto" takes, the first that applies. Constant velocity is never taken: its published constants smooth the shape
# of a box so much that boxes which stay where they are often overlap the truth more.
RULES = (
    Rule("none", lambda clip: clip.order != "time", "Slices of a volume do not move: no motion prior."),
    Rule(
        "imm",
        lambda clip: clip.cycles is not None and clip.cycles >= 2,
        "A cine of {0.cycles:.1f} cycles: its rhythm, and constant velocity where that breaks.",
    ),
    Rule(
        "regression",
        lambda clip: clip.cycles is not None,
        "A cine of {0.cycles:.1f} cycles, too few to learn its rhythm: regression on its last frames.",
    ),
    Rule(
        "regression",
        lambda clip: clip.heart_rate_hz is not None and clip.frame_time_s is not None,
        "Frames cannot carry a cycle of {0.heart_rate_hz:g} Hz: regression on the last frames.",
    ),
    Rule("flow", lambda clip: True, "A cine without a known rate: the last mask is carried along by optical flow."),
)


def prior_names() -> tuple[str, ...]:
    """Names that `make_prior` knows."""
    return ("auto", "none", *sorted({*_PRIORS, *(point.name for point in entry_points(group=ENTRY_POINTS))}))


def make_prior(
    name: str,
    frame_time_s: float | None = None,
    heart_rate_hz: float | None = None,
    spacing_mm: tuple[float, float] = (1.0, 1.0),
) -> MotionPrior | None:
    """Make a motion prior; None for ``"none"``.

    Parameters
    ----------
    name
        A registered name or ``"none"``; for ``"auto"`` ask `choose_prior` first.
    frame_time_s, heart_rate_hz
        What the clip knows of time, None where it does not.
    spacing_mm
        Millimetres per (y, x) pixel.

    Raises
    ------
    UnknownName
        No such prior.
    InputError
        A periodic prior and a rate that the frame rate cannot carry.
    """
    if name == "none":
        return None
    found = {point.name: point.value for point in entry_points(group=ENTRY_POINTS)} | _PRIORS
    if name not in found:
        raise UnknownName("motion prior", name, prior_names())
    module, _, attribute = found[name].partition(":")
    prior: MotionPrior = getattr(import_module(module), attribute)(
        frame_time_s=frame_time_s, heart_rate_hz=heart_rate_hz, spacing_mm=spacing_mm
    )
    return prior


def choose_prior(facts: Facts) -> tuple[str, str]:
    """What ``"auto"`` takes for a clip, by what is known of it.

    Returns
    -------
    tuple
        Name of a prior and the reason, one sentence for the user.
    """
    return first_that_applies(RULES, facts)
