"""A file server, and folders of the user's that are thrown away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from napari_vost.model import download
from tests.model.file_server import FileServer, serving


@pytest.fixture
def file_server() -> Iterator[FileServer]:
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Cache and state of the user, empty; no proxy, no mirror, short pauses."""
    monkeypatch.setenv("NAPARI_VOST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NAPARI_VOST_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    monkeypatch.setattr(download, "FIRST_WAIT_S", 0.005)
    return tmp_path
