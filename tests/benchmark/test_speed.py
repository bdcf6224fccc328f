"""The speed harness: what is timed, that both banks are full, and how bytes are counted. No time is compared."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from napari_vost.benchmark.clock import STAGES, Clock, Spread, tensor_bytes
from napari_vost.benchmark.rival import Rival, random_model
from napari_vost.benchmark.speed import FULL, OURS, THEIRS, OurRun, discs, growth, machine, side_by_side, steady
from napari_vost.errors import InputError, UnknownName
from napari_vost.model.network import Sam2Network


def pixels(clip: Any) -> torch.Tensor:
    return torch.from_numpy(np.stack(list(clip))).permute(0, 3, 1, 2).float() / 255


def test_a_spread_is_in_milliseconds() -> None:
    assert Spread.of([0.003, 0.001, 0.01]) == Spread(3.0, 1.0, 10.0, 3)


def test_stages_add_up_until_they_are_taken() -> None:
    clock = Clock(torch.device("cpu"))
    for _ in range(2):
        with clock.stage("see"):
            torch.ones(10).sum()
    taken = clock.take()
    assert taken["see"] > 0
    assert taken["answer"] == 0
    assert clock.take() == dict.fromkeys(STAGES, 0.0)


@dataclass(frozen=True, eq=False)
class Holder:
    inside: torch.Tensor
    words: str = "none"


def test_bytes_are_counted_once_for_shared_memory() -> None:
    base = torch.zeros(10, 4)
    assert tensor_bytes(base) == 160
    assert tensor_bytes(base, base[:2], [Holder(base[3])], {"a": (base,)}) == 160
    assert tensor_bytes({"a": base, "b": [base.clone()]}, "word", 3, None) == 320


def test_a_view_keeps_all_that_it_looks_into() -> None:
    assert tensor_bytes(Holder(torch.zeros(100)[:1])) == 400


def test_discs_lie_on_their_masks() -> None:
    clip, masks = discs(3, 64, 3)
    assert clip.shape == (3, 64, 64)
    first = clip.frame(0)[..., 0]
    assert len(masks) == 3
    assert not (masks[0] & masks[1]).any()
    for mask in masks:
        assert first[mask].min() >= 180 > first[~np.logical_or.reduce(masks)].max()
    assert not np.array_equal(clip.frame(0), clip.frame(1))


def test_a_filled_bank_reads_as_much_as_one_that_was_tracked(tiny_model: Any) -> None:
    clip, masks = discs(FULL + 4, 128, 2)
    read: list[list[tuple[int, int]]] = []
    for filled in (True, False):
        run = OurRun(Sam2Network(tiny_model, "tiny"), clip, masks)
        if filled:
            run.fill(FULL)
        for frame in range(FULL + 1 if filled else 1, FULL + 3):
            run.step(frame)
        state, engine = run._state, run._engine
        from napari_vost.testing import query

        recalls = [engine.policy.recall(row.bank, query(FULL + 3)) for row in state.rows]
        read.append([(len(recall.entries), len(recall.pointers)) for recall in recalls])
    assert read[0] == read[1] == [(7, 16), (7, 16)]


def test_transformers_reads_a_filled_bank_as_one_that_was_tracked(
    tiny_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, masks = discs(FULL + 4, 128, 1)
    lengths: list[tuple[int, int]] = []
    attention = tiny_model.memory_attention.forward

    def recorded(*args: Any, **given: Any) -> Any:
        lengths.append((given["memory"].shape[0], given["num_object_pointer_tokens"]))
        return attention(*args, **given)

    monkeypatch.setattr(tiny_model.memory_attention, "forward", recorded)
    for filled in (True, False):
        run = Rival(tiny_model, pixels(clip), masks)
        if filled:
            run.fill(FULL)
        for frame in range(FULL + 1 if filled else 1, FULL + 3):
            run.step(frame)
        lengths.append((-1, -1))
    ends = [lengths[place - 1] for place, length in enumerate(lengths) if length == (-1, -1)]
    assert ends[0] == ends[1]
    cells, pointers = (128 // 16) ** 2, ends[0][1]
    assert ends[0][0] == 7 * cells + pointers
    assert pointers == 16 * 2  # pointers of 128 channels, each cut into two tokens of 64


def test_both_engines_are_timed_on_the_same_frames(tiny_model: Any) -> None:
    ours, theirs = side_by_side(tiny_model, "tiny", objects=2, frames=3)
    assert (ours.engine, theirs.engine) == (OURS, THEIRS)
    for line in (ours, theirs):
        assert (line.size, line.objects, line.per_frame.frames) == (128, 2, 3)
        assert 0 < line.per_frame.low_ms <= line.per_frame.median_ms <= line.per_frame.high_ms
    assert [name for name, _ in ours.stages_ms] == list(STAGES)
    assert all(value > 0 for _, value in ours.stages_ms)
    assert sum(value for _, value in ours.stages_ms) < ours.per_frame.high_ms
    assert theirs.stages_ms == ()


def test_the_session_s_own_way_is_timed_after_its_memory_is_full(tiny_network: Sam2Network) -> None:
    line = steady(tiny_network, objects=2, frames=4, size=96, warm=3)
    assert (line.model, line.objects, line.per_frame.frames) == ("tiny", 2, 4)
    assert all(value > 0 for _, value in line.stages_ms)


def test_ours_stays_flat_and_theirs_grows(tiny_model: Any) -> None:
    ours, theirs = growth(tiny_model, "tiny", frames=64)
    assert ours.frames == (16, 32, 48, 64)
    masks = 64 * 128 * 128 // 8  # no more than all masks as plain bits
    assert ours.state_bytes[-1] - ours.state_bytes[1] < masks
    steps = np.diff(theirs.state_bytes)
    assert (steps > 16 * 8 * 8 * 64 * 2).all()  # at least the memory tokens of 16 frames, in bf16
    assert steps.max() - steps.min() < 0.01 * steps.max()
    assert ours.frame_bytes == (0, 0, 0, 0)
    assert set(theirs.frame_bytes) == {65 * 3 * 128 * 128 * 4}


def test_random_weights_have_the_published_architecture_and_are_always_the_same() -> None:
    first, second = (random_model("sam2.1-tiny", 128) for _ in range(2))
    assert first.config.image_size == 128
    millions = sum(value.numel() for value in first.parameters()) / 1e6
    assert 35 < millions < 42
    one, other = (next(iter(model.parameters())) for model in (first, second))
    torch.testing.assert_close(one, other)
    assert not first.training


@pytest.mark.parametrize("size", [0, 100])
def test_a_size_that_does_not_fit_is_refused(size: int) -> None:
    with pytest.raises(InputError, match="multiple of 32"):
        random_model("sam2.1-tiny", size)


def test_a_model_of_another_family_is_refused() -> None:
    with pytest.raises(InputError, match="not of the SAM 2 family"):
        random_model("vost-nano", 128)
    with pytest.raises(UnknownName):
        random_model("sam3", 128)


@pytest.mark.parametrize("wrong", [{"objects": 0}, {"frames": 0}])
def test_nothing_to_measure_is_refused(tiny_model: Any, wrong: dict[str, int]) -> None:
    with pytest.raises(InputError, match="at least 1"):
        side_by_side(tiny_model, "tiny", **wrong)


def test_the_machine_is_named() -> None:
    found = dict(machine(torch.device("cpu")))
    assert found["torch"] == torch.__version__
    assert found["device"].startswith("cpu: ")
