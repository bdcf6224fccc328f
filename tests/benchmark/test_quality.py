"""The quality harness with a tiny network all the way through."""

from pathlib import Path

import numpy as np
import pytest

from napari_vost.benchmark.quality import evaluate, follow
from napari_vost.datasets import find_layout
from napari_vost.engine import EngineOptions
from napari_vost.errors import InputError, ReadError, UnknownName
from napari_vost.model.network import Sam2Network


def first_case(name: str, folder: Path):
    return next(find_layout(name).cases(folder))


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
    assert (report.clicks, found.cases, found.corrections) == (0, 2, None)
    assert found.copied.frames is not None
    assert found.copied.frames.mean == pytest.approx(5 / 6)
    assert found.prompted.mean == 1.0
    assert (found.unit, found.measured) == ("mm", 1)  # the other patient's pixel size is unknown
    alone = report.summary("RV")  # on one slice only: nothing is left to judge but slices without it
    assert (alone.cases, alone.found.frames, alone.gain) == (0, None, None)


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


def test_corrections_follow_the_prompt_and_leave_what_was_found_before(acdc: Path, tiny_network: Sam2Network) -> None:
    case = first_case("acdc", acdc)
    plain = {one.structure: one for one in follow(case, "mask", tiny_network)}
    corrected = {one.structure: one for one in follow(case, "mask", tiny_network, clicks=2)}
    assert set(plain) == set(corrected) == {"LV", "RV"}
    for name, one in corrected.items():
        np.testing.assert_array_equal(one.found, plain[name].found)
        assert (len(one.clicks), len(one.corrected)) == (2, 2)
        assert (plain[name].clicks, plain[name].corrected) == ((), ())


def test_a_cine_is_clicked_on_labelled_frames_only(acdc_cine: Path, tiny_network: Sam2Network) -> None:
    case = first_case("acdc_cine", acdc_cine)
    for one in follow(case, "mask", tiny_network, clicks=2):
        assert all(click is None or click.frame_index in (0, 4) for click in one.clicks)
        assert not any(masks[5:].any() for masks in one.corrected)


def test_a_report_with_clicks_has_figures_after_each(acdc: Path, tiny_network: Sam2Network) -> None:
    report = evaluate(find_layout("acdc"), acdc, "box", tiny_network, limit=1, clicks=2)
    assert report.clicks == 2
    assert all(len(mark.corrected) == 2 for mark in report.marks)
    found = report.summary("LV").corrections
    assert found is not None
    assert len(found.after) == len(found.gains) == 2


def test_clicks_below_zero_are_refused(acdc: Path, tiny_network: Sam2Network) -> None:
    with pytest.raises(InputError, match="clicks must be 0 or more"):
        evaluate(find_layout("acdc"), acdc, "mask", tiny_network, clicks=-1)
