"""Names that do not fit the clip or the network, and masks without a pixel: refused, or gone round, in one sentence."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.errors import InputError, UnknownName, VostWarning
from napari_vost.memory.policies import policy_names
from napari_vost.model.network import Sam2Network
from napari_vost.motion.priors import prior_names
from napari_vost.session import Session
from napari_vost.testing import BrightNetwork

PAIRS = [(name, "none") for name in policy_names() if name != "auto"]
PAIRS += [("phase", name) for name in prior_names() if name not in ("auto", "none")]


def drifting_cine(frames: int = 140) -> Clip:
    """A bright disc that drifts by half a pixel per frame and never swings."""
    rows, columns = np.mgrid[0:96, 0:96]
    stack = [((rows - 30) ** 2 + (columns - 12 - at / 2) ** 2 < 60) * 200 for at in range(frames)]
    return Clip.from_array(np.stack(stack).astype(np.uint8), order="time", frame_times_s=tuple(np.arange(frames) / 20))


def swinging_cine(frames: int) -> Clip:
    """A bright disc that swings, 12 frames per cycle."""
    rows, columns = np.mgrid[0:96, 0:96]
    stack = [((rows - 30) ** 2 + (columns - 47 - 9 * np.sin(at * np.pi / 6)) ** 2 < 60) * 200 for at in range(frames)]
    return Clip.from_array(np.stack(stack).astype(np.uint8), order="time", frame_times_s=tuple(np.arange(frames) / 20))


def said_while_following(motion: str, clip: Clip, at: int) -> tuple[Session, list[str]]:
    """A session on a cine, followed twice from a frame, and its notices."""
    session = Session(clip, BrightNetwork(96), motion=motion)
    y, x = np.argwhere(clip.frame(at) > 0).mean(axis=0)
    session.add_point(at, (y, x))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in (*session.propagate(), *session.propagate(exact=True)):
            pass
    return session, [str(one.message) for one in said if issubclass(one.category, VostWarning)]


@pytest.mark.parametrize(
    ("words", "meant"),
    [({"memory": "fiffo"}, "fifo"), ({"motion": "kallman"}, "kalman"), ({"model": "vost-nan"}, "vost-nano")],
)
def test_an_unknown_name_is_refused_at_once_with_what_was_meant(cine: Clip, words: dict[str, Any], meant: str) -> None:
    with pytest.raises(UnknownName, match=f"Did you mean '{meant}'"):
        Session(cine, **words)


@pytest.mark.parametrize("name", ["tree", "distractor"])
def test_a_policy_that_compares_candidates_is_refused_with_the_first_prompt_and_nothing_changes(
    cine: Clip, name: str
) -> None:
    session = Session(cine, BrightNetwork(), memory=name)
    with pytest.raises(InputError, match=f"{name}.*needs 2 or more; bright gives 1.*'quality'"):
        session.add_point(0, (48, 30))
    assert session.prompts == ()
    assert session.undo() is None


@pytest.mark.parametrize(("memory", "motion"), PAIRS)
def test_masks_without_a_pixel_break_no_policy_and_no_prior(
    tiny_network: Sam2Network, cine: Clip, memory: str, motion: str
) -> None:
    session = Session(cine, tiny_network, memory=memory, motion=motion)
    here, gone = cine.frame(2) > 160, np.zeros((96, 80), bool)
    session.add_mask(2, here)
    for frame in (0, 6, 7):
        session.add_mask(frame, gone)
    reached = {result.frame_index for result in session.propagate()}
    assert reached == set(range(12))
    assert not session.label_map(dense=True)[[0, 6, 7]].any()
    assert np.array_equal(session.label_map(dense=True)[2] > 0, here)


@pytest.mark.parametrize("motion", ["none", *(name for name in prior_names() if name not in ("auto", "none"))])
def test_nothing_but_masks_without_a_pixel_is_followed_too(tiny_network: Sam2Network, cine: Clip, motion: str) -> None:
    session = Session(cine, tiny_network, motion=motion)
    session.add_mask(5, np.zeros((96, 80), bool))
    assert {result.frame_index for result in session.propagate()} == set(range(12))
    assert not session.label_map(dense=True)[5].any()


@pytest.mark.parametrize("motion", ["harmonic", "imm"])
def test_a_periodic_prior_on_what_never_swings_says_once_that_it_falls_back(motion: str) -> None:
    session, said = said_while_following(motion, drifting_cine(), 70)
    assert len(said) == 1
    assert "No rhythm showed in 71 frames" in said[0] and f"'{motion}' went by constant velocity" in said[0]
    plain, nothing = said_while_following("kalman", drifting_cine(), 70)
    assert nothing == []
    assert session.forecast(100)[2].box == plain.forecast(100)[2].box


def test_one_cycle_of_an_unknown_rate_is_no_rhythm_and_a_few_frames_are_no_reason_to_say_so() -> None:
    for frames, at, count in ((90, 0, 0), (90, 15, 0), (23, 0, 1), (19, 0, 0)):
        assert len(said_while_following("harmonic", swinging_cine(frames), at)[1]) == count


@pytest.mark.parametrize("motion", ["harmonic", "imm"])
def test_a_periodic_prior_on_a_volume_falls_back_and_says_so(motion: str) -> None:
    volume = Clip.from_array(drifting_cine(8).frames.array, order="depth")
    session = Session(volume, BrightNetwork(96), motion=motion)
    with pytest.warns(VostWarning, match=f"'{motion}' follows a cycle in time and the clip is a volume: none is used"):
        assert session.engine.prior is None
    assert session.chosen.motion == "none"
    assert "volume" in session.chosen.motion_reason


@pytest.mark.parametrize("motion", ["harmonic", "imm"])
def test_a_rate_above_half_the_frame_rate_is_refused_by_periodic_priors_and_gone_round_by_auto(motion: str) -> None:
    fast = replace(drifting_cine(8), heart_rate_hz=11.0)
    with pytest.raises(InputError, match=r"11 Hz cannot be followed at 20 frames per second.*'kalman'"):
        Session(fast, BrightNetwork(96), motion=motion).add_point(0, (30, 12))
    chosen = Session(fast, BrightNetwork(96)).chosen
    assert chosen.motion == "regression"
    assert "cannot carry" in chosen.motion_reason


def test_a_rate_is_refused_before_weights_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_vost.engine.load_network", lambda *given: pytest.fail("weights were loaded"))
    with pytest.raises(InputError, match="11 Hz"):
        Session(replace(drifting_cine(8), heart_rate_hz=11.0), motion="harmonic").add_point(0, (30, 12))
