"""What the timeline says in words: tooltips, the empty state, the count of what is reviewed."""

from __future__ import annotations

from napari_vost.ui.lane_data import LaneData, ObjectLane, reviewed, reviewed_text

NO_CLIP = "Open a scan or a cine: what is found on each of its frames will be shown here."
NO_OBJECT = "Click on a structure in the image: its masks on all frames will be shown here."
HELP = (
    "Click or drag: go to a frame. Wheel: zoom. Shift+wheel, middle drag: move along. Double click: all frames.\n"
    "Height: confidence. Solid: sure · hatched: fair · dotted: weak, look at it. Line in a bar: area.\n"
    "Dot: prompt · ring: said not to be here · tick: accepted · padlock: locked · diamond: worth annotating next."
)
HANDLE = "Drag: following does not leave the frames between the two handles."


def of_frame(data: LaneData | None, frame_index: int, object_id: int | None) -> str:
    """One line such as ``Frame 46 · Pancreas · confidence .62 · 312 mm² · open``."""
    lane = None if data is None else data.find(object_id)
    if data is None or lane is None:
        return f"Frame {frame_index + 1}"
    parts = [f"Frame {frame_index + 1}", lane.name]
    if not lane.kept[frame_index]:
        return " · ".join([*parts, "not followed yet"])
    area = float(lane.area[frame_index])
    parts += [f"confidence {_share(float(lane.confidence[frame_index]))}"]
    parts += [f"{area:.3g} {data.unit}" if area < 100 else f"{area:.0f} {data.unit}"] if area else ["not found here"]
    return " · ".join([*parts, lane.state(frame_index)])


def of_object(data: LaneData, lane: ObjectLane) -> str:
    """One line such as ``Pancreas · frames 12 to 60 · 42 of 61 reviewed · 3 weak``."""
    extent = lane.extent
    where = "no mask yet" if extent is None else f"frames {extent[0] + 1} to {extent[1] + 1}"
    weak = int(lane.weak.sum())
    told = reviewed_text(reviewed(data, lane.object_id))
    return " · ".join(part for part in (lane.name, where, told, f"{weak} weak" if weak else "") if part)


def of_all(data: LaneData | None) -> str:
    """``"42 of 61 reviewed"`` over all objects, "" while there is nothing to review."""
    return "" if data is None else reviewed_text(reviewed(data))


def _share(value: float) -> str:
    return f"{value:.2f}".removeprefix("0")
