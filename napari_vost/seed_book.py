"""Seeds by place: made when they are needed, kept while their prompts stay the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from napari_vost.contracts import MemoryBank
from napari_vost.history import Ledger, Place, Settings
from napari_vost.seeding import Before, Seed, seed
from napari_vost.step import Engine, FrameView
from napari_vost.types import MaskPrompt, Prompt

FrameAt = Callable[[int], FrameView]


class SeedBook:
    """Seeds of the prompted and the locked frames of a session.

    Parameters
    ----------
    ledger
        Prompts, masks and locks; the book only reads it.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._seeds: dict[Place, Seed] = {}
        self._next_entry = 0

    def known(self, object_id: int) -> dict[int, tuple[Prompt, ...]]:
        """What is certain of an object: its prompted frames, and locked frames beside unlocked ones as their masks."""
        settings = self._ledger.settings
        known = {frame: settings.prompts_at((object_id, frame)) for frame in settings.prompted_frames(object_id)}
        locked = {frame for one, frame in settings.locks if one == object_id}
        for frame in sorted(locked):
            kept = self._ledger.kept.get((object_id, frame))
            if kept is not None and not {frame - 1, frame + 1} <= locked:
                known[frame] = (MaskPrompt(frame, object_id, kept.mask),)
        return dict(sorted(known.items()))

    def answer(
        self, engine: Engine, frame_at: FrameAt, places: Iterable[Place], settings: Settings
    ) -> dict[Place, Seed]:
        """Answer places under settings that are not yet the ledger's; nothing is kept if one of them fails."""
        answers = {place: self._make(engine, frame_at, place, settings) for place in places}
        self._seeds.update(answers)
        return answers

    def at(self, engine: Engine, frame_at: FrameAt, place: Place) -> Seed:
        """Seed of a prompted or locked frame, from the book or made again."""
        prompts = self.known(place[0])[place[1]]
        found = self._seeds.get(place)
        if found is None or found.prompts != prompts:
            settings = self._ledger.settings
            if prompts == settings.prompts_at(place):
                found = self._make(engine, frame_at, place, settings)
            else:
                self._next_entry += 1
                found = seed(engine, frame_at(place[1]), prompts, Before(), self._next_entry)
            self._seeds[place] = found
        return found

    def _make(self, engine: Engine, frame_at: FrameAt, place: Place, settings: Settings) -> Seed:
        bank = MemoryBank()
        if place in settings.bases:  # a correction reads the object's other prompted frames
            others = [frame for frame in self.known(place[0]) if frame != place[1]]
            bank = MemoryBank(tuple(self.at(engine, frame_at, (place[0], frame)).entry for frame in others))
        self._next_entry += 1
        before = Before(bank, settings.bases.get(place))
        prompts = settings.prompts_at(place)
        return seed(engine, frame_at(place[1]), prompts, before, self._next_entry, self._seeds.get(place))
