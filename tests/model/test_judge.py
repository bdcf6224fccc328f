"""The judge: six maps and evidence in, log odds out; it belongs to one set of weights."""

from pathlib import Path

import pytest
import torch

from napari_vost.confidence import Evidence, Signs
from napari_vost.contracts import Exhibit
from napari_vost.errors import WeightsError
from napari_vost.model.judge import FILE, JudgeNetwork, Panel, joined, load_panel, save_panel

SIGNS = Signs(0.8, 0.9, 4.0, 0.7, -0.1)


def exhibit(seed: int, start: float | None = 1.0) -> Exhibit:
    draw = torch.Generator().manual_seed(seed)
    image, shown = torch.rand((2, 64, 64), generator=draw)
    logits, before = 20 * torch.randn((2, 64, 64), generator=draw)
    evidence = Evidence(0.8, 4.0, SIGNS, SIGNS, 2, None, "depth", start)
    return Exhibit(evidence, image, logits, before, shown, (shown > 0.5).float())


@pytest.fixture
def judge() -> Panel:
    torch.manual_seed(0)
    return Panel([JudgeNetwork(), JudgeNetwork()]).eval()


def test_answers_are_judged_one_by_one(judge: Panel) -> None:
    exhibits = [exhibit(seed) for seed in range(3)]
    together = judge.judge(exhibits)
    assert together == pytest.approx([judge.judge([one])[0] for one in exhibits], abs=1e-5)
    assert len(set(together)) == 3
    assert judge.judge([]) == []


def test_a_panel_gives_the_mean_verdict_of_its_members(judge: Panel) -> None:
    alone = [Panel([one]).eval().judge([exhibit(0)])[0] for one in judge.members]
    assert alone[0] != alone[1]
    assert judge.judge([exhibit(0)])[0] == pytest.approx(sum(alone) / 2, abs=1e-6)


def test_every_map_lies_around_zero_and_logits_are_bounded() -> None:
    one = exhibit(0)
    maps = joined(one.image, one.logits, one.before, one.shown_image, one.shown_mask)
    assert maps.shape == (6, 64, 64)
    assert float(maps.min()) >= -1
    assert float(maps.max()) <= 1


def test_evidence_that_is_missing_counts_as_typical(judge: Panel) -> None:
    first = judge.members[0]
    for one in judge.members:
        one.typical += 3.0
    unknown = first.measured(torch.full((1, len(first.typical)), float("nan")))
    assert torch.equal(unknown, torch.zeros_like(unknown))
    assert judge.judge([exhibit(0, None)]) == pytest.approx(judge.judge([exhibit(0, 0.9526)]), abs=1e-3)  # odds of 3


def test_a_judge_comes_back_from_its_file_for_its_own_weights_alone(judge: Panel, tmp_path: Path) -> None:
    assert load_panel(tmp_path, "abc") is None
    save_panel(judge, tmp_path, "abc")
    again = load_panel(tmp_path, "abc")
    assert again is not None
    assert again.judge([exhibit(1)]) == judge.judge([exhibit(1)])
    assert load_panel(tmp_path, "other weights") is None


def test_a_damaged_judge_is_told_in_a_sentence(judge: Panel, tmp_path: Path) -> None:
    save_panel(judge, tmp_path, "abc")
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsError, match="install again, or delete it"):
        load_panel(tmp_path, "abc")
