"""What motion priors share: how they are made, and the clock of a clip."""

from __future__ import annotations

from napari_vost.motion.signals import Clock


class BasePrior:
    """A motion prior as `make_prior` makes it.

    ``periodic`` is whether it follows a cycle in time, and so makes no sense through the slices of a volume; ``looks``
    whether it goes by images, and so knows little of frames that are not there yet.

    Parameters
    ----------
    frame_time_s
        Seconds per frame: makes uneven frame times count; None counts frames.
    heart_rate_hz
        Cycles per second, None where unknown; only periodic priors use it, and only with a frame time.
    spacing_mm
        Millimetres per (y, x) pixel; the priors of this package count pixels.
    """

    periodic = False
    looks = False

    def __init__(
        self,
        frame_time_s: float | None = None,
        heart_rate_hz: float | None = None,
        spacing_mm: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        self._clock = Clock(frame_time_s)
        self._prepare(frame_time_s, heart_rate_hz)

    def _prepare(self, frame_time_s: float | None, heart_rate_hz: float | None) -> None:
        """Make what a prior needs besides the clock; most need nothing."""
