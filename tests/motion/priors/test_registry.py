"""Priors by name, and what "auto" takes."""

import pytest

from napari_vost.contracts import Facts
from napari_vost.errors import InputError, UnknownName
from napari_vost.motion.priors import choose_prior, make_prior, prior_names
from napari_vost.types import Order

NAMES = ("flow", "harmonic", "imm", "kalman", "points", "regression")


@pytest.mark.parametrize("name", NAMES)
def test_every_name_makes_a_prior_of_that_name(name: str) -> None:
    prior = make_prior(name, 0.05, 1.2, (1.5, 1.5))
    assert prior is not None
    assert prior.name == name
    assert name in prior_names()


def test_none_is_no_prior() -> None:
    assert make_prior("none") is None


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="kalman"):
        make_prior("kallman")


@pytest.mark.parametrize(
    ("order", "frame_time_s", "rate", "expected"),
    [
        ("depth", 0.05, 1.2, "none"),
        ("time", 0.05, 1.2, "imm"),
        ("time", 0.05, 0.9, "regression"),
        ("time", None, None, "flow"),
        ("time", 0.05, None, "flow"),
        ("time", None, 1.2, "flow"),
        ("time", 0.5, 1.2, "regression"),
        ("time", 0.05, 0.0, "regression"),
    ],
)
def test_auto_goes_by_what_is_known_of_the_clip(
    order: Order, frame_time_s: float | None, rate: float | None, expected: str
) -> None:
    name, reason = choose_prior(Facts(order, 40, frame_time_s, rate))
    assert name == expected
    assert reason.endswith(".")
    assert "{" not in reason
    prior = make_prior(name, frame_time_s, rate)
    assert (prior.name if prior else "none") == expected


def test_the_reason_names_what_was_counted() -> None:
    assert "2.4 cycles" in choose_prior(Facts("time", 40, 0.05, 1.2))[1]
    assert "12 Hz" in choose_prior(Facts("time", 40, 0.05, 12.0))[1]


def test_only_priors_that_follow_a_cycle_call_themselves_periodic() -> None:
    periodic = [name for name in NAMES if getattr(make_prior(name), "periodic", False)]
    assert periodic == ["harmonic", "imm"]


@pytest.mark.parametrize("name", ["harmonic", "imm"])
def test_a_rate_that_the_frames_cannot_carry_is_refused_by_periodic_priors_alone(name: str) -> None:
    with pytest.raises(InputError, match="half the frame rate"):
        make_prior(name, 0.5, 1.2)
    assert make_prior("kalman", 0.5, 1.2) is not None
