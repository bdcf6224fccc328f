"""Prompts, labels and settings as JSON, adapted weights as bytes, for the ``.vost`` file."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from safetensors.torch import load, save
from torch import Tensor

from napari_vost.errors import SessionError
from napari_vost.history import Change, Follow, Place, Settings
from napari_vost.legs import Limits
from napari_vost.masks import PackedMask
from napari_vost.road import Standing
from napari_vost.types import BoxPrompt, Code, Label, MaskPrompt, PointPrompt, Prompt, ScribblePrompt

_KINDS = {"point": PointPrompt, "box": BoxPrompt, "scribble": ScribblePrompt, "mask": MaskPrompt}
_WORDS = {kind: word for word, kind in _KINDS.items()}


def encode_prompt(prompt: Prompt) -> dict[str, Any]:
    """A prompt as JSON values."""
    values = {key: value for key, value in vars(prompt).items() if key != "mask"}
    if isinstance(prompt, MaskPrompt):
        values["mask"] = encode_mask(prompt.mask)
    return {"kind": _WORDS[type(prompt)], **values}


def decode_prompt(values: dict[str, Any]) -> Prompt:
    """The prompt that `encode_prompt` encoded."""
    given = dict(values)
    kind = given.pop("kind", None)
    if kind not in _KINDS:
        raise SessionError(f"The session holds a prompt of unknown kind {kind!r}: it was saved by another program.")
    if kind == "scribble":
        given["points_yx"] = tuple((float(y), float(x)) for y, x in given["points_yx"])
    if kind == "mask":
        given["mask"] = decode_mask(given["mask"])
    prompt: Prompt = _KINDS[kind](**given)
    return prompt


def encode_standing(standing: Mapping[int, Standing]) -> str:
    """How far objects have been followed as JSON."""
    rows = sorted(standing.items())
    return json.dumps([[id_, sorted(one.changed), sorted(one.unreached), one.direction] for id_, one in rows])


def decode_standing(words: str) -> dict[int, Standing]:
    """What `encode_standing` encoded; empty where a file of an older version does not say."""
    rows = json.loads(words or "[]")
    return {int(one): Standing(frozenset(changed), frozenset(left), way) for one, changed, left, way in rows}


def encode_mask(mask: PackedMask) -> dict[str, Any]:
    """A packed mask as JSON values."""
    return {"shape": mask.shape, "box": mask.box, "data": base64.b64encode(mask.data).decode()}


def decode_mask(values: dict[str, Any]) -> PackedMask:
    """The mask that `encode_mask` encoded."""
    height, width = values["shape"]
    box = None if values["box"] is None else tuple(int(value) for value in values["box"])
    return PackedMask((height, width), box, base64.b64decode(values["data"]))  # type: ignore[arg-type]  # four numbers


def encode_change(change: Change) -> tuple[int, str, str | None, str | None, str | None, str | None]:
    """A change as columns: prompts kept from the front, prompts added behind, bases, locks, acceptances, limits."""
    bases = {
        "set": [[*place, encode_mask(new)] for place, (_, new) in sorted(change.bases.items()) if new is not None],
        "gone": sorted(place for place, (_, new) in change.bases.items() if new is None),
    }
    return (
        change.kept,
        json.dumps([encode_prompt(prompt) for prompt in change.added]),
        json.dumps(bases) if change.bases else None,
        _encode_places(change.locks),
        _encode_places(change.accepted),
        json.dumps([[one, new] for one, (_, new) in sorted(change.limits.items())]) if change.limits else None,
    )


def decode_change(before: Settings, columns: Sequence[Any]) -> Change:
    """The change that `encode_change` encoded, given the settings before it."""
    kept, added, bases_json, locks_json, accepted_json, limits_json = columns
    bases: dict[Place, tuple[PackedMask | None, PackedMask | None]] = {}
    if bases_json is not None:
        changed = json.loads(bases_json)
        bases.update({(one, at): (before.bases.get((one, at)), decode_mask(mask)) for one, at, mask in changed["set"]})
        bases.update({(one, at): (before.bases.get((one, at)), None) for one, at in changed["gone"]})
    limits: dict[int, tuple[Limits | None, Limits | None]] = {}
    for one, limit in [] if limits_json is None else json.loads(limits_json):
        limits[one] = (before.limits.get(one), None if limit is None else (limit[0], limit[1]))
    return Change(
        kept,
        before.prompts[kept:],
        tuple(decode_prompt(values) for values in json.loads(added)),
        bases,
        _decode_places(before.locks, locks_json),
        _decode_places(before.accepted, accepted_json),
        limits,
    )


def _encode_places(flipped: frozenset[Place]) -> str | None:
    return json.dumps({"flipped": sorted(flipped)}) if flipped else None


def _decode_places(before: frozenset[Place], text: str | None) -> frozenset[Place]:
    """Places that entered or left; files up to version 2 list all that stood afterwards instead."""
    if text is None:
        return frozenset()
    found = json.loads(text)
    if isinstance(found, list):
        return before ^ frozenset((int(one), int(frame)) for one, frame in found)
    return frozenset((int(one), int(frame)) for one, frame in found["flipped"])


def encode_follow(follow: Follow) -> str:
    """How frames were followed, as JSON text."""
    return json.dumps(asdict(follow))


def decode_follow(text: str) -> Follow:
    """What `encode_follow` encoded."""
    values = json.loads(text)
    frames, objects = values["frames"], values.get("objects")
    return Follow(
        values["direction"],
        None if frames is None else (frames[0], frames[1]),
        values["exact"],
        None if objects is None else tuple(objects),
    )


def encode_label(label: Label) -> str:
    """A label as JSON text."""
    return json.dumps(asdict(label))


def decode_label(text: str) -> Label:
    """The label that `encode_label` encoded."""
    values = json.loads(text)
    colour = values["colour_rgb"]
    return Label(
        values["name"],
        Code(**values["category"]),
        Code(**values["type"]),
        None if colour is None else (colour[0], colour[1], colour[2]),
    )


def encode_weights(weights: Mapping[str, Tensor]) -> bytes:
    """Weights by name as a safetensors file."""
    return bytes(save({name: value.contiguous() for name, value in weights.items()}))


def decode_weights(data: bytes) -> dict[str, Tensor]:
    """The weights that `encode_weights` encoded."""
    return dict(load(data))
