"""Motion priors, one file each. A name here, a class there; other packages add theirs by entry point."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from napari_vost.contracts import MotionPrior
from napari_vost.errors import UnknownName
from napari_vost.types import Order

ENTRY_POINTS = "napari_vost.motion_priors"
_PRIORS = {
    "flow": "napari_vost.motion.priors.flow:Flow",
    "harmonic": "napari_vost.motion.priors.harmonic:Harmonic",
    "imm": "napari_vost.motion.priors.imm:Imm",
    "kalman": "napari_vost.motion.priors.kalman:Kalman",
    "points": "napari_vost.motion.priors.points:Points",
    "regression": "napari_vost.motion.priors.regression:Regression",
}


def prior_names() -> tuple[str, ...]:
    """Names that `make_prior` knows."""
    return ("auto", "none", *sorted({*_PRIORS, *(point.name for point in entry_points(group=ENTRY_POINTS))}))


def make_prior(
    name: str,
    frame_time_s: float | None = None,
    heart_rate_hz: float | None = None,
    spacing_mm: tuple[float, float] = (1.0, 1.0),
    order: Order | None = None,
) -> MotionPrior | None:
    """Make a motion prior; None for ``"none"``.

    Parameters
    ----------
    name
        A registered name, ``"auto"`` or ``"none"``.
    frame_time_s, heart_rate_hz
        What the clip knows of time, None where it does not.
    spacing_mm
        Millimetres per (y, x) pixel.
    order
        What the frames are, for ``"auto"``; None where unknown.

    Raises
    ------
    UnknownName
        No such prior.
    InputError
        A periodic prior and a rate that the frame rate cannot carry.
    """
    chosen = choose_prior(order, frame_time_s, heart_rate_hz)[0] if name == "auto" else name
    if chosen == "none":
        return None
    found = {point.name: point.value for point in entry_points(group=ENTRY_POINTS)} | _PRIORS
    if chosen not in found:
        raise UnknownName("motion prior", name, prior_names())
    module, _, attribute = found[chosen].partition(":")
    prior: MotionPrior = getattr(import_module(module), attribute)(
        frame_time_s=frame_time_s, heart_rate_hz=heart_rate_hz, spacing_mm=spacing_mm
    )
    return prior


def choose_prior(order: Order | None, frame_time_s: float | None, heart_rate_hz: float | None) -> tuple[str, str]:
    """What ``"auto"`` takes for a clip, by what is known of it.

    Constant velocity is never taken: its published constants smooth the shape of a box so much that boxes which stay
    where they are often overlap the truth more.

    Returns
    -------
    tuple
        Name of a prior and the reason, one sentence for the user.
    """
    if order != "time":
        return "none", "Slices of a volume do not move: no motion prior."
    if heart_rate_hz is None or frame_time_s is None:
        return "regression", "A cine without a known rate: regression on its last frames."
    if heart_rate_hz * frame_time_s > 0.5 or heart_rate_hz <= 0:
        return "regression", f"Frames cannot carry a cycle of {heart_rate_hz:g} Hz: regression on the last frames."
    return "imm", f"A cine with a cycle of {heart_rate_hz:g} Hz: its rhythm, and constant velocity where that breaks."
