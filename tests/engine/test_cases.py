"""Cases: names, the list, other readers' work, and a scan that has moved."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nibabel
import numpy as np
import pytest

from napari_vost import Session, open_clip, paths
from napari_vost.case_names import (
    case_path,
    check_alias,
    check_reader,
    part_alias,
    reader_name,
    same_reader,
    scan_alias,
    set_reader_name,
)
from napari_vost.cases import Case, describe_case, list_cases, make_mine, next_alias, open_case, start_case
from napari_vost.clip import Clip
from napari_vost.errors import ExportError, InputError, ScanNotFound, SessionError
from napari_vost.geometry import Part
from napari_vost.testing import BrightNetwork
from napari_vost.types import Label


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NAPARI_VOST_CASES", str(tmp_path / "cases"))
    monkeypatch.setenv("NAPARI_VOST_STATE", str(tmp_path / "state"))
    return tmp_path / "cases"


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A NIfTI volume in a folder of its own, with a patient's name in its header."""
    path = tmp_path / "scans" / "volume.nii.gz"
    path.parent.mkdir()
    write_scan(path, 0)
    return path


def write_scan(path: Path, seed: int) -> None:
    image = nibabel.Nifti1Image(np.random.default_rng(seed).integers(0, 99, (80, 96, 12)).astype(np.int16), np.eye(4))
    image.header["descrip"] = b"SMITH^JOHN"
    nibabel.save(image, path)


def disc(x: int = 35) -> np.ndarray:
    rows, columns = np.mgrid[0:96, 0:80]
    return (rows - 48) ** 2 + (columns - x) ** 2 < 144


def start(scan: Path, alias: str = "case-001", reader: str = "Jane Doe") -> Path:
    """A case with a liver on two frames, one of them accepted, and one undone step."""
    session = Session(open_clip(scan), BrightNetwork())
    opened = start_case(session, alias, reader)
    assert opened.autosave is not None
    session.name_object(1, Label("Liver"))
    session.add_mask(5, disc())
    session.ledger.act("follow", session.ledger.settings, {(1, 6): session.ledger.kept[1, 5]})
    session.accept(5)
    session.undo()
    assert opened.autosave.close()
    return opened.case.path


class TestNames:
    @pytest.mark.parametrize("alias", ["case-001", "A", "liver_2_b", "x" * 64, "  case-7 "])
    def test_letters_digits_dashes_and_underscores_name_a_case(self, alias: str) -> None:
        assert check_alias(alias) == alias.strip()

    @pytest.mark.parametrize(
        "alias", ["", " ", "a b", "Smith, John", "../case", "a/b", "a\\b", "caseä", "x" * 65, "a.vost", "-x", "a\nb"]
    )
    def test_other_names_are_refused_with_what_to_type(self, alias: str) -> None:
        with pytest.raises(InputError, match=r"letters .* digits.*case-001"):
            check_alias(alias)

    @pytest.mark.parametrize("reader", ["", "   ", "a\\b", "a=b", "a\x07b", "x" * 65])
    def test_a_readers_name_that_dicom_cannot_hold_is_refused(self, reader: str) -> None:
        with pytest.raises(InputError, match="reader's name"):
            check_reader(reader)

    def test_the_file_is_named_by_alias_and_reader_in_plain_letters(self, folder: Path) -> None:
        assert case_path("case-001", "Doe^Jane") == folder / "case-001_doe-jane.vost"
        assert case_path("a_b", "  José  Núñez ") == folder / "a_b_jose-nunez.vost"
        other, same, third = (case_path("a", name).name for name in ("王芳", "王芳", "李娜"))
        assert other == same != third and other.isascii()

    def test_readers_differ_by_more_than_upper_case_and_blanks(self) -> None:
        assert same_reader("Jane  Doe", "jane doe") and same_reader("Jose\u0301", "José")
        assert not same_reader("Jane Doe", "John Doe")

    def test_the_reader_is_asked_once_per_computer(self) -> None:
        assert reader_name() == ""
        assert set_reader_name("  Doe^Jane ") == "Doe^Jane"
        assert reader_name() == "Doe^Jane"
        (paths.state_folder() / "reader.json").write_text("[")
        assert reader_name() == ""
        with pytest.raises(InputError, match="reader's name"):
            set_reader_name("")

    def test_the_next_alias_is_behind_all_that_are_there(self, folder: Path) -> None:
        assert next_alias() == "case-001"
        folder.mkdir()
        for name in ("case-001_jane.vost", "case-009_john.vost", "liver_jane.vost", "case-050_x.txt"):
            (folder / name).touch()
        assert next_alias() == "case-010"


class TestList:
    def test_it_says_what_a_case_holds_without_its_scan(self, scan: Path) -> None:
        path = start(scan)
        scan.unlink()
        (case,) = list_cases()
        assert (case.path, case.alias, case.reader) == (path, "case-001", "Jane Doe")
        assert (case.objects, case.reviewed, case.frames, case.problem) == (("Liver",), 1, 2, "")
        assert abs(datetime.now(UTC) - case.changed) < timedelta(minutes=5)

    def test_the_last_changed_comes_first_and_a_damaged_one_says_so(self, scan: Path, folder: Path) -> None:
        first = start(scan)
        session = Session.load(first)
        session.save(folder / "later_jane.vost")
        (folder / "broken_jane.vost").write_bytes(b"not a database at all, but long enough to look at" * 20)
        os.utime(folder / "broken_jane.vost", (0, 0))
        (folder / ".hidden.vost").touch()
        (folder / "notes.txt").touch()
        cases = list_cases()
        assert [case.path.name for case in cases] == ["later_jane.vost", "case-001_jane-doe.vost", "broken_jane.vost"]
        assert "not a napari-vost session" in cases[-1].problem
        assert all(not case.problem for case in cases[:2])

    def test_there_may_be_no_folder_yet(self, tmp_path: Path) -> None:
        assert list_cases() == () and list_cases(tmp_path / "nowhere") == ()

    def test_no_file_name_comes_from_the_scan(self, scan: Path, folder: Path) -> None:
        start(scan)
        assert [path.name for path in folder.iterdir()] == ["case-001_jane-doe.vost"]
        assert b"SMITH" not in (folder / "case-001_jane-doe.vost").read_bytes()


class TestOpen:
    def test_ones_own_case_goes_on_where_it_was(self, scan: Path) -> None:
        path = start(scan)
        opened = open_case(path, "jane doe", model=BrightNetwork())
        assert opened.autosave is not None and opened.read_only == ""
        assert opened.session.redo() == "accept"
        opened.session.view = {"frame": 6}
        assert opened.autosave.close()
        again = open_case(path, "Jane Doe")
        assert again.session.review(5) == "accepted" and again.session.view == {"frame": 6}
        assert again.case.reviewed == 1
        assert again.autosave is not None and again.autosave.close()

    def test_a_case_that_was_only_looked_at_keeps_its_date(self, scan: Path) -> None:
        path = start(scan)
        written = path.read_bytes()
        opened = open_case(path, "Jane Doe")
        assert opened.autosave is not None and opened.autosave.close()
        assert path.read_bytes() == written

    def test_another_readers_case_is_for_looking(self, scan: Path) -> None:
        path = start(scan)
        written = path.read_bytes()
        opened = open_case(path, "John Roe", model=BrightNetwork())
        assert opened.autosave is None
        assert "Jane Doe's" in opened.read_only and "make it yours" in opened.read_only
        with pytest.raises(InputError, match="make it yours"):
            opened.session.add_mask(2, disc())
        assert opened.session.preview(5)[1].any()
        assert path.read_bytes() == written

    @pytest.mark.skipif(os.name != "posix", reason="permission bits")
    def test_a_case_on_a_read_only_place_is_for_looking(self, scan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = start(scan)
        monkeypatch.setattr(os, "access", lambda where, mode: False)
        opened = open_case(path, "Jane Doe")
        assert opened.autosave is None and "may not write" in opened.read_only

    def test_one_name_is_given_once(self, scan: Path) -> None:
        start(scan)
        session = Session(open_clip(scan), BrightNetwork())
        for alias in ("case-001", "CASE-001"):
            with pytest.raises(InputError, match="already"):
                start_case(session, alias, "Jane Doe")
        opened = start_case(session, "case-001", "John Roe")  # every reader has their own
        assert opened.autosave is not None and opened.autosave.close()
        assert len(list_cases()) == 2

    def test_a_folder_that_cannot_be_made_is_said(self, scan: Path, folder: Path) -> None:
        folder.touch()
        with pytest.raises(ExportError, match="cannot be made"):
            start_case(Session(open_clip(scan), BrightNetwork()), "a", "Jane")


class TestMakeMine:
    def test_the_copy_is_ones_own_and_the_other_stays_as_it_is(self, scan: Path, folder: Path) -> None:
        path = start(scan)
        written = path.read_bytes()
        mine = make_mine(path, "John Roe")
        assert mine == folder / "case-001_john-roe.vost"
        opened = open_case(mine, "John Roe", model=BrightNetwork())
        assert opened.autosave is not None
        assert opened.session.reader == "John Roe" and opened.session.labels == {1: Label("Liver")}
        assert opened.session.redo() == "accept"
        assert opened.autosave.close()
        assert path.read_bytes() == written
        assert describe_case(mine).reader == "John Roe"

    def test_a_copy_elsewhere_still_finds_the_scan(self, scan: Path, tmp_path: Path) -> None:
        mine = make_mine(start(scan), "John Roe", tmp_path / "mine" / "deeper")
        assert Session.load(mine).clip.shape == (12, 96, 80)

    def test_a_copy_that_is_there_is_not_written_over(self, scan: Path) -> None:
        path = start(scan)
        make_mine(path, "John Roe")
        with pytest.raises(InputError, match="already"):
            make_mine(path, "John Roe")

    def test_what_is_no_case_cannot_be_copied(self, tmp_path: Path) -> None:
        (tmp_path / "a_b.vost").write_bytes(b"x" * 2000)
        with pytest.raises(SessionError, match="not a napari-vost session"):
            make_mine(tmp_path / "a_b.vost", "John Roe")


class TestMovedScan:
    def test_a_scan_beside_the_case_is_found_by_its_content(self, scan: Path, folder: Path) -> None:
        path = start(scan)
        (folder / "deeper").mkdir()
        write_scan(folder / "deeper" / "volume.nii.gz", 1)  # another one of its name
        scan.rename(folder / "renamed.nii.gz")
        session = Session.load(path)
        assert session.clip.source.path == folder / "renamed.nii.gz"
        session.save(path)
        assert Session.load(path).clip.source.path == folder / "renamed.nii.gz"

    def test_a_scan_somewhere_below_a_named_folder_is_found(self, scan: Path, tmp_path: Path) -> None:
        path = start(scan)
        store = tmp_path / "store"
        (store / "a" / "b").mkdir(parents=True)
        for seed in (1, 2, 3):
            write_scan(store / f"{seed}.nii.gz", seed)
        scan.rename(store / "a" / "b" / "moved.nii.gz")
        with pytest.raises(ScanNotFound, match="--source"):
            Session.load(path)
        assert Session.load(path, source=store).clip.source.path == store / "a" / "b" / "moved.nii.gz"

    def test_a_scan_that_was_found_is_not_asked_for_again(self, scan: Path, tmp_path: Path) -> None:
        path = start(scan)
        scan.parent.rename(tmp_path / "moved")
        opened = open_case(path, "Jane Doe", source=tmp_path / "moved")
        assert opened.autosave is not None and opened.autosave.close()
        assert open_case(path, "John Roe").session.clip.source.path == tmp_path / "moved" / "volume.nii.gz"

    def test_a_scan_that_has_changed_is_said(self, scan: Path) -> None:
        path = start(scan)
        write_scan(scan, 1)
        with pytest.raises(ScanNotFound, match="content has changed"):
            Session.load(path)

    def test_a_large_folder_is_not_searched_unasked(
        self, scan: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = start(scan)
        scan.rename(folder / "renamed.nii.gz")
        monkeypatch.setattr("napari_vost.session_source.MOST_FILES", 1)
        with pytest.raises(ScanNotFound):
            Session.load(path)
        assert Session.load(path, source=folder).clip.shape == (12, 96, 80)

    def test_a_case_carried_off_with_its_scan_opens(self, scan: Path, folder: Path, tmp_path: Path) -> None:
        start(scan)
        shutil.move(folder, tmp_path / "stick")
        shutil.move(scan.parent, tmp_path / "stick" / "scans")
        (case,) = list_cases(tmp_path / "stick")
        assert Session.load(case.path).clip.shape == (12, 96, 80)


def test_a_case_of_nobody_may_be_changed_by_all() -> None:
    assert Case(Path(__file__), "a", "").read_only_for("Jane") == ""


def test_sessions_of_arrays_can_be_cases(cine: Clip) -> None:
    opened = start_case(Session(cine, BrightNetwork()), next_alias(), "Jane")
    assert opened.autosave is not None and opened.autosave.close()
    again = open_case(opened.case.path, "Jane", source=cine)
    assert again.session.alias == "case-001"
    assert again.autosave is not None and again.autosave.close()


def test_parts_of_a_4d_scan_are_cases_beside_one_another(scan: Path) -> None:
    fourth, third = Part("slice", 3, 10), Part("time", 2, 120)
    assert part_alias("case-001", fourth) == "case-001-slice04" and part_alias("case-001", third) == "case-001-time003"
    assert part_alias("case-001", None) == "case-001"
    assert scan_alias("case-001-slice04", fourth) == scan_alias("case-001", fourth) == "case-001"
    assert scan_alias("case-001-slice05", fourth) == "case-001-slice05"  # what the user has called it
    start(scan, part_alias("case-007", fourth))
    assert next_alias() == "case-008"


def test_a_list_of_cases_knows_the_model(scan: Path) -> None:
    assert describe_case(start(scan)).model == BrightNetwork().traits.name
