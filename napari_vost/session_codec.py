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
from napari_vost.history import Place, Settings
from napari_vost.masks import PackedMask
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


def encode_mask(mask: PackedMask) -> dict[str, Any]:
    """A packed mask as JSON values."""
    return {"shape": mask.shape, "box": mask.box, "data": base64.b64encode(mask.data).decode()}


def decode_mask(values: dict[str, Any]) -> PackedMask:
    """The mask that `encode_mask` encoded."""
    height, width = values["shape"]
    box = None if values["box"] is None else tuple(int(value) for value in values["box"])
    return PackedMask((height, width), box, base64.b64decode(values["data"]))  # type: ignore[arg-type]  # four numbers


def encode_change(before: Settings, after: Settings) -> tuple[int, str, str | None, str | None]:
    """What an action changed: prompts kept from the front, prompts added behind them, bases and locks if new."""
    kept = 0
    for old, new in zip(before.prompts, after.prompts, strict=False):
        if old != new:
            break
        kept += 1
    added = json.dumps([encode_prompt(prompt) for prompt in after.prompts[kept:]])
    fresh = sorted(place for place, mask in after.bases.items() if before.bases.get(place) != mask)
    bases = {
        "set": [[*place, encode_mask(after.bases[place])] for place in fresh],
        "gone": sorted(set(before.bases) - set(after.bases)),
    }
    locks = sorted(after.locks)
    return (
        kept,
        added,
        None if after.bases == before.bases else json.dumps(bases),
        None if after.locks == before.locks else json.dumps(locks),
    )


def decode_change(before: Settings, change: Sequence[Any]) -> Settings:
    """Settings after an action, from those before it and `encode_change`."""
    kept, added, bases_json, locks_json = change
    prompts = (*before.prompts[:kept], *(decode_prompt(values) for values in json.loads(added)))
    bases: dict[Place, PackedMask] = dict(before.bases)
    if bases_json is not None:
        changed = json.loads(bases_json)
        bases.update({(one, frame): decode_mask(mask) for one, frame, mask in changed["set"]})
        for one, frame in changed["gone"]:
            bases.pop((one, frame), None)
    locks = before.locks
    if locks_json is not None:
        locks = frozenset((int(one), int(frame)) for one, frame in json.loads(locks_json))
    return Settings(prompts, bases, locks)


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
