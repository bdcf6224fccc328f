"""Three tiers: what was just seen, frames at work, and prototypes of the long past. After XMem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from napari_vost.contracts import Answer, MemoryBank, MemoryEntry, Query, Recall, RecalledEntry
from napari_vost.memory.attention import moved_cells, sine_positions
from napari_vost.memory.policies.base import RankedPolicy, is_seen, newest_first
from napari_vost.memory.policies.places import grid_of, shared_places

WORK_EVERY = 5  # frames between two at work
WORK_LEFT = 2  # frames that stay at work when the others become prototypes
PROTOTYPES = 128  # tokens of one long-term entry
LONG = 8  # long-term entries
NEWEST = 0.7  # share of the newest tokens in the sensory ones


class Tiered(RankedPolicy):
    """Sensory tokens of the frame before, working frames, long-term prototypes.

    An approximation of XMem (arXiv:2207.07115) on a network's own memory tokens; no part is learnt. *Sensory* (slot 0,
    last in ``kept``): the tokens of the frame before, mixed place by place with the sensory tokens before them, for
    XMem's recurrent state. *Working* (slots 1 on): every fifth frame with the object, five of them for seven slots.
    When a sixth comes, all but two become one *long-term* entry (role ``"anchor"``, last slot but one): the 128 tokens
    that stand out most from their frame, weighed by how much the frame was read, each replaced with the softmax mean
    of all tokens like it, positions and cells too. Of more than eight long-term entries the least read goes.
    ``notes[entry_id]`` holds ``(sum of shares of attention, times read)``; XMem counts per token.
    """

    name = "tiered"
    wants_read = True

    def admit(self, entry: MemoryEntry, answer: Answer, row: int, bank: MemoryBank) -> MemoryBank:
        """Mix the sensory tokens; every fifth frame goes to work; too many become prototypes."""
        sensory = mixed(bank.kept[-1], entry) if bank.kept else entry
        older = [one for one in bank.kept[:-1] if one.frame_index != entry.frame_index]
        work = [one for one in older if one.role != "anchor"]
        long = [one for one in older if one.role == "anchor"]
        notes = dict(bank.notes)
        spaced = all(abs(one.frame_index - entry.frame_index) >= WORK_EVERY for one in (*bank.prompted, *work))
        if is_seen(entry) and spaced:
            work.append(entry)
        if len(work) > max(self._slots - 2, WORK_LEFT):
            long.append(prototypes(work[:-WORK_LEFT], notes))
            work = work[-WORK_LEFT:]
        if len(long) > LONG:
            long.remove(min(long[:-1], key=lambda one: _usage(one, notes)))
        left = {one.entry_id for one in (*long, *work)}
        notes = {entry_id: note for entry_id, note in notes.items() if entry_id in left}
        return replace(bank, kept=(*long, *work, sensory), notes=notes)

    def recall(self, bank: MemoryBank, query: Query) -> Recall:
        """All three tiers; a working frame that is the frame before is read as sensory only."""
        work = [one for one in bank.kept if one.role != "anchor"]
        work = [one for one in work if one is work[-1] or one.frame_index != work[-1].frame_index]
        recall = self._read(bank, query, newest_first(work), newest_first(work))
        long = [RecalledEntry(one, self._slots - 2) for one in bank.kept if one.role == "anchor"]
        return replace(recall, entries=(*recall.entries, *long))

    def observe(self, bank: MemoryBank, read: Mapping[int, float]) -> MemoryBank:
        """Count what working and long-term entries were read."""
        notes = dict(bank.notes)
        for entry in bank.kept[:-1]:
            if entry.entry_id in read and entry.entry_id != bank.kept[-1].entry_id:
                share, times = notes.get(entry.entry_id, (0.0, 0.0))
                notes[entry.entry_id] = (share + read[entry.entry_id], times + 1)
        return replace(bank, notes=notes)


def mixed(before: MemoryEntry, entry: MemoryEntry) -> MemoryEntry:
    """The entry with its tokens mixed with those of the sensory entry before, where both lie in the same place."""
    theirs, ours = shared_places(before, entry)
    tokens = entry.tokens.clone()
    tokens[ours] = torch.lerp(before.tokens[theirs].to(tokens.dtype), tokens[ours], NEWEST)
    return replace(entry, tokens=tokens)


def prototypes(entries: Sequence[MemoryEntry], notes: Mapping[int, tuple[float, ...]]) -> MemoryEntry:
    """One entry of at most 128 tokens that stand for those of all given entries, which are in order of writing.

    It carries frame, pointer and scores of the entry that was read most, and the region of the newest.
    """
    region, grid = entries[-1].region, grid_of(entries[-1])
    cells, positions, tokens, standing = [], [], [], []
    for one in entries:
        cells.append(moved_cells(one.cells_yx, one.region, region, grid))
        same = one.region == region
        places = one.positions if same else sine_positions(cells[-1], grid, one.positions.shape[-1])
        positions.append(places.to(torch.float32))
        tokens.append(one.tokens.to(torch.float32))
        standing.append((tokens[-1] - tokens[-1].mean(dim=0)).norm(dim=1) * _usage(one, notes))
    value, place = torch.cat(tokens), torch.cat(positions)
    key = value + place
    score = torch.cat(standing)
    chosen = score.topk(min(PROTOTYPES, len(score))).indices
    weight = (-torch.cdist(key[chosen], key).square() * key.shape[1] ** -0.5).softmax(dim=1)
    best = max(entries, key=lambda one: _usage(one, notes))
    return replace(
        best,
        role="anchor",
        region=region,
        tokens=(weight @ value).to(best.tokens.dtype),
        positions=(weight @ place).to(best.positions.dtype),
        cells_yx=weight @ torch.cat(cells),
    )


def _usage(entry: MemoryEntry, notes: Mapping[int, tuple[float, ...]]) -> float:
    """Share of attention that an entry got per read; a trace of it if it was never read."""
    share, times = notes.get(entry.entry_id, (0.0, 0.0))
    return share / max(times, 1.0) + 1e-6
