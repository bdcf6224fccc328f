"""The other side of the speed test: the inference session of transformers, on the same weights.

The only place outside `model` that touches transformers: what is measured here is theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from napari_vost.benchmark.clock import tensor_bytes
from napari_vost.errors import InputError
from napari_vost.masks import Mask

if TYPE_CHECKING:
    from transformers import Sam2VideoModel


def random_model(name: str, size: int, device: str = "cpu", seed: int = 0) -> Sam2VideoModel:
    """A published architecture with random weights, for speed: nothing is fetched.

    Parameters
    ----------
    name
        Registry name of the SAM 2 family.
    size
        Side of its input, a multiple of 32.
    device, seed
        Where, and of the weights.

    Raises
    ------
    InputError
        A model of another family, or a size that is no multiple of 32.
    """
    from dataclasses import replace

    from transformers import Sam2VideoModel

    from napari_vost.model.checkpoints import sam2_config
    from napari_vost.model.registry import find

    architecture = find(name).architecture
    if architecture is None:
        raise InputError(f"{name} is not of the SAM 2 family: only those can be compared with transformers.")
    if size < 64 or size % 32:
        raise InputError(f"The size must be a multiple of 32 from 64 on, got {size}.")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Sam2VideoModel(sam2_config(replace(architecture, input_size=size)))
    return model.eval().to(device)


class Rival:
    """transformers' inference session over frames that it holds, prompted with masks on frame 0.

    Parameters
    ----------
    model
        ``Sam2VideoModel``.
    pixels
        (T, 3, S, S) normalised frames.
    masks
        (S, S) per object.
    """

    def __init__(self, model: Sam2VideoModel, pixels: Tensor, masks: Sequence[Mask]) -> None:
        from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

        self._model: Any = model
        side = int(pixels.shape[-1])
        self._session: Any = Sam2VideoInferenceSession(
            video=pixels,
            video_height=side,
            video_width=side,
            inference_device=pixels.device,
            inference_state_device=pixels.device,
            video_storage_device=pixels.device,
            dtype=torch.float32,
        )
        for row, mask in enumerate(masks):
            self._session.obj_id_to_idx(row + 1)
            self._session.add_mask_inputs(row, 0, torch.from_numpy(mask)[None, None])
            self._session.obj_with_new_inputs.append(row + 1)
        self._model(self._session, frame_idx=0)

    def fill(self, frames: int) -> None:
        """Copy the memory of frame 0 to the frames after it, so that the next frame reads a full bank."""
        for row, outputs in self._session.output_dict_per_obj.items():
            first = outputs["cond_frame_outputs"][0]
            for frame in range(1, frames + 1):
                outputs["non_cond_frame_outputs"][frame] = dict(first)
                self._session.frames_tracked_per_obj[row][frame] = {"reverse": False}

    def step(self, frame_index: int) -> None:
        """Track all objects to one more frame."""
        self._model(self._session, frame_idx=frame_index)

    @property
    def state_bytes(self) -> int:
        """What it keeps of the frames that it has tracked."""
        return tensor_bytes(dict(self._session.output_dict_per_obj))

    @property
    def cache_bytes(self) -> int:
        """Encoded frames that it keeps: one, unless asked otherwise."""
        return tensor_bytes(self._session.cache._vision_features)

    @property
    def frame_bytes(self) -> int:
        """What it keeps of the frames themselves."""
        return tensor_bytes(self._session.processed_frames)
