"""What a session tells of its engine: what was chosen and why, and where an object goes next."""

from dataclasses import replace

import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.engine import EngineOptions
from napari_vost.errors import InputError, PromptError
from napari_vost.masks import Mask, box_of
from napari_vost.model.network import Sam2Network
from napari_vost.session import Session
from napari_vost.testing import BrightNetwork

FRAMES = 50


def disc_at(frame: int) -> tuple[float, float]:
    return 40 + 12 * np.sin(2 * np.pi * frame / 12), 20 + 0.8 * frame


def disc(at: int) -> Mask:
    """The disc on one frame, (80, 96)."""
    rows, columns = np.mgrid[0:80, 0:96]
    y, x = disc_at(at)
    return np.asarray((rows - y) ** 2 + (columns - x) ** 2 < 64)


def disc_cine(frames: int = FRAMES, empty: range = range(0)) -> Clip:
    """A bright disc of radius 8 that swings along y, 12 frames per cycle, and drifts along x."""
    stack = np.stack([disc(at) & (at not in empty) for at in range(frames)]).astype(np.uint8) * 200
    times = tuple(0.05 * at for at in range(frames))
    return Clip.from_array(stack, (1.0, 0.5, 2.0), "time", times)


def followed(clip: Clip, motion: str = "auto", frames: tuple[int, int] | None = None, at: int = 0) -> Session:
    session = Session(clip, BrightNetwork(80), motion=motion)
    session.add_point(at, disc_at(at))
    for _ in session.propagate(frames=frames):
        pass
    return session


@pytest.mark.parametrize(("motion", "error_px"), [("auto", 3.5), ("harmonic", 1.5), ("imm", 1.5), ("regression", 3.5)])
def test_a_forecast_says_where_the_next_five_frames_are_and_how_surely(motion: str, error_px: float) -> None:
    session = followed(disc_cine(), motion)
    found = session.forecast(40)
    assert [one.frame_index for one in found] == [41, 42, 43, 44, 45]
    truth = disc_cine().frames.array > 0
    for one in found:
        y, x = disc_at(one.frame_index)
        assert np.hypot((one.box[0] + one.box[2] - 1) / 2 - y, (one.box[1] + one.box[3] - 1) / 2 - x) < error_px
        seen = box_of(truth[one.frame_index])
        assert seen is not None and one.holds(seen)
        assert one.outer[0] < one.box[0] and one.outer[3] > one.box[3]
        assert one.deviation_mm == pytest.approx(tuple(np.array(one.deviation_px) * [0.5, 2.0, 0.5, 2.0]))


def test_a_negative_horizon_looks_back_from_the_masks_behind() -> None:
    found = followed(disc_cine(), "harmonic").forecast(10, horizon=-3)
    assert [one.frame_index for one in found] == [9, 8, 7]
    for one in found:
        assert abs((one.box[0] + one.box[2] - 1) / 2 - disc_at(one.frame_index)[0]) < 1.5


def test_only_masks_up_to_the_frame_count_and_those_of_both_sweeps_do() -> None:
    session = followed(disc_cine(), "regression", at=30)
    before = session.forecast(40)
    later = np.zeros((80, 96), bool)
    later[:5, :5] = True
    session.add_mask(45, later)
    assert session.forecast(40)[-1].box == before[-1].box
    earlier = followed(disc_cine(), "regression", frames=(25, 50), at=30)
    assert earlier.forecast(40)[-1].box != before[-1].box


def test_frames_can_be_forecast_while_a_clip_is_followed() -> None:
    clip = disc_cine()
    session, held = Session(clip, BrightNetwork(80), motion="harmonic"), []
    session.add_point(0, disc_at(0))
    for result in session.propagate("forward"):
        if 30 <= result.frame_index < FRAMES - 1:
            seen = box_of(disc(result.frame_index + 1))
            held.append(seen is not None and session.forecast(result.frame_index, horizon=1)[0].holds(seen))
    assert len(held) == 19 and np.mean(held) > 0.8


def test_the_last_frame_can_be_looked_beyond() -> None:
    found = followed(disc_cine(), "harmonic").forecast(FRAMES - 1, horizon=2)
    assert [one.frame_index for one in found] == [FRAMES, FRAMES + 1]
    assert abs((found[1].box[1] + found[1].box[3] - 1) / 2 - disc_at(FRAMES + 1)[1]) < 1.5


def test_frames_without_the_object_make_a_forecast_less_sure() -> None:
    seen, lost = followed(disc_cine(), "kalman"), followed(disc_cine(empty=range(35, 41)), "kalman")
    assert lost.forecast(40)[0].deviation_px[0] > seen.forecast(40)[0].deviation_px[0]


def test_a_forecast_changes_nothing() -> None:
    session = followed(disc_cine(), "harmonic")
    before, done = session.label_map(dense=True), len(session.ledger.done)
    session.forecast(20)
    assert np.array_equal(before, session.label_map(dense=True))
    assert len(session.ledger.done) == done


def test_what_cannot_be_forecast_is_refused_in_a_sentence() -> None:
    session = followed(disc_cine(), frames=(0, 20))
    for wrong, words in (
        ({"frame_index": FRAMES}, "Frame 50 does not exist"),
        ({"frame_index": -1}, "Frame -1 does not exist"),
        ({"frame_index": 30}, "no mask on frame 30"),
        ({"frame_index": 10, "horizon": 0}, "0 frames"),
        ({"frame_index": 10, "horizon": 1000}, "at most 30 frames"),
    ):
        with pytest.raises(InputError, match=words):
            session.forecast(**wrong)
    with pytest.raises(PromptError, match="Object 7 does not exist"):
        session.forecast(10, object_id=7)


def test_without_a_motion_prior_the_refusal_names_one() -> None:
    for session in (followed(disc_cine(), "none"), followed(Clip.from_array(disc_cine().frames.array, order="depth"))):
        with pytest.raises(InputError, match="choose motion 'regression' or 'kalman'"):
            session.forecast(10)


def test_an_object_that_was_never_seen_has_no_forecast() -> None:
    session = Session(disc_cine(), BrightNetwork(80))
    session.add_mask(0, np.zeros((80, 96), bool))
    with pytest.raises(InputError, match="was not seen up to frame 0"):
        session.forecast(0)


def test_a_session_says_what_auto_chose_and_why(tiny_network: Sam2Network) -> None:
    cine = replace(disc_cine(), heart_rate_hz=1.0)
    volume = Clip.from_array(disc_cine().frames.array, order="depth")
    for clip, memory, motion in (
        (cine, "phase", "imm"),
        (disc_cine(), "fifo", "flow"),
        (volume, "quality", "none"),
    ):
        session = Session(clip, tiny_network)
        chosen, engine = session.chosen, session.engine
        assert (chosen.memory, chosen.motion) == (memory, motion)
        assert chosen.memory_reason.endswith(".") and chosen.motion_reason.endswith(".")
        assert engine.policy.name == memory
        assert (engine.prior.name if engine.prior else "none") == motion


def test_what_the_user_named_needs_no_reason() -> None:
    chosen = Session(disc_cine(), BrightNetwork(80), memory="quality", motion="kalman").chosen
    assert (chosen.memory, chosen.motion, chosen.memory_reason, chosen.motion_reason) == ("quality", "kalman", "", "")


def test_phase_is_chosen_only_where_motion_tells_it() -> None:
    cine = replace(disc_cine(), heart_rate_hz=1.0)
    assert Session(cine, BrightNetwork(80), motion="kalman").chosen.memory == "fifo"
    assert Session(cine, BrightNetwork(80), motion="harmonic").chosen.memory == "phase"


def test_sam2s_own_semantics_keep_its_own_memory_and_no_motion(tiny_network: Sam2Network) -> None:
    for clip in (disc_cine(), Clip.from_array(disc_cine().frames.array, order="depth")):
        session = Session(clip, tiny_network, options=EngineOptions(sam2=True))
        assert (session.chosen.memory, session.chosen.motion) == ("fifo", "none")
        assert session.engine.prior is None


def test_a_prior_that_goes_by_images_leaves_forecasts_to_regression() -> None:
    by_images, by_boxes = followed(disc_cine(), "flow", at=30), followed(disc_cine(), "regression", at=30)
    assert by_images.chosen.motion == "flow"
    assert [one.box for one in by_images.forecast(30)] == [one.box for one in by_boxes.forecast(30)]
