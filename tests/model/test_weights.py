from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest

from napari_vost.errors import Cancelled, VostWarning, WeightsError
from napari_vost.model import download, weights
from napari_vost.model.registry import ModelEntry, Source
from tests.model.file_server import FileServer

HOST = "https://weights.example"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER_COMMIT = "f" * 40


def entry_of(*sources: Source, name: str = "net", note: str = "Do good.") -> ModelEntry:
    return ModelEntry(name, "sam2", "A network", "Licence 1.0", note, "Tests.", sources)


def url_source(sha256: str | None, size: int | None = None) -> Source:
    return Source("url", "net.pt", url=f"{HOST}/net.pt", sha256=sha256, size_bytes=size)


def hub_source(revision: str = "main") -> Source:
    return Source("hub", "sub/net.safetensors", repository="someone/net", revision=revision)


def get(entry: ModelEntry, server: FileServer, **more: object) -> Path:
    given = {"consent": lambda text: True, "base_urls": {HOST: server.address, weights.HUB: server.address}, **more}
    return weights.fetch(entry, **given)  # type: ignore[arg-type]  # a test's table of arguments


def test_a_good_file_arrives_whole_and_is_not_fetched_twice(file_server: FileServer, own_folders: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    entry = entry_of(url_source(file_server.sha256, len(file_server.body)))
    path = get(entry, file_server, progress=lambda done, total: seen.append((done, total)))
    assert path == own_folders / "cache" / "models" / "net" / "net.pt"
    assert path.read_bytes() == file_server.body
    assert seen[-1] == (len(file_server.body), len(file_server.body))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert sorted(item.name for item in path.parent.iterdir()) == ["net.pt"]
    assert get(entry, file_server) == path
    assert len(file_server.asked) == 1


def test_a_wrong_hash_is_refused_and_the_file_removed(file_server: FileServer) -> None:
    wanted = "a" * 64
    with pytest.raises(WeightsError, match=f"expected sha256 {wanted} .registry., got {file_server.sha256}"):
        get(entry_of(url_source(wanted)), file_server)
    assert not any(file.is_file() for file in weights.paths.cache_folder().rglob("*"))


def test_a_wrong_hash_is_not_answered_by_another_source(file_server: FileServer) -> None:
    file_server.hub_sha256 = file_server.sha256
    with pytest.raises(WeightsError, match="is not the file of net"):
        get(entry_of(url_source("a" * 64), hub_source()), file_server)


def test_a_cut_connection_goes_on_where_it_stopped(file_server: FileServer) -> None:
    file_server.cut_after = [20 << 16]
    path = get(entry_of(url_source(file_server.sha256)), file_server)
    assert path.read_bytes() == file_server.body
    assert [asked for _, _, asked in file_server.asked] == [None, f"bytes={20 << 16}-"]


def test_a_later_call_goes_on_where_an_earlier_one_gave_up(
    file_server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    file_server.cut_after = [10 << 16]
    entry = entry_of(url_source(file_server.sha256))
    with pytest.raises(WeightsError, match="the connection was cut"):
        get(entry, file_server)
    assert weights.installed(entry) is None
    assert get(entry, file_server).read_bytes() == file_server.body
    assert file_server.asked[-1][2] == f"bytes={10 << 16}-"


def test_cancelling_keeps_what_arrived_for_the_next_call(file_server: FileServer) -> None:
    def stop(done: int, total: int | None) -> None:
        raise Cancelled("stopped")

    entry = entry_of(url_source(file_server.sha256))
    with pytest.raises(Cancelled):
        get(entry, file_server, progress=stop)
    assert get(entry, file_server).read_bytes() == file_server.body
    assert file_server.asked[-1][2] == f"bytes={1 << 16}-"


def test_a_server_without_ranges_sends_all_again(file_server: FileServer) -> None:
    file_server.ranges = False
    file_server.cut_after = [20 << 16]
    assert get(entry_of(url_source(file_server.sha256)), file_server).read_bytes() == file_server.body
    assert len(file_server.asked) == 2


def test_a_file_that_changed_between_two_calls_starts_afresh(
    file_server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    file_server.cut_after = [10 << 16]
    with pytest.raises(WeightsError):
        get(entry_of(url_source(None)), file_server)
    file_server.body, file_server.tag = file_server.body[::-1], '"second"'
    assert get(entry_of(url_source(file_server.sha256)), file_server).read_bytes() == file_server.body


def test_without_a_validator_nothing_is_resumed(file_server: FileServer) -> None:
    file_server.tag = None
    file_server.cut_after = [10 << 16]
    assert get(entry_of(url_source(file_server.sha256)), file_server).read_bytes() == file_server.body
    assert [asked for _, _, asked in file_server.asked] == [None, None]


def test_a_complete_part_of_unknown_size_is_taken_as_it_is(file_server: FileServer) -> None:
    entry = entry_of(url_source(file_server.sha256))
    target = weights.paths.cache_folder() / "models" / "net" / "net.pt"
    part = download.download(f"{file_server.address}/net.pt", target)
    part.with_name(part.name + ".json").write_text(
        json.dumps({"url": f"{file_server.address}/net.pt", "validator": file_server.tag})
    )
    assert get(entry, file_server) == target
    assert file_server.asked[-1][2] == f"bytes={len(file_server.body)}-"
    assert len(file_server.asked) == 2


def test_a_part_longer_than_the_file_is_thrown_away(file_server: FileServer) -> None:
    target = weights.paths.cache_folder() / "models" / "net" / "net.pt"
    part = download.download(f"{file_server.address}/net.pt", target)
    part.write_bytes(file_server.body + b"more")
    part.with_name(part.name + ".json").write_text(
        json.dumps({"url": f"{file_server.address}/net.pt", "validator": file_server.tag})
    )
    assert get(entry_of(url_source(file_server.sha256)), file_server).read_bytes() == file_server.body


def test_passing_trouble_is_tried_again(file_server: FileServer) -> None:
    file_server.statuses = [503, 429]
    assert get(entry_of(url_source(file_server.sha256)), file_server).read_bytes() == file_server.body
    assert len(file_server.asked) == 3


def test_a_missing_file_is_not_tried_again_and_says_how_to_do_without(file_server: FileServer) -> None:
    file_server.statuses = [404]
    with pytest.raises(WeightsError, match=r"404 .*put it at .*net\.pt \(sha256 " + file_server.sha256) as caught:
        get(entry_of(url_source(file_server.sha256)), file_server)
    assert len(file_server.asked) == 1
    assert HOST in str(caught.value)


def test_the_next_source_is_taken_where_the_first_is_gone(file_server: FileServer) -> None:
    file_server.statuses = [404]
    file_server.hub_sha256, file_server.hub_commit = file_server.sha256, COMMIT
    with pytest.warns(VostWarning, match="not verified by a second source"):
        path = get(entry_of(url_source("a" * 64), hub_source()), file_server)
    assert path.name == "net.safetensors"


def test_another_size_than_the_registry_says_is_refused_before_the_file_is_fetched(file_server: FileServer) -> None:
    with pytest.raises(WeightsError, match="has 3072000 bytes, expected 100"):
        get(entry_of(url_source(file_server.sha256, 100)), file_server)
    assert not list(weights.paths.cache_folder().rglob("*.part"))


def test_more_bytes_than_the_size_from_a_server_that_does_not_say_are_refused(file_server: FileServer) -> None:
    file_server.send_length = False
    with pytest.raises(WeightsError, match="sent 3072000 bytes, expected 3071999"):
        get(entry_of(url_source(file_server.sha256, len(file_server.body) - 1)), file_server)


def test_no_server_at_all_is_one_sentence(file_server: FileServer) -> None:
    entry = entry_of(url_source(file_server.sha256))
    with pytest.raises(WeightsError, match=r"no connection, 4 attempts.*put it at"):
        weights.fetch(entry, consent=lambda text: True, base_urls={HOST: "http://127.0.0.1:9"})


def test_offline_asks_nobody(file_server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE is set"):
        get(entry_of(url_source(file_server.sha256)), file_server)
    assert file_server.asked == []


def test_a_full_disk_is_refused_before_the_first_byte(file_server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    with pytest.raises(WeightsError, match="1 MB free, 70 MB are needed"):
        get(entry_of(url_source(file_server.sha256)), file_server)
    assert not list(weights.paths.cache_folder().rglob("*.part"))


def test_a_folder_that_cannot_be_written_is_one_sentence(file_server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(WeightsError, match=r"cannot be written.*NAPARI_VOST_CACHE"):
        get(entry_of(url_source(file_server.sha256)), file_server)


def test_consent_is_asked_once_per_licence_text(file_server: FileServer) -> None:
    asked: list[str] = []

    def consent(text: str) -> bool:
        asked.append(text)
        return True

    source = url_source(file_server.sha256)
    for name in ("one", "two"):
        get(entry_of(source, name=name), file_server, consent=consent)
    assert asked == ["Licence 1.0\nDo good."]
    get(entry_of(source, name="three", note="Do better."), file_server, consent=consent)
    assert asked[1:] == ["Licence 1.0\nDo better."]


def test_declining_fetches_nothing_and_is_asked_again(file_server: FileServer) -> None:
    entry = entry_of(url_source(file_server.sha256))
    for _ in range(2):
        with pytest.raises(WeightsError, match="was not accepted"):
            get(entry, file_server, consent=lambda text: False)
    assert file_server.asked == []
    assert not weights.accepted(entry.licence_text)


def test_damaged_consents_are_no_consents(file_server: FileServer) -> None:
    entry = entry_of(url_source(file_server.sha256))
    get(entry, file_server)
    (weights.paths.state_folder() / "consents.json").write_text("{")
    with pytest.raises(WeightsError, match="was not accepted"):
        get(entry, file_server, consent=lambda text: False)


def test_the_hash_that_a_hub_publishes_is_recorded_at_its_commit_and_said_to_be_unverified(
    file_server: FileServer,
) -> None:
    file_server.hub_sha256, file_server.hub_commit = file_server.sha256, COMMIT
    with pytest.warns(VostWarning, match="its host publishes.*not verified by a second source"):
        path = get(entry_of(hub_source()), file_server)
    assert [asked[:2] for asked in file_server.asked] == [
        ("HEAD", "/someone/net/resolve/main/sub/net.safetensors"),
        ("GET", f"/someone/net/resolve/{COMMIT}/sub/net.safetensors"),
        ("GET", "/storage/file"),
    ]
    record = weights.read_record(path)
    assert record is not None
    assert (record.sha256, record.commit, record.origin) == (file_server.sha256, COMMIT, "host")
    assert record.size_bytes == len(file_server.body)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert weights.verify(entry_of(hub_source()), path) == file_server.sha256


def test_another_file_than_the_hub_publishes_is_refused(file_server: FileServer) -> None:
    file_server.hub_sha256, file_server.hub_commit = "b" * 64, COMMIT
    with pytest.raises(WeightsError, match=f"expected sha256 {'b' * 64} .host., got {file_server.sha256}"):
        get(entry_of(hub_source()), file_server)


def test_a_later_fetch_asks_for_the_recorded_commit_and_compares_with_the_recorded_hash(
    file_server: FileServer,
) -> None:
    file_server.hub_sha256, file_server.hub_commit = file_server.sha256, COMMIT
    with pytest.warns(VostWarning):
        path = get(entry_of(hub_source()), file_server)
    path.unlink()
    first = file_server.sha256
    file_server.body = file_server.body[::-1]
    file_server.hub_sha256 = file_server.sha256
    with pytest.raises(WeightsError, match=f"expected sha256 {first} .recorded earlier."):
        get(entry_of(hub_source()), file_server)
    assert f"/someone/net/resolve/{COMMIT}/sub/net.safetensors" in [asked[1] for asked in file_server.asked[3:]]


def test_a_hub_that_answers_with_another_commit_is_refused(file_server: FileServer) -> None:
    file_server.hub_sha256, file_server.hub_commit = file_server.sha256, OTHER_COMMIT
    with pytest.raises(WeightsError, match=f"answered with commit {OTHER_COMMIT}"):
        get(entry_of(hub_source(revision=COMMIT)), file_server)


def test_a_host_that_publishes_nothing_leaves_the_hash_first_seen(file_server: FileServer) -> None:
    with pytest.warns(VostWarning, match="it had when first seen"):
        path = get(entry_of(url_source(None)), file_server)
    record = weights.read_record(path)
    assert record is not None
    assert (record.origin, record.sha256) == ("first seen", file_server.sha256)


def test_a_mirror_of_the_hub_is_taken_from_the_environment(
    file_server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", file_server.address + "/")
    file_server.hub_sha256 = file_server.sha256
    with pytest.warns(VostWarning):
        path = weights.fetch(entry_of(hub_source()), consent=lambda text: True)
    assert path.read_bytes() == file_server.body


def test_a_file_put_there_by_hand_is_checked_before_use(file_server: FileServer) -> None:
    entry = entry_of(url_source(file_server.sha256))
    path = weights.paths.cache_folder() / "models" / "net" / "net.pt"
    path.parent.mkdir(parents=True)
    path.write_bytes(file_server.body)
    assert get(entry, file_server) == path
    path.write_bytes(b"something else")
    with pytest.raises(WeightsError, match="remove it and fetch again"):
        get(entry, file_server)
    assert file_server.asked == []
    assert path.exists()


def test_a_file_of_which_nothing_is_known_is_recorded_when_first_seen_and_held_to_it(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(b"weights")
    with pytest.warns(VostWarning, match="not verified by a second source"):
        weights.verify(entry_of(hub_source()), path)
    path.write_bytes(b"weightz")
    with pytest.raises(WeightsError, match="of the file first seen"):
        weights.verify(entry_of(hub_source()), path)


def test_a_damaged_record_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(b"weights")
    path.with_name("net.safetensors.json").write_text("[1]")
    with pytest.raises(WeightsError, match="cannot be read"):
        weights.verify(entry_of(hub_source()), path)


def test_a_file_of_the_users_own_needs_no_consent(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    entry = entry_of(Source("file", str(path)))

    def consent(text: str) -> bool:
        raise AssertionError("asked")

    with pytest.raises(WeightsError, match="are not there"):
        weights.fetch(entry, consent=consent)
    path.write_bytes(b"weights")
    assert weights.fetch(entry, consent=consent) == path
    assert list(tmp_path.glob("*.json")) == []
    stern = entry_of(Source("file", str(path), sha256="c" * 64))
    with pytest.raises(WeightsError, match="expected sha256 c"):
        weights.fetch(stern, consent=consent)
