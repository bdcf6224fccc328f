"""The doors by which prompts come in: points, boxes, scribbles and masks, from what a user has at hand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from napari_vost.clip import Clip
from napari_vost.errors import PromptError
from napari_vost.masks import PackedMask
from napari_vost.types import BoxPrompt, MaskPrompt, PointPrompt, Prompt, ScribblePrompt


class PromptDoors(ABC):
    """One method per kind of prompt, for whoever can `add` prompts to a ``clip``."""

    clip: Clip

    @abstractmethod
    def add(self, *prompts: Prompt) -> None:
        """Add prompts as one step."""

    def add_point(
        self, frame_index: int, point_yx: tuple[float, float], object_id: int = 1, positive: bool = True
    ) -> None:
        """Click a pixel ``(y, x)``: inside the object, or outside it with ``positive=False``."""
        self.add(PointPrompt(frame_index, object_id, float(point_yx[0]), float(point_yx[1]), positive))

    def add_box(self, frame_index: int, box_yx: tuple[float, float, float, float], object_id: int = 1) -> None:
        """Draw a box ``(y0, x0, y1, x1)`` around the object; both corners belong to it."""
        y0, x0, y1, x1 = (float(value) for value in box_yx)
        self.add(BoxPrompt(frame_index, object_id, min(y0, y1), min(x0, x1), max(y0, y1), max(x0, x1)))

    def add_scribble(
        self, frame_index: int, points_yx: Sequence[tuple[float, float]], object_id: int = 1, positive: bool = True
    ) -> None:
        """Draw a stroke through pixels ``(y, x)``: inside the object, or outside it with ``positive=False``."""
        points = tuple((float(y), float(x)) for y, x in points_yx)
        self.add(ScribblePrompt(frame_index, object_id, points, positive))

    def add_mask(self, frame_index: int, mask: ArrayLike, object_id: int = 1) -> None:
        """Give the mask itself, bool (H, W). It is kept bit for bit; an empty one says that the object is not here."""
        self.add(self._mask_prompt(frame_index, mask, object_id))

    def _mask_prompt(self, frame_index: int, mask: ArrayLike, object_id: int) -> MaskPrompt:
        array = np.asarray(mask)
        if array.shape != self.clip.shape[1:]:
            raise PromptError(f"The mask has shape {array.shape}, the frames have {self.clip.shape[1:]}.")
        if array.dtype != bool and not np.isin(array, (0, 1)).all():
            raise PromptError("A mask holds only true and false, or 0 and 1: compare with a threshold first.")
        return MaskPrompt(frame_index, object_id, PackedMask.pack(array.astype(bool)))
