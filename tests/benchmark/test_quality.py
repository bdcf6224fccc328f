"""The quality harness: what is scored, against truths whose score is known, and a tiny network all the way through."""

from pathlib import Path

import numpy as np
import pytest

from napari_vost.benchmark.quality import Followed, evaluate, follow, score
from napari_vost.datasets import find_layout
from napari_vost.engine import EngineOptions
from napari_vost.errors import InputError, ReadError, UnknownName
from napari_vost.model.network import Sam2Network


def first_case(name: str, folder: Path):
    return next(find_layout(name).cases(folder))


def followed(name: str, folder: Path, structure: str, change) -> list[Followed]:
    """What a network would have found that gives ``change(truth)`` on every case."""
    parts = []
    for case in find_layout(name).cases(folder):
        prompted = case.prompted_frame(structure) if structure in case.structures else None
        if prompted is not None:
            truth = case.truth(structure)
            parts.append(Followed(case, structure, prompted, truth, change(truth)))
    return parts


def test_the_truth_scores_one_and_nothing_scores_zero(acdc: Path) -> None:
    layout = find_layout("acdc")
    (right, _) = followed("acdc", acdc, "LV", lambda truth: truth.copy())
    (nothing, _) = followed("acdc", acdc, "LV", np.zeros_like)
    (mark,) = score(layout, "a", [right])
    assert (mark.frames, mark.stack, mark.prompted, mark.leaked) == (1.0, 1.0, 1.0, 0)
    (mark,) = score(layout, "a", [nothing])
    assert (mark.frames, mark.stack, mark.prompted) == (0.0, 0.0, 0.0)


def test_copying_is_scored_without_the_prompted_slice(acdc: Path) -> None:
    (one, _) = followed("acdc", acdc, "LV", np.zeros_like)
    (mark,) = score(find_layout("acdc"), "a", [one])
    # slices 1, 2 equal the prompted one (100 pixels), slices 4, 5 hold half of it
    assert mark.copy_frames == pytest.approx((1 + 1 + 2 / 3 + 2 / 3) / 4)
    assert mark.copy_stack == pytest.approx(2 * 300 / (400 + 300))
    assert mark.empty == 2


def test_painting_where_nothing_is_counts_as_leaking_and_not_against_the_score(acdc: Path) -> None:
    (one, _) = followed("acdc", acdc, "LV", lambda truth: np.repeat(truth[3:4], len(truth), axis=0))
    (mark,) = score(find_layout("acdc"), "a", [one])
    assert (mark.leaked, mark.empty) == (2, 2)
    assert mark.frames == mark.copy_frames


def test_slices_of_a_patient_are_scored_together_and_vanished_ones_cost(acdc_cine: Path) -> None:
    layout = find_layout("acdc_cine")
    parts = followed("acdc_cine", acdc_cine, "LV", lambda truth: np.repeat(truth[:1], len(truth), axis=0))
    (mark,) = score(layout, "patient009", parts)
    assert mark.prompted_frames == (0, 0)
    # slice 0: 36 pixels moved by one column, 30 shared; slice 1: 16 painted where nothing is left
    assert mark.stack == pytest.approx(2 * 30 / (36 + 36 + 16))
    assert mark.stack == mark.copy_stack
    assert mark.frames == pytest.approx(60 / 72)
    assert (mark.leaked, mark.empty) == (1, 1)


def test_davis_is_scored_by_intersection_over_union(davis16: Path) -> None:
    (one,) = followed("davis16", davis16, "object", np.zeros_like)
    (mark,) = score(find_layout("davis16"), "goose", [one])
    assert mark.copy_frames == pytest.approx(np.mean([48 / 80, 32 / 96, 16 / 112]))


@pytest.mark.parametrize("prompt", ["point", "box", "mask"])
def test_structures_are_followed_together_from_their_own_frames(
    acdc: Path, tiny_network: Sam2Network, prompt: str
) -> None:
    found = {one.structure: one for one in follow(first_case("acdc", acdc), prompt, tiny_network)}
    assert set(found) == {"LV", "RV"}
    assert (found["LV"].prompted, found["RV"].prompted) == (3, 2)
    assert found["LV"].found.shape == (7, 40, 36)
    if prompt == "mask":
        np.testing.assert_array_equal(found["LV"].found[3], found["LV"].truth[3])
        np.testing.assert_array_equal(found["RV"].found[2], found["RV"].truth[2])


def test_a_cine_is_followed_no_farther_than_its_last_known_frame(acdc_cine: Path, tiny_network: Sam2Network) -> None:
    for one in follow(first_case("acdc_cine", acdc_cine), "mask", tiny_network):
        assert not one.found[5:].any()


def test_following_gives_what_a_session_gives(ct_lesion: Path, tiny_network: Sam2Network) -> None:
    from napari_vost.session import Session

    case = first_case("ct_lesion", ct_lesion)
    (one,) = follow(case, "mask", tiny_network)
    session = Session(case.clip, tiny_network)
    session.add_mask(2, case.truth("lesion")[2])
    list(session.propagate())
    np.testing.assert_array_equal(one.found, session.label_map(dense=True) == 1)


def test_a_report_names_cases_weights_and_means(acdc: Path, tiny_network: Sam2Network) -> None:
    told: list[str] = []
    report = evaluate(find_layout("acdc"), acdc, "mask", tiny_network, progress=told.append)
    assert told == ["patient001_frame01", "patient002_frame01"]
    assert report.folder == "acdc/dev"
    assert (report.model, report.fingerprint) == ("tiny", tiny_network.fingerprint)
    assert report.structures == ("LV", "RV")
    found = report.summary("LV")
    assert found.cases == 2
    assert found.copy_frames is not None
    assert found.copy_frames.mean == pytest.approx(5 / 6)
    assert found.frames is not None
    assert found.gain is not None
    assert found.gain.mean == pytest.approx(found.frames.mean - found.copy_frames.mean)
    assert found.prompted.mean == 1.0
    alone = report.summary("RV")  # on one slice only: nothing is left to judge
    assert (alone.cases, alone.frames, alone.gain) == (0, None, None)


def test_a_limit_counts_patients(acdc_cine: Path, acdc: Path, tiny_network: Sam2Network) -> None:
    cine = evaluate(find_layout("acdc_cine"), acdc_cine, "mask", tiny_network, limit=1)
    assert [(mark.case, mark.structure) for mark in cine.marks] == [("patient009", "LV"), ("patient009", "RV")]
    volumes = evaluate(find_layout("acdc"), acdc, "box", tiny_network, limit=1)
    assert {mark.case for mark in volumes.marks} == {"patient001_frame01"}


def test_the_options_reach_the_session(acdc: Path, tiny_network: Sam2Network) -> None:
    with pytest.raises(UnknownName, match="memory policy"):
        evaluate(find_layout("acdc"), acdc, "mask", tiny_network, options=EngineOptions(memory="nothing"))


def test_a_folder_that_does_not_fit_is_refused_before_weights_are_read(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="holds no"):
        evaluate(find_layout("acdc"), tmp_path, "mask", "no-such-model")


def test_an_unknown_model_is_refused(acdc: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'vost-nano'"):
        evaluate(find_layout("acdc"), acdc, "mask", "vost-nona")


def test_a_limit_below_one_is_refused(acdc: Path, tiny_network: Sam2Network) -> None:
    with pytest.raises(InputError, match="at least 1"):
        evaluate(find_layout("acdc"), acdc, "mask", tiny_network, limit=0)


def test_labels_without_any_structure_are_refused(acdc: Path, tiny_network: Sam2Network) -> None:
    for path in acdc.glob("*.npz"):
        np.savez(path, image=np.zeros((3, 8, 8), dtype=np.uint16), label=np.zeros((3, 8, 8), dtype=np.uint8))
    with pytest.raises(InputError, match="nothing to score"):
        evaluate(find_layout("acdc"), acdc, "mask", tiny_network)
