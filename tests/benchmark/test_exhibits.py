"""What a judge is taught with: the answers of a session as a judge sees them, and the truth."""

from pathlib import Path

import numpy as np
import pytest
import torch

from napari_vost.benchmark.exams import of_hard, of_largest, of_pack, of_scenes
from napari_vost.benchmark.exhibits import Exhibits, gather, read_exhibits, write_exhibits
from napari_vost.benchmark.witness import Exam
from napari_vost.model.nano import NanoNetwork
from napari_vost.phantoms.simple import moving_disc_cine

FRAMES = 6
PHANTOM = moving_disc_cine(frames=FRAMES)


@pytest.fixture(scope="module")
def gathered() -> Exhibits:
    torch.manual_seed(0)
    exam = Exam({1: PHANTOM.labels == 1}, {1: 2}, range(FRAMES), "mask")
    return gather(NanoNetwork(64).eval(), iter([(PHANTOM.clip(), exam, "none")]))


def test_there_is_one_for_every_followed_frame(gathered: Exhibits) -> None:
    assert [one.evidence.distance for one in gathered.samples] == [1, 2, 3, 1, 2]
    assert all(one.evidence.judged is None for one in gathered.samples)
    assert gathered.maps.shape == (FRAMES - 1, 5, 64, 64)


def test_the_prompted_mask_is_the_truth_of_its_frame(gathered: Exhibits) -> None:
    first = gathered.exhibit(0)
    assert float(first.shown_mask.max()) == 1.0
    assert torch.equal(first.shown_mask, gathered.exhibit(4).shown_mask)
    assert not torch.equal(first.image, gathered.exhibit(1).image)


def test_no_exam_is_begun_once_there_are_enough() -> None:
    exam = Exam({1: PHANTOM.labels == 1}, {1: 2}, range(FRAMES), "mask")
    found = gather(NanoNetwork(64).eval(), iter([(PHANTOM.clip(), exam, "none")] * 3), most=FRAMES)
    assert len(found) == 2 * (FRAMES - 1)


def test_files_come_back_one_after_the_other(gathered: Exhibits, tmp_path: Path) -> None:
    write_exhibits(gathered, tmp_path / "a.npz")
    again = read_exhibits([tmp_path / "a.npz", tmp_path / "a.npz"])
    assert again.samples == gathered.samples * 2
    assert np.array_equal(again.maps, np.concatenate([gathered.maps] * 2))


def test_exams_are_drawn_again_from_their_seed() -> None:
    first, second = (next(of_scenes(5, 4)) for _ in range(2))
    assert np.array_equal(first[0].frame(0), second[0].frame(0))
    assert first[1].prompted == second[1].prompted
    assert next(of_hard((3,)))[1].prompt in ("mask", "box")


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    from napari_vost.training.pack import Facts, Volume, write_pack

    labels = np.zeros((12, 20, 24), np.uint8)
    labels[3:9, 6:14, 6:12], labels[5:11, 6:14, 14:20] = 1, 2
    image = (labels * 90 + 20).astype(np.uint8)
    facts = Facts("made/one", "made", (1.0, 1.0, 1.0), (0, 1), "train", True)
    write_pack([Volume(facts, image, labels)], tmp_path / "pack.npz")
    return tmp_path / "pack.npz"


def test_a_pack_is_cut_along_its_axes_and_prompted_on_its_largest_slice(pack: Path) -> None:
    first, second = of_pack(pack, "train", 0, (("mask",), ("box",)))
    assert (len(first[0]), first[1].prompt) == (12, "mask")
    assert (len(second[0]), second[1].prompt) == (20, "box")
    assert list(of_pack(pack, "train", 0, (("mask",),), lambda group: group != "made", shuffled=True)) == []
    ((clip, exam, _),) = of_largest(pack, "made", 1)
    assert len(clip) == 20
    assert exam.truths[1].sum() == 6 * 8 * 12
    assert exam.truths[2].sum() == 6 * 8 * 6
    areas = exam.truths[1].sum((1, 2))
    assert areas[exam.prompted[1]] == areas.max()
