"""Video: the index, exact frames in any order, times, damage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_vost.errors import ReadError
from napari_vost.io.readers import open_clip

av = pytest.importorskip("av")
FRAMES = 40


def movie() -> np.ndarray:
    """A bar that moves 2 px a frame, and bits of the frame number in blocks: no two frames are alike."""
    frames = np.full((FRAMES, 64, 96, 3), 30, dtype=np.uint8)
    for index in range(FRAMES):
        frames[index, 32:, 2 * index : 2 * index + 10] = (220, 60, 20)
        for bit in range(6):
            frames[index, 4:20, 8 + 12 * bit : 18 + 12 * bit] = 235 * (index >> bit & 1)
    return frames


def number_of(frame: np.ndarray) -> int:
    return sum(int(frame[8:16, 11 + 12 * bit : 15 + 12 * bit].mean() > 120) << bit for bit in range(6))


def record(path: Path, codec: str = "mpeg4", pixels: str = "yuv420p", **options: str) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 96, 64, pixels
        for frame in movie():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


KINDS = [
    ("a.mp4", {"g": "8", "bf": "2"}),
    ("a.mov", {"g": "100"}),
    ("a.avi", {"g": "8", "bf": "2"}),
    ("a.mkv", {"codec": "ffv1"}),
    ("b.avi", {"codec": "mjpeg", "pixels": "yuvj420p"}),
]


@pytest.mark.parametrize(("name", "how"), KINDS)
def test_frames_are_exact_in_sequence_and_in_any_order(tmp_path: Path, name: str, how: dict[str, str]) -> None:
    clip = open_clip(record(tmp_path / name, **how))
    assert clip.order == "time" and clip.shape == (FRAMES, 64, 96) and clip.colour
    assert clip.frame_time_s == pytest.approx(0.04, abs=1e-4) and not clip.geometry.spaced
    assert [number_of(clip.frame(index)) for index in range(FRAMES)] == list(range(FRAMES))
    jumps = np.random.default_rng(0).permutation(FRAMES)
    again = open_clip(tmp_path / name)
    assert [number_of(again.frame(int(index))) for index in jumps] == jumps.tolist()
    assert [number_of(again.frame(index)) for index in reversed(range(FRAMES))] == list(reversed(range(FRAMES)))


def test_a_video_whose_times_lie_is_counted(tmp_path: Path) -> None:
    try:
        record(tmp_path / "a.avi", "libx264", bf="2")
    except (av.error.FFmpegError, ValueError):
        pytest.skip("this PyAV cannot write H.264")
    clip = open_clip(tmp_path / "a.avi")
    assert [number_of(clip.frame(index)) for index in (5, 1, 30, 39, 2)] == [5, 1, 30, 39, 2]


def test_opening_decodes_nothing_and_reading_on_seeks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_vost.io.readers import video

    seeks: list[int] = []
    real = video.VideoStack._seek

    def counted(self: Any, key: int) -> None:
        seeks.append(key)
        real(self, key)

    monkeypatch.setattr(video.VideoStack, "_seek", counted)
    clip = open_clip(record(tmp_path / "a.mp4", g="8"))
    assert not seeks
    for index in range(FRAMES):
        clip.frame(index)
    assert len(seeks) <= 1 + FRAMES // 8 and seeks[0] == 0


def test_damaged_videos_are_refused_in_one_sentence(tmp_path: Path) -> None:
    whole = record(tmp_path / "a.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.avi").write_bytes(b"no video" * 99)
    for name in ("cut.mp4", "text.avi"):
        with pytest.raises(ReadError) as caught:
            open_clip(tmp_path / name).frame(0)
        assert name in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_with_sound_only_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    with pytest.raises(ReadError, match="no video"):
        open_clip(tmp_path / "a.mkv")
