"""The ONNX graphs answer as the network does, with padded memory too."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_vost.contracts import ImageFeatures, MemoryEntry, Network, PromptTensors, Recall, RecalledEntry
from napari_vost.errors import ExportError
from napari_vost.memory.attention import MemoryReader, grid_cells
from napari_vost.model.loading import load_network
from napari_vost.model.nano import build_nano
from napari_vost.model.nano_parts import NanoShape
from napari_vost.model.network import Sam2Network
from napari_vost.onnx_export import POINTS, export_onnx
from napari_vost.testing import tiny_sam2_model
from napari_vost.types import Region, Scores

SIZE, FRAMES = 64, 4
REGION = Region(0, 0, SIZE, SIZE)
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Exported:
    """The network and its graphs."""

    network: Network
    trained: bool
    tolerance: float
    facts: dict[str, Any]
    sessions: dict[str, Any]

    def run(self, name: str, **inputs: Tensor) -> list[Tensor]:
        feed = {key: value.detach().numpy() for key, value in inputs.items()}
        return [torch.from_numpy(np.array(value)) for value in self.sessions[name].run(None, feed)]


@pytest.fixture(scope="module", params=["vost-nano", "memory at stride 8"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    trained, folder = request.param == "vost-nano", tmp_path_factory.mktemp("onnx")
    network = load_network("vost-nano", "cpu") if trained else build_nano(SIZE, 3, NanoShape(memory_stride=8))
    files = export_onnx(network, folder, SIZE)
    assert [path.name for path in files] == [f"{n}.onnx" for n in ("see", "attend", "answer", "remember")] + [
        "network.json"
    ]
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    sessions = {
        path.stem: runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        for path in files[:-1]
    }
    # logits of an untrained network are a hundred times smaller
    return Exported(network, trained, 1e-3 if trained else 1e-5, json.loads(files[-1].read_text()), sessions)


def _clip() -> tuple[Tensor, Tensor]:
    """A bright disc that moves over noise: images (T, 3, S, S) normalised, masks (T, 1, S, S)."""
    generator = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    masks = torch.stack([((y - 28 - 2 * t) ** 2 + (x - 30 - t) ** 2 < 150).float() for t in range(FRAMES)])[:, None]
    grey = 0.3 + 0.4 * masks + 0.05 * torch.randn(FRAMES, 1, SIZE, SIZE, generator=generator)
    return ((grey - 0.5) / 0.25).expand(-1, 3, -1, -1).contiguous(), masks


def _entry(network: Network, number: int, tokens: Tensor, positions: Tensor) -> MemoryEntry:
    side = round(len(tokens) ** 0.5)
    scores = Scores(1.0, 1.0)
    return MemoryEntry(number, number, "recent", 1, REGION, tokens, positions, grid_cells(side, side),
                       torch.zeros(1), scores, 1, None, None, network.fingerprint)  # fmt: skip


def _remembered(network: Network, features: ImageFeatures, mask: Tensor, prompted: bool) -> tuple[Tensor, Tensor]:
    rows = torch.zeros(1, dtype=torch.int64)
    memory = network.remember(features, (mask * 2 - 1) * 10, torch.ones(1), torch.tensor([prompted]), rows)
    return memory.tokens[0], memory.positions[0]


def _padded(kept: list[tuple[Tensor, int]], facts: dict[str, Any], filling: float = 0.0) -> dict[str, Tensor]:
    """Inputs of ``attend`` for tokens (n, C_m) and their slots."""
    cells, room = facts["tokens_per_frame"], facts["memory_slots"] * facts["tokens_per_frame"]
    side = round(cells**0.5)
    tokens = torch.full((1, room, kept[0][0].shape[1] if kept else 64), filling)
    where, slots = torch.full((1, room, 2), filling), torch.zeros(1, room, dtype=torch.int64)
    mask = torch.zeros(1, room, dtype=torch.bool)
    for index, (memory, slot) in enumerate(kept):
        part = slice(index * cells, (index + 1) * cells)
        tokens[0, part], where[0, part], slots[0, part], mask[0, part] = memory, grid_cells(side, side), slot, True
    return {"tokens": tokens, "cells_yx": where, "slots": slots, "token_mask": mask}


def _answer_inputs(exported: Exported, levels: list[Tensor], conditioned: Tensor, before: Tensor) -> dict[str, Tensor]:
    names = [f"level_{stride}" for stride in exported.facts["strides"]]
    return dict(zip(names, levels, strict=True)) | {
        "conditioned": conditioned, "points_xy": torch.zeros(1, POINTS, 2),
        "point_labels": -torch.ones(1, POINTS, dtype=torch.int64), "mask_logits": before,
        "has_mask_logits": torch.ones(1, dtype=torch.bool),
    }  # fmt: skip


@pytest.mark.slow
@torch.no_grad()
def test_two_memories_padded_to_seven_are_answered_as_by_the_engine(exported: Exported) -> None:
    network, facts = exported.network, exported.facts
    images, masks = _clip()
    seen = [network.see(image[None]) for image in images[:3]]
    small = torch.nn.functional.avg_pool2d(masks, facts["mask_stride"])
    kept = [_remembered(network, seen[t], small[t : t + 1], t == 0) for t in (0, 1)]
    slots = [facts["memory_slots"] - 1, 0]
    entries = [RecalledEntry(_entry(network, t, *kept[t]), slots[t]) for t in (0, 1)]
    reader = MemoryReader(network.memory_layers(), network.temporal_tables())
    rows = torch.zeros(1, dtype=torch.int64)
    truth = reader.read(seen[2].levels[-1], seen[2].position, [Recall(tuple(entries))], [REGION], rows)
    before = (small[1:2] * 2 - 1) * 10
    prompts = PromptTensors(torch.zeros(1, 0, 2), torch.zeros(1, 0, dtype=torch.int64), before, torch.tensor([True]))
    answer = network.answer(seen[2], {facts["memory_stride"]: truth}, prompts, rows)

    levels = exported.run("see", images=images[2:3])
    for filling in (0.0, 7.0):  # what padding holds does not matter
        memory = _padded([(tokens, slot) for (tokens, _), slot in zip(kept, slots, strict=True)], facts, filling)
        (conditioned,) = exported.run("attend", features=levels[-1], **memory)
        assert (conditioned - truth).abs().max() <= exported.tolerance
        logits, affinity, occurrence = exported.run("answer", **_answer_inputs(exported, levels, conditioned, before))
        assert (logits - answer.mask_logits).abs().max() <= exported.tolerance
        assert torch.equal(logits > 0, answer.mask_logits > 0) and (logits > 0).any()
        assert (affinity - answer.affinity).abs().max() <= exported.tolerance
        assert (occurrence - answer.occurrence).abs().max() <= exported.tolerance
    without = reader.read(seen[2].levels[-1], seen[2].position, [Recall((entries[0],))], [REGION], rows)
    assert (without - truth).abs().max() > 10 * exported.tolerance  # the second memory mattered


@pytest.mark.slow
@torch.no_grad()
def test_without_memory_features_get_the_vector_that_says_so(exported: Exported) -> None:
    levels = exported.run("see", images=_clip()[0][:1])
    (conditioned,) = exported.run("attend", features=levels[-1], **_padded([], exported.facts))
    expected = levels[-1] + exported.network.temporal_tables().no_memory[:, None, None]
    assert (conditioned - expected).abs().max() <= 1e-5


@pytest.mark.slow
@torch.no_grad()
def test_a_click_is_answered_alike(exported: Exported) -> None:
    network, images = exported.network, _clip()[0]
    features, rows = network.see(images[:1]), torch.zeros(1, dtype=torch.int64)
    conditioned = features.levels[-1] + network.temporal_tables().no_memory[:, None, None]
    points, labels = torch.tensor([[[30.0, 28.0]]]), torch.ones(1, 1, dtype=torch.int64)
    expected = network.answer(features, {exported.facts["memory_stride"]: conditioned},
                              PromptTensors(points, labels), rows)  # fmt: skip
    nothing = torch.zeros(1, 1, SIZE // 2, SIZE // 2)
    inputs = _answer_inputs(exported, list(features.levels), conditioned, nothing)
    inputs["points_xy"][0, 0], inputs["point_labels"][0, 0] = points[0, 0], 1
    inputs["has_mask_logits"] = torch.zeros(1, dtype=torch.bool)
    logits = exported.run("answer", **inputs)[0]
    assert (logits - expected.mask_logits).abs().max() <= exported.tolerance
    assert torch.equal(logits > 0, expected.mask_logits > 0)


@pytest.mark.slow
@torch.no_grad()
def test_the_graphs_alone_follow_a_disc(exported: Exported) -> None:
    if not exported.trained:
        pytest.skip("an untrained network follows nothing")
    facts, (images, masks) = exported.facts, _clip()
    small = torch.nn.functional.avg_pool2d(masks, facts["mask_stride"])
    before, kept = (small[:1] * 2 - 1) * 10, []
    occurrence = torch.ones(1)
    for index in range(FRAMES):
        levels = exported.run("see", images=images[index : index + 1])
        if index:
            (conditioned,) = exported.run("attend", features=levels[-1], **_padded(kept, facts))
            logits, affinity, occurrence = exported.run(
                "answer", **_answer_inputs(exported, levels, conditioned, before)
            )
            before = logits[:, affinity[0].argmax()][:, None]
            both = (before > 0) & (small[index : index + 1] > 0.5)
            assert float(both.sum() / ((before > 0) | (small[index : index + 1] > 0.5)).sum()) > 0.7
        (tokens,) = exported.run("remember", features=levels[-1], mask_logits=before, occurrence=occurrence,
                                 prompted=torch.tensor([index == 0]))  # fmt: skip
        kept.append((tokens[0], facts["memory_slots"] - 1 if index == 0 else 0))
        kept = [kept[0], *((memory, age) for age, (memory, _) in enumerate(reversed(kept[1:])))]
    own = _remembered(exported.network, exported.network.see(images[:1]), small[:1], True)[0]
    assert (own - kept[0][0]).abs().max() <= exported.tolerance


def test_a_network_with_pointers_and_a_wrong_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="object pointers"):
        export_onnx(Sam2Network(tiny_sam2_model(), "tiny"), tmp_path)
    with pytest.raises(ExportError, match="multiple of 16"):
        export_onnx(load_network("vost-nano", "cpu"), tmp_path, 100)
    assert not list(tmp_path.iterdir())
