"""The doors for memory cards: take what a session remembers to another clip."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from numpy.typing import ArrayLike

from napari_vost.card import Card, find, load_card, save_card, search_frames, window_word
from napari_vost.clip import Clip
from napari_vost.errors import PromptError
from napari_vost.prompt_rules import check_frame
from napari_vost.search import Sighting
from napari_vost.seed_book import SeedBook
from napari_vost.sight import Engine, FrameView
from napari_vost.types import Label


class CardDoors(ABC):
    """Making and using cards, for whoever has an engine, a clip and prompts."""

    clip: Clip
    labels: dict[int, Label]
    _seeds: SeedBook

    @property
    @abstractmethod
    def engine(self) -> Engine:
        """The engine."""

    @property
    @abstractmethod
    def object_ids(self) -> tuple[int, ...]:
        """Objects."""

    @abstractmethod
    def frame_view(self, frame_index: int) -> FrameView:
        """A frame as the engine is given it."""

    @abstractmethod
    def add_mask(self, frame_index: int, mask: ArrayLike, object_id: int = 1) -> None:
        """Give a mask."""

    @abstractmethod
    def name_object(self, object_id: int, label: Label) -> None:
        """Say what an object is called."""

    def save_card(self, path: str | Path, object_id: int = 1) -> None:
        """Save what the prompted and locked frames of an object left in memory, for another clip.

        Raises
        ------
        PromptError
            No such object.
        InputError
            None of its prompted frames holds it.
        ExportError
            The place cannot be written to.
        """
        if object_id not in self.object_ids:
            raise PromptError(f"Object {object_id} does not exist: choose one of {self.object_ids}.")
        seeds = self._seeds.seeds(self.engine, self.frame_view, object_id)
        entries = tuple(one.entry for one in seeds if not one.mask.empty)
        _, y, x = self.clip.spacing_mm_zyx
        name = self.labels.get(object_id, Label(f"Object {object_id}")).name
        save_card(Card(name, entries, (y, x), window_word(self.engine)), Path(path))

    def use_card(self, path: str | Path, object_id: int = 1, frame_index: int | None = None) -> Sighting:
        """Look for what a card shows, and take what is found as a mask given by the user, to be followed or corrected.

        Parameters
        ----------
        path
            A file of `save_card`.
        object_id
            What it is to be here; a new object gets the card's name.
        frame_index
            Where to look; None looks at up to 9 frames and takes the surest sighting.

        Raises
        ------
        InputError
            Another network, adapter or intensity window, or nothing like it is found.
        ReadError
            The file is no card.
        """
        card = load_card(Path(path))
        if frame_index is not None:
            check_frame(frame_index, len(self.clip))
        frames = search_frames(len(self.clip)) if frame_index is None else (frame_index,)
        _, y, x = self.clip.spacing_mm_zyx
        found = find(self.engine, card, self.frame_view, frames, (y, x))
        self.add_mask(found.frame_index, found.mask, object_id)
        if object_id not in self.labels:
            self.name_object(object_id, Label(card.name))
        return found
