"""Confidence: in 0 to 1, never lowered by better evidence, and tied to the weights that it was fitted to."""

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from napari_vost.confidence import (
    FILE,
    TERMS,
    WEIGHED,
    Calibration,
    Evidence,
    LogisticSum,
    Signs,
    Term,
    confidence,
    load_calibration,
    save_calibration,
)
from napari_vost.errors import WeightsError
from napari_vost.model.loading import load_network

SIGNS = Signs(0.8, 0.9, 3.0, 0.85, 0.2)
PAINTED = Evidence(0.8, 4.0, SIGNS, Signs(0.7, 0.85, 2.0, 0.8, -0.1), 5, judged=0.8)
EMPTY = Evidence(0.3, -2.0, None, SIGNS, 5, judged=-0.4)
PROMPTED = Evidence(0.8, 4.0, SIGNS, None, 0)
HAND = LogisticSum(0.5, (Term("occurrence", 2.0, 1.0), Term("motion", 3.0, 0.6)))


@pytest.fixture(scope="module")
def shipped() -> Calibration:
    calibration = load_network("vost-nano", "cpu").traits.calibration
    assert calibration is not None, "models/vost-nano/confidence.json was made for other weights: fit it again"
    return calibration


def made(name: str = "hand") -> Calibration:
    return Calibration(name, dict.fromkeys(WEIGHED, HAND))


def test_the_sum_is_the_logistic_one() -> None:
    evidence = replace(PAINTED, occurrence=1.25, motion=0.5)
    assert confidence(evidence, made()) == pytest.approx(1 / (1 + math.exp(-(0.5 + 2.0 * 0.25 - 3.0 * 0.1))))


def test_missing_evidence_says_neither_yes_nor_no() -> None:
    without = confidence(replace(PAINTED, motion=None), made())
    assert without == confidence(replace(PAINTED, motion=0.6), made())
    assert confidence(replace(PAINTED, motion=0.2), made()) < without < confidence(replace(PAINTED, motion=0.9), made())


def test_the_kind_of_an_answer_chooses_its_sum() -> None:
    cine, lost = (replace(one, order="time") for one in (PAINTED, EMPTY))
    answers = [PROMPTED, PAINTED, EMPTY, cine, lost, replace(PROMPTED, signs=None, order="time")]
    assert [one.kind for one in answers] == ["prompted", "slice", "slice", "frame", "empty frame", "prompted"]
    biases = {"prompted": 0.0, "slice": 1.0, "frame": 2.0, "empty frame": 3.0}
    sums = Calibration("x", {kind: LogisticSum(bias, ()) for kind, bias in biases.items()})
    found = [confidence(one, sums) for one in answers]
    assert found == pytest.approx([1 / (1 + math.exp(-bias)) for bias in (0, 1, 1, 2, 3, 0)])


def test_a_cine_that_began_with_a_better_answer_gets_more(shipped: Calibration) -> None:
    cine = replace(PAINTED, order="time")
    found = [confidence(replace(cine, start=start), shipped) for start in (0.0, 0.4, 0.8, 0.94, 0.96, 1.0)]
    assert found == sorted(found)
    assert found[0] < found[-2] == found[-1]  # sharper than that is no better than a painted mask


def test_a_followed_answer_that_no_judge_has_seen_is_plain(shipped: Calibration) -> None:
    for one in (PAINTED, EMPTY):
        unseen = replace(one, judged=None)
        assert confidence(unseen, shipped) == confidence(unseen, None) != confidence(one, shipped)


def test_a_better_verdict_gets_more(shipped: Calibration) -> None:
    found = [confidence(replace(PAINTED, judged=verdict), shipped) for verdict in (-40.0, -2.0, 0.0, 2.0, 40.0)]
    assert found == sorted(found)
    assert found[0] < 0.05
    assert found[-1] > 0.95


@pytest.mark.parametrize("sign", ["affinity", "sharpness", "firmness"])
def test_better_signs_never_lower_that_of_a_prompt(shipped: Calibration, sign: str) -> None:
    values = (-40.0, -1.0, 0.0, 2.0, 40.0) if sign == "firmness" else (0.0, 0.1, 0.5, 0.7, 0.9, 0.99, 1.0)
    found = []
    for value in values:
        evidence = replace(PROMPTED, signs=replace(SIGNS, **{sign: value}))
        found.append(confidence(replace(evidence, affinity=value) if sign == "affinity" else evidence, shipped))
    assert found == sorted(found)
    assert all(0 <= number <= 1 for number in found)


def test_without_a_calibration_it_is_affinity_times_occurrence() -> None:
    assert confidence(replace(PAINTED, occurrence=0.0 + 1e-9), None) == pytest.approx(0.4)
    assert confidence(replace(EMPTY, occurrence=-math.log(3)), None) == pytest.approx(0.75)
    assert 0 <= confidence(replace(EMPTY, occurrence=-1e9), None) <= 1


def test_extremes_stay_between_0_and_1(shipped: Calibration) -> None:
    for number, one, order in itertools.product((-1e6, 0.0, 1e6), (PAINTED, EMPTY, PROMPTED), ("depth", "time")):
        signs = None if one.signs is None else Signs(number, number, number, number, number)
        evidence = Evidence(number, number, signs, signs, one.distance, number, order, judged=number)
        assert 0.0 <= confidence(evidence, shipped) <= 1.0


def test_the_shipped_constants_belong_to_the_shipped_weights(shipped: Calibration) -> None:
    assert shipped.weights == load_network("vost-nano", "cpu").fingerprint
    for kind, names in WEIGHED.items():
        terms = shipped.sums[kind].terms
        assert terms
        assert {term.name for term in terms} <= set(names) <= set(TERMS)
        assert all(term.weight > 0 for term in terms)


def test_weights_that_are_fitted_to_a_case_keep_it(shipped: Calibration) -> None:
    forked = load_network("vost-nano", "cpu").fork()
    assert forked.traits.calibration == shipped


def test_a_calibration_comes_back_from_its_file(tmp_path: Path) -> None:
    save_calibration(made(), tmp_path)
    assert load_calibration(tmp_path, "hand") == made()


def test_constants_of_other_weights_are_left_alone(tmp_path: Path) -> None:
    save_calibration(made(), tmp_path)
    assert load_calibration(tmp_path, "others") is None
    assert load_calibration(tmp_path / "nothing", "hand") is None


@pytest.mark.parametrize(("name", "weight"), [("affinity", -0.5), ("beauty", 1.0), ("affinity", float("nan"))], ids=str)
def test_a_damaged_file_is_refused(tmp_path: Path, name: str, weight: float) -> None:
    save_calibration(made(), tmp_path)
    known = json.loads((tmp_path / FILE).read_text())
    known["sums"]["slice"]["terms"][0] |= {"name": name, "weight": weight}
    (tmp_path / FILE).write_text(json.dumps(known))
    with pytest.raises(WeightsError, match="is no calibration"):
        load_calibration(tmp_path, "hand")


def test_lowest_is_taken_sign_by_sign() -> None:
    one, other = Signs(0.1, 0.9, 3.0, 0.2, -1.0), Signs(0.5, 0.6, 4.0, 0.1, 0.0)
    assert one.lowest(other) == Signs(0.1, 0.6, 3.0, 0.1, -1.0)
    assert one.lowest(None) == one
