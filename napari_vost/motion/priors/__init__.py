"""Motion priors, one file each. A name here, a class there; other packages add theirs by entry point."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from napari_vost.contracts import MotionPrior
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
AUTO = "none"


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
        A registered name, ``"auto"`` or ``"none"``.
    frame_time_s, heart_rate_hz
        What the clip knows of time, None where it does not.
    spacing_mm
        Millimetres per (y, x) pixel.

    Raises
    ------
    UnknownName
        No such prior.
    """
    chosen = AUTO if name == "auto" else name
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
