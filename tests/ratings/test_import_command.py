"""`manage.py import_cases` takes trees of sixty cases and names each planted fault."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import TestCase

from ratings import audit, companions, filenames, files, importing, layouts
from ratings.models import AuditEntry, Enrolment, Study, Upload
from tests.ratings import sets
from tests.ratings.conftest import make_user
from tests.ratings.test_moving_tables import workbook
from tests.volumes import make_lesion, save

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def bring_in(
    capsys: pytest.CaptureFixture[str], study: Study, folder: Path, *words: str
) -> tuple[int, list[dict[str, Any]]]:
    code = 0
    try:
        with TestCase.captureOnCommitCallbacks(execute=True):
            call_command("import_cases", str(study.pk), str(folder), "--json", *words)
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def list_files() -> list[Path]:
    return [path for path in files.locate("").rglob("*") if path.is_file()]


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["bids", "nnunet", "decathlon"])
def test_sixty_cases_with_five_faults(
    layout: str, study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "set"
    faulty = sets.plant_faults(sets.WRITERS[layout](folder, 60))
    code, told = bring_in(capsys, study, folder)
    assert code == 1
    assert study.cases.count() == study.arms.count() == study.uploads.count() == 0
    assert list_files() == []
    code, told = bring_in(capsys, study, folder, "--good-ones")
    assert code == 1
    rejected = [one["message"] for one in told if one.get("verdict") == "reject"]
    for name in faulty:
        # a prediction is called as its mask is, so the source is told besides
        starts = (f"{name}: ", f"{name} (Manual): ")
        assert [m for m in rejected if m.startswith(starts)], name
    # two images are refused, and one pair lies apart; two masks alone leave an image
    assert study.cases.count() == 57
    assert study.cases.filter(masks__arm__key="manual").count() == 55
    assert not study.uploads.exists()
    assert len(AuditEntry.objects.filter(study=study, verb="import_cases")) == 1


def test_a_bids_set_brings_arms_maps_strata_and_nothing_personal(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets.write_bids(tmp_path / "set", 3)
    code, told = bring_in(capsys, study, tmp_path / "set")
    assert code == 0, told
    case = study.cases.get(source_name="sub-amu001_acq-ax_T2star.nii.gz")
    assert case.subject == "sub-amu001"
    assert case.strata == {
        "contrast": "T2star", "acquisition": "ax", "site": "amu", "field_strength": "3",
    }  # fmt: skip
    assert case.sidecar == {"MagneticFieldStrength": 3}
    assert {(m.arm.key, m.source_name) for m in case.masks.all()} == {
        ("manual", "sub-amu001_acq-ax_T2star_lesion-manual.nii.gz"),
        ("sct-65", "sub-amu001_acq-ax_T2star_desc-lesion_mask.nii.gz"),
    }
    cord = companions.read_cord(case)
    assert cord is not None
    assert cord.any()
    assert b"CANARY" not in b"".join(path.read_bytes() for path in list_files())


def test_an_nnunet_set_knows_channels_labels_and_predictions(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "Dataset042"
    sets.write_nnunet(folder, 2)
    sets.write_image(folder / "imagesTs" / "case_000_T2w_0001.nii.gz", 77)
    sets.write_image(folder / "imagesTs" / "case_000_T2w_0002.nii.gz", 78)
    code, told = bring_in(capsys, study, folder)
    assert code == 0
    case = study.cases.get(source_name="case_000_T2w_0000.nii.gz")
    assert {m.arm.label for m in case.masks.all()} == {"Manual", "predictionsTs"}
    second = case.find_companion("second")
    assert second
    assert second.source_name == "case_000_T2w_0001.nii.gz"
    passed = [one["file"] for one in told if one.get("verdict") == "passed over"]
    assert passed == ["imagesTs/case_000_T2w_0002.nii.gz"]


def write_manifest(folder: Path, rows: list[dict[str, str]], kind: str = "csv") -> None:
    if kind == "xlsx":
        cells: list[list[object]] = [[*rows[0]]]
        cells += [[*row.values()] for row in rows]
        (folder / "manifest.xlsx").write_bytes(workbook(("Cases", cells)))
        return
    with (folder / "manifest.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_manifest_names_files_arms_maps_and_strata(
    kind: str, study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "set"
    for n in range(2):
        sets.write_image(folder / f"img/{n}.nii.gz", n)
        for part in ("hand", "net", "cord"):
            sets.write_mask(folder / part / f"{n}.nii.gz", n + len(part))
        levels = np.full(sets.SHAPE, 4, np.uint8)
        levels[0] = 5
        save(folder / f"levels_{n}.nii.gz", levels, sets.AFFINE)
        soft = make_lesion(sets.SHAPE, np.random.default_rng(n)) * np.float32(0.3)
        save(folder / f"soft_{n}.nii.gz", soft, sets.AFFINE)
    rows = [
        {
            "Subject": f"P{n}", "image": f"img/{n}.nii.gz", "mask": f"hand/{n}.nii.gz",
            "mask_Net 2": f"net/{n}.nii.gz", "cord": f"cord/{n}.nii.gz",
            "levels": f"levels_{n}.nii.gz", "soft": f"soft_{n}.nii.gz",
            "Field strength": "1.5", "site": "Ulm", "contrast": "STIR",
        }
        for n in range(2)
    ]  # fmt: skip
    write_manifest(folder, rows, kind)
    code, told = bring_in(capsys, study, folder)
    assert code == 0, told
    case = study.cases.get(subject="P1")
    assert case.strata == {
        "contrast": "STIR", "site": "Ulm", "field_strength": "1.5",
        "acquisition": "sagittal",
    } | {"acquisition": case.strata["acquisition"]}  # fmt: skip
    assert {c.kind for c in case.companions.all()} == {"cord", "levels", "soft"}
    assert {m.arm.label for m in case.masks.all()} == {"Manual", "Net 2"}


def test_a_manifest_that_names_what_is_not_there_stops_the_import(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets.write_image(tmp_path / "a.nii.gz", 1)
    write_manifest(tmp_path, [{"image": "a.nii.gz", "mask": "gone.nii.gz"}])
    code, told = bring_in(capsys, study, tmp_path)
    assert code == 1
    assert (
        "manifest.csv, row 2: the column “mask” names gone.nii.gz" in told[0]["message"]
    )
    assert not study.cases.exists()


def test_flat_files_pair_by_name(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets.write_image(tmp_path / "anna_T2w.nii.gz", 1)
    sets.write_mask(tmp_path / "anna_T2w_lesion.nii.gz", 1)
    sets.write_mask(tmp_path / "anna_T2w_cord_seg.nii.gz", 2)
    code, _ = bring_in(capsys, study, tmp_path)
    case = study.cases.get()
    assert code == 0
    assert case.masks.get().source_name == "anna_T2w_lesion.nii.gz"
    assert case.find_companion("cord")


def test_links_that_lead_out_of_the_folder_are_not_followed(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "set"
    sets.write_image(folder / "a_T2w.nii.gz", 1)
    sets.write_image(tmp_path / "secret.nii.gz", 2)
    (folder / "b_T2w.nii.gz").symlink_to(tmp_path / "secret.nii.gz")
    bring_in(capsys, study, folder)
    assert [case.source_name for case in study.cases.all()] == ["a_T2w.nii.gz"]


def test_a_study_or_folder_that_is_not_there_is_a_usage_error(
    study: Study, tmp_path: Path
) -> None:
    for words in (("no such study", str(tmp_path)), (study.title, "/no/such/folder")):
        with pytest.raises(CommandError) as error:
            call_command("import_cases", *words)
        assert error.value.returncode == 2


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("t2_fake_lesion_sc_seg", "cord"),
        ("t2_fake_lesion_lesion_seg", "mask"),
        ("sub-01_T2w_label-SC_seg", "cord"),
        ("sub-01_T2w_lesion-manual", "mask"),
        ("sub-01_T2w_labels-disc", "levels"),
        ("sub-01_T2w_desc-softseg", "soft"),
    ],
)
def test_the_last_telling_word_of_a_name_says_what_it_is(name: str, role: str) -> None:
    assert layouts.name_role(filenames.split_words(name)) == role


def test_a_personal_name_is_imported_once_the_command_confirms_it(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "set"
    sets.write_image(folder / "Smith_Anna_T2w.nii.gz", 1)
    sets.write_image(folder / "sub-01_T2w.nii.gz", 2)
    code, told = bring_in(capsys, study, folder)
    assert code == 1
    assert any("Confirm that it does not" in one["message"] for one in told)
    assert study.cases.count() == study.uploads.count() == 0
    assert list_files() == []
    code, told = bring_in(capsys, study, folder, "--good-ones")
    assert code == 1
    assert [case.source_name for case in study.cases.all()] == ["sub-01_T2w.nii.gz"]
    (folder / "sub-01_T2w.nii.gz").unlink()
    code, told = bring_in(capsys, study, folder, "--names-confirmed")
    assert code == 0, told
    assert study.cases.filter(source_name="Smith_Anna_T2w.nii.gz").exists()
    entry = AuditEntry.objects.get(study=study, verb="confirm_names")
    assert entry.payload == {"files": 1}
    assert "Smith" not in str(entry.payload)


def test_a_name_that_is_no_utf8_is_shown_and_stored_with_a_sign_for_the_byte(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets.write_image(tmp_path / "a.nii.gz", 1)
    sets.write_mask(tmp_path / "b.nii.gz", 1)
    here = os.fsencode(tmp_path)
    os.rename(here + b"/a.nii.gz", here + b"/caf\xe9_T2w.nii.gz")
    os.rename(here + b"/b.nii.gz", here + b"/caf\xe9_T2w_lesion.nii.gz")
    code, told = bring_in(capsys, study, tmp_path)
    assert code == 0, told
    assert study.cases.get().source_name == "caf\ufffd_T2w.nii.gz"
    assert told[0]["file"] == "caf\ufffd_T2w.nii.gz"


def test_two_names_that_would_be_shown_alike_are_a_fault(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed, byte in enumerate((b"\xe8", b"\xe9")):
        sets.write_image(tmp_path / "a.nii.gz", seed)
        os.rename(tmp_path / "a.nii.gz", os.fsencode(tmp_path) + b"/caf%b.nii" % byte)
    code, told = bring_in(capsys, study, tmp_path)
    assert code == 1
    assert "caf\ufffd.nii: two names look the same as UTF-8." in told[0]["message"]


def test_nothing_stays_waiting_when_a_file_cannot_be_judged(
    study: Study,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("a", "b"):
        sets.write_image(tmp_path / f"{name}_T2w.nii.gz", 1)
    take_in = importing.take_in

    def fail_late(**told: Any) -> Upload:
        if told["name"].startswith("b"):
            raise OSError("The disk is full.")
        return take_in(**told)

    monkeypatch.setattr(importing, "take_in", fail_late)
    with pytest.raises(OSError, match="full"):
        bring_in(capsys, study, tmp_path)
    assert not study.uploads.exists()
    assert list_files() == []


def test_of_several_coordinators_the_command_asks_who_acts(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rhea = make_user("rhea")
    Enrolment.objects.create(study=study, user=rhea, role=Enrolment.Role.COORDINATOR)
    sets.write_image(tmp_path / "a_T2w.nii.gz", 1)
    with pytest.raises(CommandError, match="Say with --user EMAIL who acts") as error:
        bring_in(capsys, study, tmp_path)
    assert error.value.returncode == 2
    code, _ = bring_in(capsys, study, tmp_path, "--user", rhea.email)
    assert code == 0
    entry = AuditEntry.objects.get(study=study, verb="import_cases")
    assert entry.actor == audit.name_of(rhea)


def test_a_folder_without_nifti_says_what_it_holds_and_what_to_do(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(2):
        (tmp_path / f"IM{n}.dcm").write_bytes(b"scan")
    (tmp_path / "._IM0.nii").write_bytes(b"hidden")
    code, told = bring_in(capsys, study, tmp_path)
    assert code == 1
    assert told[0]["code"] == "no_files"
    assert told[0]["message"].startswith(f"{tmp_path} holds no NIfTI file (.nii, ")
    assert "It holds 2 DICOM files. Convert" in told[0]["message"]
    assert "with dcm2niix" in told[0]["message"]
    assert told[-1]["message"] == "Nothing was imported."


def test_a_folder_of_masks_alone_says_that_the_images_are_missing(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets.write_mask(tmp_path / "a_T2w_lesion.nii.gz", 1)
    code, told = bring_in(capsys, study, tmp_path)
    assert code == 1
    assert "none of the files is an image, 1 of them masks" in told[-1]["message"]


def test_masks_alone_are_added_to_the_cases_of_before(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets.write_bids(tmp_path / "set", 2, bare=True)
    bring_in(capsys, study, tmp_path / "set")
    for n, contrast in enumerate(("T2w", "T2star")):
        name = f"sub-amu00{n}_acq-ax_{contrast}_lesion_mask.nii.gz"
        sets.write_mask(tmp_path / f"out/sub-amu00{n}/anat/{name}", n + 900)
    code, told = bring_in(capsys, study, tmp_path / "out")
    assert code == 1
    assert "say with --arm what made the masks" in told[-1]["message"]
    code, told = bring_in(capsys, study, tmp_path / "out", "--arm", "SCT 6.5")
    assert code == 0, told
    assert told[-1]["message"] == "2 masks added to 2 cases."
    assert study.cases.count() == 2
    for case in study.cases.all():
        assert {m.arm.label for m in case.masks.all()} == {"Manual", "SCT 6.5"}
    assert AuditEntry.objects.filter(verb="import_masks").count() == 1


def test_predictions_under_derivatives_alone_are_their_pipelines(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets.write_bids(tmp_path / "set", 1, bare=True)
    bring_in(capsys, study, tmp_path / "set")
    for seed, net in enumerate(("SCT 6.5", "nnunet")):
        name = "sub-amu000_acq-ax_T2w_desc-lesion_mask.nii.gz"
        sets.write_mask(tmp_path / f"out/derivatives/{net}/sub-amu000/{name}", seed)
    code, told = bring_in(capsys, study, tmp_path / "out")
    assert code == 0, told
    masks = study.cases.get().masks.all()
    assert {m.arm.label for m in masks} == {"Manual", "SCT 6.5", "nnunet"}


@pytest.mark.parametrize("label", ["manual", "…", "  "])
def test_an_arm_needs_a_name_of_its_own(
    label: str, study: Study, tmp_path: Path
) -> None:
    with pytest.raises(CommandError) as error:
        call_command("import_cases", study.title, str(tmp_path), "--arm", label)
    assert error.value.returncode == 2


def test_of_each_link_that_is_not_followed_the_command_says_why(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "set"
    sets.write_image(folder / "store" / "a_T2w.nii.gz", 1)
    sets.write_image(tmp_path / "out" / "b_T2w.nii.gz", 2)
    (folder / "a2_T2w.nii.gz").symlink_to("store/a_T2w.nii.gz")
    (folder / "b_T2w.nii.gz").symlink_to(tmp_path / "out" / "b_T2w.nii.gz")
    (folder / "c_T2w.nii.gz").symlink_to(".git/annex/objects/c")
    (folder / "more").symlink_to(tmp_path / "out")
    code, told = bring_in(capsys, study, folder)
    assert code == 0, told
    why = {
        one["file"]: one["message"]
        for one in told
        if one.get("verdict") == "passed over"
    }
    assert sorted(why) == ["b_T2w.nii.gz", "c_T2w.nii.gz", "more"]
    assert "leads out of the folder" in why["b_T2w.nii.gz"]
    assert "datalad get" in why["c_T2w.nii.gz"]
    assert "A link to a folder" in why["more"]
    assert study.cases.count() == 2


def test_a_flat_sidecar_gives_its_allowed_fields_as_proposals(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets.write_image(tmp_path / "scan01.nii.gz", 1)
    sets.write_mask(tmp_path / "scan01_lesion.nii.gz", 1)
    told = {"MagneticFieldStrength": 3, "EchoTime": 0.1, "PatientName": "CANARY"}
    (tmp_path / "scan01.json").write_text(json.dumps(told))
    code, lines = bring_in(capsys, study, tmp_path)
    assert code == 0, lines
    case = study.cases.get()
    assert case.sidecar == {"MagneticFieldStrength": 3, "EchoTime": 0.1}
    assert case.strata["field_strength"] == "3"


def test_a_cohort_that_numbers_its_subjects_comes_in_once_that_is_confirmed(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        sets.write_image(tmp_path / f"{name}.nii.gz", ord(name))
    rows = [
        {"image": "a.nii.gz", "subject": "100307"},
        {"image": "b.nii.gz", "subject": "P1"},
    ]
    write_manifest(tmp_path, rows)
    code, told = bring_in(capsys, study, tmp_path)
    assert code == 1
    assert told[0]["code"] == "personal_subject"
    doubts = [one["message"] for one in told if one.get("code") == "pair"]
    assert doubts == [
        "a.nii.gz: The subject looks like a person's name, date or number. Confirm "
        "that it is none, or write a pseudonym."
    ]
    code, told = bring_in(capsys, study, tmp_path, "--names-confirmed")
    assert code == 0, told
    case = study.cases.get(subject="100307")
    assert "personal_subject" in case.warnings
    assert AuditEntry.objects.get(verb="confirm_names").payload == {"files": 1}


def test_a_sidecar_with_numbers_that_are_none_stops_no_import(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets.write_image(tmp_path / "a_T2w.nii.gz", 1)
    told = '{"EchoTime": NaN, "FlipAngle": 1e999, "Modality": "MR", "a\\u0000": 1}'
    (tmp_path / "a_T2w.json").write_text(told)
    code, _ = bring_in(capsys, study, tmp_path)
    assert code == 0
    assert study.cases.get().sidecar == {"Modality": "MR"}
