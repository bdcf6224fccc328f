"""Answers with evidence and truth: of every judged frame one, with the Dice that a session's masks have."""

import numpy as np

from napari_vost import Session
from napari_vost.benchmark.confidence_table import data_rows, evidence_rows, tried_rows
from napari_vost.benchmark.witness import Exam, facts_of, sample_of, witness
from napari_vost.confidence import Calibration, LogisticSum, Term
from napari_vost.metrics.overlap import dice
from napari_vost.model.network import Sam2Network
from napari_vost.phantoms.simple import moving_disc_cine

FRAMES = 8
PHANTOM = moving_disc_cine(frames=FRAMES)
TRUTH = PHANTOM.labels == 1


def exam(prompt: str, **changes: object) -> Exam:
    return Exam(**{"truths": {1: TRUTH}, "prompted": {1: 2}, "known": range(FRAMES), "prompt": prompt} | changes)


def test_samples_are_what_a_session_would_answer(tiny_network: Sam2Network) -> None:
    found = list(witness(Session(PHANTOM.clip(), tiny_network), exam("mask")))
    session = Session(PHANTOM.clip(), tiny_network)
    session.add_mask(2, TRUTH[2])
    for _ in session.propagate():
        pass
    order = [3, 4, 5, 6, 7, 1, 0]
    assert [one.evidence.distance for one in found] == [1, 2, 3, 4, 5, 1, 2]
    assert [one.dice for one in found] == [dice(session.preview(frame)[1], TRUTH[frame]) for frame in order]
    assert [one.plain for one in found] == [session.ledger.kept[1, frame].confidence for frame in order]
    assert all(one.held for one in found)


def test_only_known_frames_are_judged_and_prompts_that_are_not_the_truth(tiny_network: Sam2Network) -> None:
    found = list(witness(Session(PHANTOM.clip(), tiny_network), exam("box", known=(0, 4), extra={1: (5, 6)})))
    assert [one.evidence.kind for one in found[:3]] == ["prompted"] * 3
    assert sorted(one.evidence.distance for one in found[3:]) == [2, 2]


def test_further_numbers_are_gathered(tiny_network: Sam2Network) -> None:
    found = list(witness(Session(PHANTOM.clip(), tiny_network), exam("mask")))
    for one in found:
        assert one.tried["margin"] >= 0
        assert 0 <= one.tried["candidates agree"] <= 1
        assert -1.001 <= one.tried["memory entropy"] <= 0
        assert 0 < one.tried["read of prompts"] <= 1.001
        assert -1.001 <= one.tried["pointer"] <= 1.001
        assert 0 <= one.tried.get("second opinion", 0.0) <= 1
    first, second = (one.tried["read of prompts"] for one in found[:2])
    assert first > 0.9  # only the prompted frame is remembered yet; its pointer takes the rest
    assert second < first


def test_a_sample_survives_its_file(tiny_network: Sam2Network) -> None:
    for one in witness(Session(PHANTOM.clip(), tiny_network), exam("mask")):
        assert sample_of(facts_of(one)) == one


def test_tables_judge_a_calibration() -> None:
    made = LogisticSum(0.0, (Term("judged", 1.0, 0.0),))
    random = np.random.default_rng(0)
    samples = []
    for _ in range(200):
        facts = {"affinity": 0.5, "occurrence": float(random.normal()), "distance": 3, "motion": None, "order": "depth"}
        facts |= {"signs": dict.fromkeys(("affinity", "sharpness", "firmness", "overlap", "size"), 0.5)}
        facts |= {"lowest": facts["signs"]}
        good = bool(random.random() < 1 / (1 + np.exp(-3 * facts["occurrence"])))
        facts |= {"judged": facts["occurrence"]}
        tried = {"pointer": float(good) + random.normal()}
        samples.append(sample_of({"evidence": facts, "dice": float(good), "held": True, "tried": tried}))
    calibration = Calibration("x", {"slice": made})
    one, pooled, mean = data_rows({"a": samples}, calibration)
    assert one[1:] == pooled[1:] == mean[1:]
    assert one[1] == "200"
    assert 0.8 < float(one[3]) < 1
    rows = {row[0]: row[1:] for row in evidence_rows({"a": samples}, {"b": samples})}
    assert rows["occurrence"] == rows["the judge"] == (one[3], "-", "-", one[3])
    assert rows["motion"] == ("-",) * 4
    assert float(rows["affinity"][0]) == 0.5  # it is the same everywhere
    assert rows["all of these in one sum"] == rows["occurrence"]
    tried = {row[0]: row for row in tried_rows({"a": samples}, {"b": samples})}
    assert tried["margin"][2:] == ("-", "-", "-")
    assert float(tried["pointer"][4]) > float(tried["pointer"][3])
