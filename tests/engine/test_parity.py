"""Our engine against transformers' own inference, where the two mean the same.

Prompts on one frame, all objects prompted there, no later correction, either direction. Every table that transformers
leaves at zero is drawn at random first, so that agreement means something; mutations of our side must break it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch

from napari_vost.contracts import MemoryBank, Query, Recall
from napari_vost.features.store import FeatureStore
from napari_vost.legs import Plan
from napari_vost.masks import PackedMask
from napari_vost.memory.attention import MemoryReader
from napari_vost.memory.policies.fifo import Fifo
from napari_vost.model.network import IMAGE_MEAN, IMAGE_STD, Sam2Network
from napari_vost.propagation import propagate
from napari_vost.seeding import Before, seed
from napari_vost.sight import Engine, FrameView
from napari_vost.testing import tiny_sam2_model
from napari_vost.types import BoxPrompt, MaskPrompt, PointPrompt, Prompt

SIZE, FRAMES, PROMPTED = 128, 12, 5


@dataclass(frozen=True)
class Case:
    name: str
    prompts: tuple[tuple[Prompt, ...], ...]  # one tuple per object, all on the prompted frame


def _mask(y: int, x: int) -> PackedMask:
    mask = np.zeros((SIZE, SIZE), dtype=bool)
    mask[y : y + 30, x : x + 24] = True
    return PackedMask.pack(mask)


CASES = [
    Case("click", ((PointPrompt(PROMPTED, 1, 60.0, 50.0),),)),
    Case("box", ((BoxPrompt(PROMPTED, 1, 30.0, 20.0, 80.0, 90.0),),)),
    Case("mask", ((MaskPrompt(PROMPTED, 1, _mask(40, 50)),),)),
    Case("two clicks", ((PointPrompt(PROMPTED, 1, 60.0, 50.0),), (PointPrompt(PROMPTED, 2, 20.0, 100.0),))),
    Case("two masks", ((MaskPrompt(PROMPTED, 1, _mask(40, 50)),), (MaskPrompt(PROMPTED, 2, _mask(80, 10)),))),
]


@pytest.fixture(scope="module")
def model() -> Any:
    found = tiny_sam2_model()
    centre_scores(found, clip(), CASES)
    return found


def clip(frames: int = FRAMES, size: int = SIZE) -> np.ndarray:
    """Smooth moving colour blobs, uint8 (T, H, W, 3)."""
    generator = np.random.default_rng(3)
    y, x = np.mgrid[0:size, 0:size] / size
    stack = np.zeros((frames, size, size, 3))
    for channel in range(3):
        for _ in range(6):
            cy, cx, vy, vx = generator.uniform(-0.2, 1.2, 4) * (1, 1, 0.08, 0.08)
            for t in range(frames):
                stack[t, ..., channel] += np.exp(-((y - cy - vy * t) ** 2 + (x - cx - vx * t) ** 2) / 0.02)
    return (255 * (stack / stack.max())).astype(np.uint8)


def centre_scores(model: Any, images: np.ndarray, cases: list[Case]) -> None:
    """Make prompted frames present and tracked frames present or absent by turns: turn the score, then centre it."""
    last = model.mask_decoder.pred_obj_score_head.proj_out
    with torch.no_grad():
        last.weight.neg_()
        last.bias.neg_()
        for _ in range(3):  # what is remembered depends on the scores, so centring settles in a few rounds
            found = [theirs(model, images, case, direction) for case in cases[:3] for direction in (1, -1)]
            tracked = [score for one in found for (_, frame), (_, score) in one.items() if frame != PROMPTED]
            last.bias -= float(np.median(tracked))


def pixels(images: np.ndarray) -> torch.Tensor:
    unit = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    return (unit - torch.tensor(IMAGE_MEAN)[:, None, None]) / torch.tensor(IMAGE_STD)[:, None, None]


@torch.inference_mode()
def theirs(
    model: Any, images: np.ndarray, case: Case, direction: int, at: int = PROMPTED
) -> dict[tuple[int, int], tuple[torch.Tensor, float]]:
    """Mask logits and object score by (object, frame) from transformers' inference session."""
    from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

    height, width = images.shape[1:3]
    session = Sam2VideoInferenceSession(
        video=pixels(images), video_height=height, video_width=width, dtype=torch.float32
    )
    for row, prompts in enumerate(case.prompts):
        prompt = prompts[0]
        session.obj_id_to_idx(row + 1)
        if isinstance(prompt, MaskPrompt):
            session.add_mask_inputs(row, at, torch.from_numpy(prompt.mask.unpack())[None, None])
        else:
            points, labels = [[prompt.x, prompt.y]] if isinstance(prompt, PointPrompt) else [], [1]
            if isinstance(prompt, BoxPrompt):
                points, labels = [[prompt.x0, prompt.y0], [prompt.x1, prompt.y1]], [2, 3]
            table = {"point_coords": torch.tensor([[points]]), "point_labels": torch.tensor([[labels]])}
            session.add_point_inputs(row, at, table)
        session.obj_with_new_inputs.append(row + 1)
    model(session, frame_idx=at)
    found = {}
    for output in model.propagate_in_video_iterator(session, start_frame_idx=at, reverse=direction < 0):
        for row in range(len(case.prompts)):
            score = float(output.object_score_logits[row])
            found[row + 1, output.frame_idx] = (output.pred_masks[row, 0].float(), score)
    return found


class RecordingNetwork(Sam2Network):
    """Keeps the gated low-resolution logits that go into memory, in the order of frames and rows."""

    def __init__(self, model: Any) -> None:
        super().__init__(model, "tiny", mask_pointer="best")
        self.written: list[torch.Tensor] = []

    def remember(self, features: Any, mask_logits: Any, occurrence: Any, prompted: Any, image_row: Any) -> Any:
        self.written.append(mask_logits)
        return super().remember(features, mask_logits, occurrence, prompted, image_row)


def ours(
    model: Any,
    images: np.ndarray,
    case: Case,
    direction: int,
    policy: Fifo | None = None,
    network: Callable[[Any], RecordingNetwork] = RecordingNetwork,
    at: int = PROMPTED,
) -> dict[tuple[int, int], torch.Tensor]:
    """Gated mask logits by (object, frame) from our engine."""
    made = network(model)
    traits = made.traits
    reader = MemoryReader(made.memory_layers(), made.temporal_tables())
    fifo = policy or Fifo(traits.memory_slots, traits.max_pointers, max_prompted=None)
    engine = Engine(made, fifo, reader, FeatureStore(), sam2=True)

    def frame_at(index: int) -> FrameView:
        return FrameView(index, images[index], "time", len(images))

    found = {}
    seeds = {}
    for row, prompts in enumerate(case.prompts):
        one = seed(engine, frame_at(at), prompts, Before(), row)
        seeds[row + 1] = (one,)
    word = "forward" if direction > 0 else "backward"
    made.written.clear()
    order = []
    for reached in propagate(engine, Plan(seeds, len(images), "time", word), frame_at):
        order.append((reached.frame_index, [answer.object_id for answer in reached.answers]))
    for (frame_index, objects), logits in zip(order, made.written, strict=True):
        for row, object_id in enumerate(objects):
            found[object_id, frame_index] = logits[row, 0]
    return found


def compare(first: dict[Any, Any], second: dict[Any, torch.Tensor]) -> tuple[float, float, float]:
    """Largest difference of logits, least IoU, and share of non-empty masks over the tracked frames."""
    worst, least, filled = 0.0, 1.0, []
    assert second
    for place, logits in second.items():
        expected = first[place][0]
        worst = max(worst, float((expected - logits).abs().max()))
        a, b = expected > 0, logits > 0
        union = int((a | b).sum())
        least = min(least, 1.0 if union == 0 else int((a & b).sum()) / union)
        filled.append(bool(b.any()))
    return worst, least, float(np.mean(filled))


@pytest.mark.parametrize("direction", [1, -1], ids=["forward", "backward"])
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_masks_equal_those_of_transformers(model: Any, case: Case, direction: int) -> None:
    images = clip()
    worst, least, filled = compare(theirs(model, images, case, direction), ours(model, images, case, direction))
    assert worst < 1e-3
    assert least >= 0.999
    assert filled > 0.2


def test_prompted_frames_are_present_and_tracked_ones_of_both_signs(model: Any) -> None:
    for case in CASES[:3]:
        found = theirs(model, clip(), case, 1)
        tracked = [score for (_, frame), (_, score) in found.items() if frame != PROMPTED]
        assert found[1, PROMPTED][1] > 0
        assert bool((found[1, PROMPTED][0] > 0).any())
        assert min(tracked) < 0 < max(tracked)


class SwappedSlots(RecordingNetwork):
    def temporal_tables(self) -> Any:
        tables = super().temporal_tables()
        return replace(tables, slots=tables.slots[[1, 0, 2, 3, 4, 5, 6]])


class NoOcclusion(RecordingNetwork):
    def remember(self, features: Any, mask_logits: Any, occurrence: Any, prompted: Any, image_row: Any) -> Any:
        return super().remember(features, mask_logits, torch.ones_like(occurrence), prompted, image_row)


class NoPointers(Fifo):
    def recall(self, bank: MemoryBank, query: Query) -> Recall:
        return replace(super().recall(bank, query), pointers=())


class OrderReversed(Fifo):
    def recall(self, bank: MemoryBank, query: Query) -> Recall:
        recall = super().recall(bank, query)
        slots = [one.slot for one in recall.entries][1:]
        turned = [replace(one, slot=slot) for one, slot in zip(recall.entries[1:], slots[::-1], strict=True)]
        return replace(recall, entries=(*recall.entries[:1], *turned))


@pytest.mark.parametrize(
    ("policy", "network"),
    [(None, SwappedSlots), (None, NoOcclusion), (NoPointers, RecordingNetwork), (OrderReversed, RecordingNetwork)],
    ids=["slots swapped", "occlusion embedding dropped", "pointers dropped", "order reversed"],
)
def test_a_mutation_breaks_the_equality(
    model: Any, policy: type[Fifo] | None, network: Callable[[Any], RecordingNetwork]
) -> None:
    images, worst = clip(), 0.0
    for case in CASES[:2]:
        mutated = ours(model, images, case, 1, None if policy is None else policy(max_prompted=None), network)
        worst = max(worst, compare(theirs(model, images, case, 1), mutated)[0])
    assert worst > 1e-3


def test_a_continuous_sweep_past_a_second_prompted_frame_equals_transformers(model: Any) -> None:
    images = clip()
    second = MaskPrompt(9, 1, _mask(60, 40))
    from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

    session = Sam2VideoInferenceSession(video=pixels(images), video_height=SIZE, video_width=SIZE, dtype=torch.float32)
    session.obj_id_to_idx(1)
    network = RecordingNetwork(model)
    reader = MemoryReader(network.memory_layers(), network.temporal_tables())
    engine = Engine(network, Fifo(max_prompted=None), reader, FeatureStore(), sam2=True)

    def frame_at(index: int) -> FrameView:
        return FrameView(index, images[index], "time", len(images))

    seeds = []
    with torch.inference_mode():
        for row, prompt in enumerate((MaskPrompt(5, 1, _mask(40, 50)), second)):
            session.add_mask_inputs(0, prompt.frame_index, torch.from_numpy(prompt.mask.unpack())[None, None])
            session.obj_with_new_inputs.append(1)
            model(session, frame_idx=prompt.frame_index)
            seeds.append(seed(engine, frame_at(prompt.frame_index), [prompt], Before(), row))
        expected = {
            output.frame_idx: output.pred_masks[0, 0].float()
            for output in model.propagate_in_video_iterator(session, start_frame_idx=5)
        }
    network.written.clear()
    plan = Plan({1: seeds}, len(images), "time", "forward", continuous=True)
    frames = [reached.frame_index for reached in propagate(engine, plan, frame_at)]
    assert frames == [6, 7, 8, 10, 11]
    for frame, logits in zip(frames, network.written, strict=True):
        assert (expected[frame] - logits[0, 0]).abs().max() < 1e-3


@pytest.mark.slow
def test_the_published_tiny_architecture_at_full_size_equals_transformers() -> None:
    from transformers import Sam2VideoModel

    from napari_vost.model.checkpoints import sam2_config
    from napari_vost.model.registry import find
    from napari_vost.testing import randomise_tables

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Sam2VideoModel(sam2_config(find("sam2.1-tiny").architecture)).eval()
        randomise_tables(model)
    last = model.mask_decoder.pred_obj_score_head.proj_out
    with torch.no_grad():
        last.weight.zero_()
        last.bias.fill_(1.0)  # three frames are too few to centre a score: the object is there
    images = clip(PROMPTED + 3, 1024)[PROMPTED:]
    case = Case("click", ((PointPrompt(0, 1, 500.0, 400.0),),))
    first = theirs(model, images, case, 1, at=0)
    second = ours(model, images, case, 1, at=0)
    worst, least, filled = compare(first, second)
    assert worst < 1e-3
    assert least >= 0.999
    assert filled > 0.2
