"""The objects of a window: which there are, what they are called, which one is in hand, which ones are shown."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_vost.display.colours import Colour, object_colour
from napari_vost.session import Session
from napari_vost.types import Label, Prompt


class Objects(QObject):
    """What a `Studio` knows of objects.

    Attributes
    ----------
    session
        What is worked on, None before one is open.
    object_id
        The object that prompts are for.
    hidden
        Objects whose masks are not shown.
    """

    objects_changed = Signal()  # names, colours, visibility, which one is active, which there are

    def __init__(self) -> None:
        super().__init__()
        self.session: Session | None = None
        self.object_id = 1
        self.hidden: frozenset[int] = frozenset()
        self._created: frozenset[int] = frozenset({1})
        self._waiting: list[Prompt] = []

    def change(
        self,
        call: Callable[[Session], Any],
        done: Callable[[Any], None] | None = None,
        failed: Callable[[str], None] | None = None,
        go_on: bool = False,
    ) -> None:
        """Change the session on the engine's thread."""
        raise NotImplementedError

    @property
    def object_ids(self) -> tuple[int, ...]:
        """Objects to show: those of the session, those that have a name, and those just made."""
        if self.session is None:
            return ()
        return tuple(sorted({*self.session.object_ids, *self.session.labels, *self._created}))

    def label(self, object_id: int) -> Label:
        """Name and colour of an object."""
        known = self.session.labels.get(object_id) if self.session is not None else None
        label = known or Label(f"Object {object_id}")
        return replace(label, colour_rgb=object_colour(object_id, known))

    def colour(self, object_id: int) -> Colour:
        """Colour (r, g, b), 0 to 255, of an object."""
        return object_colour(object_id, self.label(object_id))

    def choose(self, object_id: int) -> None:
        """Prompts are for this object from now on; one that does not exist yet is made."""
        if self.session is not None and object_id >= 1:
            self._created |= {object_id}
            self.object_id = object_id
            self.objects_changed.emit()

    def new_object(self) -> int:
        """Make an object and choose it; one that has neither prompt nor mask yet is as good."""
        if self.session is None:
            return 0
        fresh = [one for one in self.object_ids if one not in self.session.object_ids and not self._waits_for(one)]
        self.choose(fresh[0] if fresh else max(self.object_ids, default=0) + 1)
        return self.object_id

    def begin(self, objects: Collection[int]) -> None:
        """Have these objects in the list from now on."""
        self._created |= set(objects)

    def step_object(self, by: int) -> None:
        """Choose the next object of the list, or the one before."""
        ids = self.object_ids
        if ids:
            self.choose(ids[(ids.index(self.object_id) + by) % len(ids)])

    def rename(self, object_id: int, label: Label) -> None:
        """Name an object and choose its colour."""
        if self.session is not None:
            self.change(lambda session: session.name_object(object_id, label), go_on=True)

    def set_hidden(self, object_id: int, hidden: bool) -> None:
        """Show an object's masks or not."""
        self.hidden = self.hidden | {object_id} if hidden else self.hidden - {object_id}
        self.objects_changed.emit()

    def remove_object(self, object_id: int) -> None:
        """Take an object away, all of it; one step of undo."""
        if self.session is None:
            return
        self._created -= {object_id}
        if object_id in self.session.object_ids or self._waits_for(object_id):
            self.change(lambda session: session.remove_object(object_id), lambda _: self._chosen_is_gone())
        else:
            self._chosen_is_gone()

    def _chosen_is_gone(self) -> None:
        if self.object_id not in self.object_ids:
            self.choose(min(self.object_ids, default=1))
        else:
            self.objects_changed.emit()

    def _waits_for(self, object_id: int) -> bool:
        return any(one.object_id == object_id for one in self._waiting)
