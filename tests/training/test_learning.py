"""Losses, lessons, the loop and its checkpoints."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_vost.contracts import Answer
from napari_vost.errors import WeightsError
from napari_vost.model.nano import build_nano, load_nano
from napari_vost.training.batches import Batch
from napari_vost.training.lessons import Habits, draw_prompts, lesson, worst_click
from napari_vost.training.loop import Plan, Stage, train
from napari_vost.training.losses import answer_loss, mask_losses, overlap
from napari_vost.training.rollout import chosen, scores, track
from napari_vost.training.validation import examine, synthetic_exam


def _square(shift: int = 0, size: int = 64) -> torch.Tensor:
    mask = torch.zeros(1, 1, size, size)
    mask[:, :, 16 + shift : 40 + shift, 20:44] = 1
    return mask


def _batch(clips: int = 4, frames: int = 3) -> Batch:
    """Squares that move down over noise."""
    generator = torch.Generator().manual_seed(0)
    masks = torch.stack([torch.cat([_square(2 * t + clip) for t in range(frames)]) for clip in range(clips)])
    noise = 0.1 * torch.rand(clips, frames, 3, 64, 64, generator=generator)
    return Batch(masks.expand(-1, -1, 3, -1, -1) * 0.5 + 0.2 + noise, masks)


def test_the_right_mask_costs_least_and_nothing_is_not_the_way_out() -> None:
    truth = _square()
    right, nothing, everything = (truth * 2 - 1) * 8, torch.full_like(truth, -8.0), torch.full_like(truth, 8.0)
    costs = mask_losses(torch.cat((right, nothing, everything), 1), truth)[0]
    assert costs[0] < 0.01 and costs[1] > 1 and costs[2] > 1


def test_an_absent_object_is_only_asked_for_background() -> None:
    empty = torch.zeros(1, 1, 32, 32)
    costs = mask_losses(torch.tensor([-8.0, 8.0])[None, :, None, None].expand(1, 2, 32, 32), empty)[0]
    assert costs[0] < 1e-3 and costs[1] > 4


def test_overlap_is_intersection_over_union() -> None:
    one, two = _square(), _square(12)
    assert overlap((one - 0.5), two)[0, 0] == pytest.approx(1 / 3)
    assert overlap(torch.full((1, 1, 4, 4), -1.0), torch.zeros(1, 1, 4, 4))[0, 0] == 1


def _answer(logits: torch.Tensor) -> Answer:
    rows, candidates = logits.shape[:2]
    return Answer(logits, torch.full((rows, candidates), 0.5), torch.zeros(rows), torch.zeros(rows, candidates, 8),
                  torch.zeros(8))  # fmt: skip


def test_only_the_best_candidate_answers_for_an_ambiguous_prompt() -> None:
    truth = _square()
    logits = torch.cat(((truth * 2 - 1) * 8, -(truth * 2 - 1) * 8, -(truth * 2 - 1) * 8), 1)
    sure = answer_loss(_answer(logits), truth, torch.tensor([False]))
    ambiguous = answer_loss(_answer(logits), truth, torch.tensor([True]))
    assert ambiguous < 0.3 * sure


def test_the_candidate_with_the_highest_affinity_is_chosen_and_absent_rows_are_empty() -> None:
    logits = torch.stack((torch.full((2, 4, 4), 1.0), torch.full((2, 4, 4), 2.0)), 1)
    affinity = torch.tensor([[0.2, 0.8], [0.9, 0.1]])
    answer = Answer(logits, affinity, torch.tensor([3.0, -3.0]), torch.zeros(2, 2, 8), torch.zeros(8))
    found = chosen(answer)
    assert (found[0] == 2).all() and (found[1] == -32).all()


def test_drawn_prompts_say_the_truth() -> None:
    random = np.random.default_rng(0)
    masks = torch.cat([_square()] * 40)
    prompts, ambiguous = draw_prompts(masks, random)
    seen = set()
    for points, labels, single in zip(prompts.points_xy, prompts.point_labels, ambiguous, strict=True):
        for (x, y), label in zip(points.tolist(), labels.tolist(), strict=True):
            seen.add(label)
            if label in (0, 1):
                assert masks[0, 0, int(y), int(x)] == label
        assert bool(single) == ((labels >= 0).sum() == 1)
        if 2 in labels.tolist():
            assert points[0].tolist() == pytest.approx([20, 16], abs=6)
            assert points[1].tolist() == pytest.approx([43, 39], abs=6)
    assert seen == {-1, 0, 1, 2, 3}


def test_a_corrective_click_lands_deep_in_the_larger_error() -> None:
    truth = torch.zeros(3, 1, 32, 32)
    truth[:, :, 8:24, 8:24] = 1
    guess = truth * 2 - 1
    guess[0, :, 8:24, 16:24] = -1  # missed on the right
    guess[1, :, 24:31, 8:24] = 1  # painted below
    place, label = worst_click(guess, truth)
    assert label.tolist() == [1, 0, -1]
    assert 18 <= place[0, 0] <= 21 and 11 <= place[0, 1] <= 20
    assert 25 <= place[1, 1] <= 29 and 11 <= place[1, 0] <= 20


def test_a_lesson_teaches_every_weight() -> None:
    network = build_nano(64, seed=0).train()
    habits = Habits(clicked=0.5, dropped=0.3, spoiled=0.3, forgotten=0.0)
    for seed in range(3):
        lesson(network, _batch(), habits, np.random.default_rng(seed)).backward()
    idle = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert set(idle) <= {"absence"}  # learns only from clips whose object is absent


def test_a_network_learns_to_follow_a_square() -> None:
    network = build_nano(64, seed=0).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3)
    random = np.random.default_rng(0)
    batch = _batch()
    costs = []
    for _ in range(25):
        cost = lesson(network, batch, Habits(clicked=0.0), random)
        optimiser.zero_grad()
        cost.backward()
        optimiser.step()
        costs.append(float(cost.detach()))
    assert np.mean(costs[-3:]) < 0.5 * np.mean(costs[:3])


def test_tracking_returns_the_given_mask_first_and_repeats_itself() -> None:
    network = build_nano(64, seed=0)
    batch = _batch()
    one, two = (track(network, batch.images, batch.masks[:, 0]) for _ in range(2))
    assert one.shape == (4, 3, 64, 64) and torch.equal(one, two)
    assert scores(one[:, :1], batch.masks[:, :1, 0] > 0.5).min() > 0.95  # logits have stride 2


def test_scores_leave_out_frames_without_truth() -> None:
    truth = torch.zeros(1, 2, 8, 8, dtype=torch.bool)
    truth[0, 0, :4] = True
    found = torch.zeros_like(truth)
    found[0, 0, :2] = True
    marks = scores(found, truth)
    assert marks[0, 0] == pytest.approx(2 / 3) and torch.isnan(marks[0, 1])


def test_an_exam_is_the_same_for_everyone() -> None:
    one, two = synthetic_exam(64, 4), synthetic_exam(64, 4)
    assert torch.equal(one.batch.images, two.batch.images)
    marks = examine(build_nano(64, seed=0), one)
    assert 0 <= marks.network < marks.copied < marks.previous <= 1


STAGES = (Stage(1.01, 2, 2, Habits()),)


def test_a_run_stops_resumes_and_keeps_its_best(tmp_path: Path) -> None:
    told: list[str] = []
    first = train(Plan(tmp_path / "run", 0.02, size=32, pool=12, device="cpu"), told.append, STAGES)
    second = train(Plan(tmp_path / "run", 0.04, size=32, pool=12, device="cpu"), told.append, STAGES)
    assert 0 < first.step < second.step and second.seconds > first.seconds
    curve = json.loads((tmp_path / "run/curve.json").read_text())
    assert [point["step"] for point in curve] == [first.step, second.step]
    assert second.best == max(point["synthetic"] for point in curve)
    assert load_nano(tmp_path / "run/best").traits.input_size == 32
    assert len(told) == 2 and "copy" in told[0]


def test_a_run_goes_on_from_shipped_weights(tmp_path: Path) -> None:
    train(Plan(tmp_path / "one", 0.03, size=32, pool=12, device="cpu"), print, STAGES)
    begun = train(
        Plan(tmp_path / "two", 0.0, size=32, pool=12, device="cpu", weights=tmp_path / "one/best"), print, STAGES
    )
    assert begun.step == 0
    one, two = load_nano(tmp_path / "one/best"), load_nano(tmp_path / "two/best")
    assert one.fingerprint == two.fingerprint


def test_a_foreign_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.pt").write_bytes(b"nothing")
    with pytest.raises(WeightsError, match=r"run\.pt"):
        train(Plan(tmp_path, 0.01, size=32, pool=12, device="cpu"), print, STAGES)
