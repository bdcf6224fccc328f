"""What holds for all registered policies: names, refusals, flat banks, networks without pointers, other packages'."""

from dataclasses import replace
from importlib import metadata

import pytest

from napari_vost.contracts import MemoryBank, Prediction, Traits
from napari_vost.errors import InputError, UnknownName
from napari_vost.memory import policies
from napari_vost.memory.policies import make_policy, policy_names
from napari_vost.memory.policies.fifo import Fifo
from napari_vost.testing import entry, query, some_answer

NAMES = [name for name in policy_names() if name != "auto"]
NANO = Traits("nano", 256, (0.5,) * 3, (0.25,) * 3, max_pointers=0, previous_mask_prompt=True)
SAM2 = Traits("sam2", 1024, (0.5,) * 3, (0.25,) * 3)


class Newest(Fifo):
    """A policy of another package."""

    name = "newest"


def test_the_field_is_there() -> None:
    assert set(NAMES) >= {
        "fifo", "quality", "similarity", "motion_aware", "tree", "region", "tiered", "distractor", "restricted",
        "reinforced", "phase", "selective", "previous",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_knows_its_own_name(name: str) -> None:
    assert make_policy(name, SAM2).name == name


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("traits", [NANO, SAM2], ids=["nano", "sam2"])
@pytest.mark.parametrize("name", NAMES)
def test_banks_stay_flat_over_400_frames(name: str, traits: Traits, direction: int) -> None:
    policy = make_policy(name, traits)
    start = 0 if direction > 0 else 1000
    bank, sizes, read = MemoryBank((entry(start, "prompted"),)), [], []
    for step in range(1, 401):
        frame = start + direction * step
        phase = (step + 0.5) / 20 % 1.0
        expected = Prediction((8.0, 8.0, 18.0, 18.0), 100.0, phase=phase)
        recall = policy.recall(bank, replace(query(frame, direction, 1000), prediction=expected))
        read.append(sum(len(one.entry.tokens) for one in recall.entries))
        assert len(recall.pointers) <= traits.max_pointers
        bank = policy.observe(bank, {one.entry.entry_id: 0.1 for one in recall.entries})
        one = entry(frame, entry_id=step, direction=direction, phase=phase)
        bank = policy.admit(one, some_answer(), 0, bank)
        sizes.append(len(bank) + len(bank.notes))
    assert max(sizes[200:]) <= max(sizes[:200])
    assert max(read[200:]) <= max(read[:200])


@pytest.mark.parametrize("name", ["tree", "distractor"])
def test_policies_that_compare_candidates_refuse_a_network_with_one(name: str) -> None:
    single = Traits("single", 64, (0.5,) * 3, (0.25,) * 3, candidates=1)
    with pytest.raises(InputError, match=f"{name}.*needs 2 or more; single gives 1.*'quality'"):
        make_policy(name, single)
    assert make_policy("quality", single).name == "quality"


def test_an_unknown_name_says_what_was_meant() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'motion_aware'"):
        make_policy("motionaware", SAM2)


def test_a_policy_of_another_package_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    point = metadata.EntryPoint("newest", f"{__name__}:Newest", policies.ENTRY_POINTS)
    monkeypatch.setattr(policies, "entry_points", lambda group: [point] if group == policies.ENTRY_POINTS else [])
    assert "newest" in policy_names()
    made = make_policy("newest", NANO)
    assert type(made).__name__ == "Newest"
    assert made.recall(MemoryBank((entry(0, "prompted"),)), query(1)).pointers == ()
