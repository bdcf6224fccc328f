"""What an engine is, what a frame is to it, and how a frame is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor

from napari_vost.clip import Window
from napari_vost.contracts import Chosen, ImageFeatures, MemoryPolicy, MotionPrior, Network
from napari_vost.errors import Cancelled
from napari_vost.features.intensity import to_unit
from napari_vost.features.region import crop
from napari_vost.features.store import FeatureStore
from napari_vost.memory.attention import MemoryReader
from napari_vost.types import Image, Order, Region


def never() -> bool:
    """A job that nobody cancels."""
    return False


@dataclass(frozen=True, eq=False)
class Engine:
    """The parts of one tracking engine, already made for each other.

    Attributes
    ----------
    network, policy, prior, reader
        Past, present and future; ``prior`` may be None.
    features
        Store of encoded frames.
    window
        Maps frame values to 0..1, None for 8-bit frames.
    region
        ``"auto"``: a crop that follows the object; ``"full"``: the whole frame, squashed to the input.
    sam2
        SAM 2's own semantics to the letter: an object that the user points at may still be called absent.
    cancelled
        Asked between the stages of a frame.
    chosen
        Names of policy and prior, and why ``"auto"`` took them.
    """

    network: Network
    policy: MemoryPolicy
    reader: MemoryReader
    features: FeatureStore
    prior: MotionPrior | None = None
    window: Window | None = None
    region: Literal["auto", "full"] = "full"
    sam2: bool = False
    cancelled: Callable[[], bool] = never
    chosen: Chosen = field(default_factory=Chosen)

    @property
    def cells(self) -> int:
        """Tokens along a side of the input."""
        return self.network.traits.input_size // self.network.traits.memory_stride

    def check(self) -> None:
        """Raise `Cancelled` if the user stopped the job."""
        if self.cancelled():
            raise Cancelled("Stopped; everything up to the frame before is kept.")


@dataclass(frozen=True, eq=False)
class FrameView:
    """One frame as the engine is given it.

    Attributes
    ----------
    frame_index, time_s
        Which one, and when (None where unknown or for depth).
    image
        (H, W) or (H, W, 3) values as read.
    order, length
        Of the clip.
    """

    frame_index: int
    image: Image
    order: Order
    length: int
    time_s: float | None = None

    @property
    def size(self) -> tuple[int, int]:
        """``(H, W)``."""
        return int(self.image.shape[0]), int(self.image.shape[1])


def see(engine: Engine, frame: FrameView, regions: Sequence[Region]) -> tuple[ImageFeatures, Tensor]:
    """Features of the distinct regions of a frame (from the store where possible), and which one each row reads."""
    distinct = list(dict.fromkeys(regions))
    keys = [(frame.frame_index, region) for region in distinct]
    found = [engine.features.get(key) for key in keys]
    missing = [index for index, features in enumerate(found) if features is None]
    if missing:
        traits, device = engine.network.traits, engine.network.device
        unit = to_unit(frame.image, engine.window)
        mean, deviation = torch.tensor(traits.mean)[:, None, None], torch.tensor(traits.std)[:, None, None]
        crops = [(crop(unit, distinct[index], traits.input_size) - mean) / deviation for index in missing]
        made = engine.network.see(torch.stack(crops).to(device))
        for place, index in enumerate(missing):
            one = replace(made, levels=tuple(level[place : place + 1] for level in made.levels))
            found[index] = one
            engine.features.put(keys[index], one)
    images = [features for features in found if features is not None]
    levels = tuple(torch.cat(parts) for parts in zip(*(image.levels for image in images), strict=True))
    image_row = torch.tensor([distinct.index(region) for region in regions], device=levels[0].device)
    return ImageFeatures(levels, images[0].position), image_row
