"""The engine on an accelerator gives what it gives on a CPU. Needs torch, transformers, numpy and safetensors only."""

import numpy as np
import pytest
import torch

from napari_vost.features.store import FeatureStore
from napari_vost.legs import Plan
from napari_vost.masks import PackedMask
from napari_vost.memory.attention import MemoryReader
from napari_vost.memory.policies.fifo import Fifo
from napari_vost.model.network import Sam2Network
from napari_vost.propagation import propagate
from napari_vost.seeding import Before, seed
from napari_vost.sight import Engine, FrameView
from napari_vost.testing.networks import tiny_sam2_model
from napari_vost.types import MaskPrompt

pytestmark = pytest.mark.gpu
DEVICES = [
    name for name, found in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())) if found
]


def _follow(device: str) -> dict[int, np.ndarray]:
    network = Sam2Network(tiny_sam2_model().to(device), "tiny")
    reader = MemoryReader(network.memory_layers(), network.temporal_tables())
    engine = Engine(network, Fifo(), reader, FeatureStore(), region="auto")
    y, x = np.mgrid[0:96, 0:80]
    frames = [((y - 48) ** 2 + (x - 30 - t) ** 2 < 150).astype(np.uint8) * 150 + 40 for t in range(10)]

    def frame_at(index: int) -> FrameView:
        return FrameView(index, frames[index], "time", len(frames))

    prompt = MaskPrompt(4, 1, PackedMask.pack(frames[4] > 100))
    seeds = {1: [seed(engine, frame_at(4), [prompt], Before(), 1)]}
    reached = propagate(engine, Plan(seeds, len(frames), "time"), frame_at)
    return {one.frame_index: one.answers[0].logits.float().cpu().numpy() for one in reached}


@pytest.mark.parametrize("device", DEVICES or [pytest.param("none", marks=pytest.mark.skip(reason="no accelerator"))])
def test_logits_on_an_accelerator_are_those_of_the_cpu(device: str) -> None:
    here, there = _follow("cpu"), _follow(device)
    assert here.keys() == there.keys()
    for frame, logits in here.items():
        assert ((logits > 0) != (there[frame] > 0)).mean() < 0.02
