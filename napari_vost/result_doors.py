"""The doors by which results leave: masks of a frame, scores, label map, segmentation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_vost.cleanup import without_overlap
from napari_vost.clip import Clip
from napari_vost.engine import EngineOptions
from napari_vost.history import Ledger
from napari_vost.label_map import LabelMap
from napari_vost.masks import Mask, PackedMask
from napari_vost.prompt_rules import check_frame
from napari_vost.types import Label, Scores, Segmentation


class ResultDoors:
    """What stands in a ledger now, in the forms that others take."""

    clip: Clip
    options: EngineOptions
    model: str
    labels: dict[int, Label]
    ledger: Ledger

    @property
    def object_ids(self) -> tuple[int, ...]:
        """Objects that have a prompt or a mask, rising."""
        return self.ledger.object_ids

    def preview(self, frame_index: int) -> dict[int, Mask]:
        """Masks of a frame as they are now, bool (H, W) by object id."""
        check_frame(frame_index, len(self.clip))
        found = {place[0]: kept for place, kept in list(self.ledger.kept.items()) if place[1] == frame_index}
        return {object_id: found[object_id].mask.unpack() for object_id in sorted(found)}

    def label_map(self, dense: bool = False) -> LabelMap | NDArray[np.uint16]:
        """Label map (T, H, W) of object ids: a lazy array, or with ``dense=True`` a uint16 array."""
        lazy = LabelMap(self.segmentation())
        return np.asarray(lazy) if dense else lazy

    def segmentation(self) -> Segmentation:
        """Masks with geometry, names and codes: what exporters and metrics take."""
        from napari_vost import __version__

        masks: dict[int, dict[int, PackedMask]] = {object_id: {} for object_id in self.object_ids}
        for (object_id, frame_index), kept in list(self.ledger.kept.items()):
            if not kept.mask.empty:
                masks[object_id][frame_index] = kept.mask
        if self.options.cleanup.non_overlap:
            masks = without_overlap(masks)
        labels = {one: self.labels.get(one, Label(f"Object {one}")) for one in masks}
        clip = self.clip
        return Segmentation(
            clip.shape, masks, labels, clip.order, clip.geometry, clip.source, clip.frame_times_s,
            ("napari-vost", f"{__version__} {self.model}"), clip.notices,
        )  # fmt: skip

    def scores(self, frame_index: int) -> dict[int, Scores]:
        """Scores of a frame by object id."""
        return {place[0]: kept.scores for place, kept in sorted(self.ledger.kept.items()) if place[1] == frame_index}
