"""What "auto" takes for memory, and why."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from napari_vost.contracts import Facts, Rule
from napari_vost.memory import policies
from napari_vost.memory.policies import LONG_FRAMES, RULES, choose_policy, policy_names
from napari_vost.motion import priors

CINE = Facts("time", 60, 0.05, candidates=3)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts("depth", 500, candidates=3), "quality"),
        (CINE, "fifo"),
        (replace(CINE, frames=LONG_FRAMES), "fifo"),
        (replace(CINE, frames=LONG_FRAMES + 1), "restricted"),
        (replace(CINE, heart_rate_hz=1.0, tells_phase=True), "phase"),
        (replace(CINE, heart_rate_hz=1.0, tells_phase=True, frames=1000), "phase"),
        (replace(CINE, heart_rate_hz=1.0, tells_phase=False), "fifo"),
        (replace(CINE, heart_rate_hz=0.5, tells_phase=True), "quality"),
        (replace(CINE, heart_rate_hz=11.0, tells_phase=True), "fifo"),
        (replace(CINE, look_alikes=True), "restricted"),
        (replace(CINE, look_alikes=False), "fifo"),
        (Facts("depth", 40, candidates=3, look_alikes=True), "restricted"),
    ],
)
def test_auto_goes_by_what_is_known(facts: Facts, expected: str) -> None:
    name, reason = choose_policy(facts)
    assert name == expected
    assert reason.endswith(".") and reason.count(".") <= 2 and "{" not in reason


def test_a_policy_that_the_network_has_too_few_candidates_for_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Rule("distractor", lambda clip: True, "Whatever it is.")
    monkeypatch.setattr(policies, "RULES", (first, *RULES))
    assert choose_policy(replace(CINE, candidates=3))[0] == "distractor"
    assert choose_policy(replace(CINE, candidates=1))[0] == "fifo"


def test_the_reason_says_what_was_counted() -> None:
    assert "3.0 cycles" in choose_policy(replace(CINE, heart_rate_hz=1.0, tells_phase=True))[1]
    assert "60 frames" in choose_policy(CINE)[1]


def test_the_table_names_registered_policies_and_leaves_nothing_out() -> None:
    assert {rule.name for rule in RULES} <= set(policy_names()) - {"auto"}
    assert RULES[-1].applies(CINE) and RULES[-1].applies(Facts("depth"))


def test_the_page_shows_the_tables_as_they_are() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "policies.md").read_text(encoding="utf-8")
    tables = page.partition("## What `auto` takes")[2].split("| clip | ")[1:]
    shown = [[name.strip("`") for name in re.findall(r"\| (`?\w+`?) \|$", one, re.MULTILINE)] for one in tables]
    merged = list(dict.fromkeys(rule.name for rule in priors.RULES))
    assert shown == [[rule.name for rule in RULES], merged]
