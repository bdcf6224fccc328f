"""Which frame lies where on the timeline: zoom, pan, ticks. Numbers only."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

FEWEST = 8  # frames across the whole width at the closest look
TICK_PX = 56  # least room for a number
_STEPS = (1, 2, 5, 10)


@dataclass(frozen=True)
class Scale:
    """Frames laid along ``width`` pixels; frame ``i`` covers ``[i, i + 1)``.

    Attributes
    ----------
    frames
        Number of frames of the clip, at least 1.
    width
        Pixels, at least 1.
    start
        What lies at pixel 0.
    shown
        How many frames are seen at once; 0 for all of them.
    """

    frames: int
    width: int
    start: float = 0.0
    shown: float = 0.0

    @property
    def span(self) -> float:
        """How many frames are seen at once."""
        return self.shown or float(self.frames)

    @property
    def pixels_per_frame(self) -> float:
        """Width of one frame."""
        return self.width / self.span

    def x(self, frame: float) -> float:
        """Pixel at which a frame begins; with ``frame + .5`` its middle."""
        return (frame - self.start) * self.pixels_per_frame

    def frame_at(self, x: float) -> int:
        """Frame under a pixel, the nearest one outside of the clip."""
        return int(np.clip(np.floor(self.start + x / self.pixels_per_frame), 0, self.frames - 1))

    def boundary_at(self, x: float) -> int:
        """Boundary between two frames that is nearest to a pixel, 0 to ``frames``."""
        return int(np.clip(np.round(self.start + x / self.pixels_per_frame), 0, self.frames))

    def zoomed(self, factor: float, x: float) -> Scale:
        """Frames ``factor`` times as wide; what lies at pixel ``x`` stays there."""
        span = float(np.clip(self.span / factor, min(FEWEST, self.frames), self.frames))
        under = self.start + x / self.pixels_per_frame
        return self._at(under - x * span / self.width, span)

    def panned(self, frames: float) -> Scale:
        """The view moved on by so many frames, as far as the clip goes."""
        return self._at(self.start + frames, self.span)

    def with_frame(self, frame_index: int) -> Scale:
        """The view moved no further than it takes to see a frame."""
        if self.start <= frame_index and frame_index + 1 <= self.start + self.span:
            return self
        edge = frame_index if frame_index < self.start else frame_index + 1 - self.span
        return self._at(edge, self.span)

    def whole(self) -> Scale:
        """All frames."""
        return replace(self, start=0.0, shown=0.0)

    def resized(self, width: int) -> Scale:
        """The same frames on another width."""
        return replace(self, width=max(1, width))

    def ticks(self) -> list[int]:
        """Frames whose number, counted from 1, is written: round ones, and the first."""
        room = TICK_PX / self.pixels_per_frame
        power = 10 ** int(np.floor(np.log10(max(room, 1.0))))
        step = next(one * power for one in _STEPS if one * power >= room)
        odd = int(step == 2)  # 1, 3, 5: beside a 1 there is no room for a 2
        first = int(np.floor(self.start)) // step * step + odd
        numbers = {max(1, number) for number in range(first, int(self.start + self.span) + 2, step)}
        return [number - 1 for number in sorted(numbers) if self.start <= number - 0.5 <= self.start + self.span]

    def _at(self, start: float, span: float) -> Scale:
        return replace(self, start=float(np.clip(start, 0.0, self.frames - span)), shown=span)
