"""Sets that are laid out oddly but rightly come in whole, and nothing goes astray."""

from __future__ import annotations

import hashlib
import json
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client

from ratings import images, layouts
from ratings import sets as sets_of
from ratings.layouts import Plan
from ratings.models import Case, Mask, Study
from tests.ratings import sets
from tests.ratings.script import Script
from tests.ratings.test_import_command import bring_in
from tests.ratings.test_moving_tables import workbook
from tests.ratings.test_transfers import Sender, make_zip

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def plan(*paths: str, **texts: str) -> Plan:
    found = [*paths, *texts]
    return layouts.plan(found, lambda path: texts.get(path, "").encode())


def tell(made: Plan) -> set[tuple[str, str, str, str]]:
    return {(e.path, e.role, e.case, e.arm) for e in made.entries}


def write(folder: Path, images: str = "", masks: str = "") -> None:
    """Images and masks at these paths, one a line, no two alike."""
    for seed, path in enumerate(filter(None, images.split("\n"))):
        sets.write_image(folder / path, seed)
    for seed, path in enumerate(filter(None, masks.split("\n"))):
        sets.write_mask(folder / path, seed + 100)


def name_masks(study: Study) -> dict[str, dict[str, str]]:
    """By the image's name the arm and the name of each of its masks."""
    return {
        case.source_name: {m.arm.key: m.source_name for m in case.masks.all()}
        for case in study.cases.all()
    }


def digest(path: Path) -> str:
    """Of the canonical bytes that this mask must be stored as."""
    mask = images.read_mask(path=path, name=path.name)
    marked = np.asarray(mask.voxels, np.bool_)
    data = images.encode_mask(mask=marked, grid=mask.grid)
    return hashlib.sha256(data).hexdigest()


# BIDS


def test_bids_sessions_and_runs_keep_their_own_masks(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stems = [f"sub-01_ses-0{s}_run-{r}" for s in (1, 2) for r in (1, 2)]
    images = [f"sub-01/{s[7:13]}/anat/{s}_T2w.nii.gz" for s in stems]
    masks = [
        f"derivatives/labels/sub-01/{s[7:13]}/anat/{s}_label-lesion_mask.nii.gz"
        for s in stems
    ]
    write(tmp_path, "\n".join(images), "\n".join(masks))
    code, told = bring_in(capsys, study, tmp_path)
    assert code == 0, told
    assert name_masks(study) == {
        f"{s}_T2w.nii.gz": {"manual": f"{s}_label-lesion_mask.nii.gz"} for s in stems
    }


def test_bids_pipelines_are_arms_and_what_is_no_image_or_mask_is_told(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        tmp_path,
        "sub-01/anat/sub-01_T2w.NII.GZ\nsub-01/dwi/sub-01_dwi.nii.gz\n"
        "derivatives/fmriprep/sub-01/anat/sub-01_space-MNI_desc-preproc_T2w.nii.gz",
        "derivatives/labels/sub-01/anat/sub-01_T2w_lesion-manual.nii.gz\n"
        "derivatives/nnU-Net_v2/sub-01/anat/sub-01_T2w.nii.gz\n"
        "derivatives/SCT 6.5/sub-01/anat/sub-01_T2w_desc-lesion_mask.NII.gz",
    )
    code, told = bring_in(capsys, study, tmp_path)
    assert code == 0, told
    assert name_masks(study) == {
        "sub-01_T2w.NII.GZ": {
            "manual": "sub-01_T2w_lesion-manual.nii.gz",
            "nnu-net_v2": "sub-01_T2w.nii.gz",
            "sct-65": "sub-01_T2w_desc-lesion_mask.NII.gz",
        }
    }
    passed = {one["file"]: one["message"] for one in told if "file" in one}
    assert "A series in time" in passed["sub-01/dwi/sub-01_dwi.nii.gz"]
    (derived,) = [text for name, text in passed.items() if "preproc" in name]
    assert "of derivatives only masks and maps are read" in derived


def test_a_mask_that_fits_two_runs_or_is_of_a_series_goes_to_no_image() -> None:
    net = "derivatives/net/sub-01/anat"
    made = plan(
        "sub-01/anat/sub-01_acq-ax_T2w.nii.gz",
        "sub-01/anat/sub-01_acq-sag_T2w.nii.gz",
        "sub-01/dwi/sub-01_dwi.nii.gz",
        f"{net}/sub-01_T2w_seg.nii.gz",
        f"{net}/sub-01_acq-ax_T2w_seg.nii.gz",
        f"{net}/sub-01_dwi_seg.nii.gz",
    )
    masks = {e.path: e.case for e in made.entries if e.role == "mask"}
    assert masks == {
        f"{net}/sub-01_acq-ax_T2w_seg.nii.gz": "sub-01/anat/sub-01_acq-ax_T2w"
    }
    told = dict(made.passed_over)
    assert "More than one image" in told[f"{net}/sub-01_T2w_seg.nii.gz"]
    assert "No image" in told[f"{net}/sub-01_dwi_seg.nii.gz"]


def test_a_mask_of_another_contrast_goes_to_no_image() -> None:
    made = plan("sub-01/anat/sub-01_T2w.nii.gz", "sub-01/anat/sub-01_T1w_seg.nii.gz")
    assert [entry.role for entry in made.entries] == ["image"]
    assert made.passed_over[0][0] == "sub-01/anat/sub-01_T1w_seg.nii.gz"


def test_two_masks_of_one_source_leave_one_that_is_told(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        tmp_path, "sub-01/anat/sub-01_T2w.nii.gz",
        "derivatives/SCT/sub-01/sub-01_T2w_seg.nii.gz\n"
        "derivatives/sct/sub-01/sub-01_T2w_lesion_seg.nii.gz",
    )  # fmt: skip
    code, told = bring_in(capsys, study, tmp_path)
    assert code == 0, told
    assert study.cases.get().masks.count() == 1
    (passed,) = [one for one in told if one.get("verdict") == "passed over"]
    assert "no case took this" in passed["message"]


# nnU-Net and the Decathlon


def test_nnunet_in_capitals_is_known() -> None:
    made = plan("imagesTr/A_0000.NII.GZ", "labelsTr/A.NII.GZ")
    assert (made.layout, made.passed_over) == ("nnunet", ())
    assert len(made.entries) == 2


def test_two_data_sets_of_nnunet_do_not_share_their_masks(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("Dataset001_A", "Dataset002_B"):
        write(tmp_path / "nnUNet_raw" / name, "imagesTr/case_001_0000.nii.gz")
        write(tmp_path / "nnUNet_raw" / name, "imagesTs/case_001_0000.nii.gz")
    places = sorted((tmp_path / "nnUNet_raw").rglob("*_0000.nii.gz"))
    for seed, place in enumerate(places):
        sets.write_image(place, seed)
    own = tmp_path / "nnUNet_raw/Dataset002_B/labelsTr/case_001.nii.gz"
    sets.write_mask(own, 5)
    sets.write_mask(tmp_path / "elsewhere/case_001.nii.gz", 6)
    code, told = bring_in(capsys, study, tmp_path)
    assert code == 0, told
    assert study.cases.count() == 4
    (mask,) = Mask.objects.filter(case__study=study)
    made = layouts.plan(
        [str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.nii.gz")],
        lambda path: b"",
    )
    image = next(
        e for e in made.entries if e.path.endswith("B/imagesTr/case_001_0000.nii.gz")
    )
    label = next(e for e in made.entries if e.role == "mask")
    assert label.case == image.case
    assert mask.arm.key == "manual"
    (passed,) = [one for one in told if one.get("verdict") == "passed over"]
    assert "More than one image of this set has this name" in passed["message"]


def test_predictions_that_kept_the_number_of_a_channel_are_an_arm() -> None:
    made = plan(
        "imagesTs/a_1_0000.nii.gz", "labelsTs/a_1.nii.gz", "net/a_1_0000.nii.gz"
    )
    assert {e.path: e.arm for e in made.entries if not e.path.startswith("im")} == {
        "labelsTs/a_1.nii.gz": "", "net/a_1_0000.nii.gz": "net",
    }  # fmt: skip


def test_files_that_are_counted_with_four_digits_are_no_channels(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"P_{n:04d}.nii.gz" for n in range(3)]
    write(
        tmp_path, "\n".join(f"images/{n}" for n in names),
        "\n".join(f"masks/{n}" for n in names),
    )  # fmt: skip
    code, told = bring_in(capsys, study, tmp_path)
    assert code == 0, told
    assert name_masks(study) == {name: {"manual": name} for name in names}


def test_a_decathlon_list_may_use_backslashes_and_lists_no_image_twice() -> None:
    row = {"image": ".\\imagesTr\\a.nii.gz", "label": "labelsTr//a.nii.gz"}
    told = json.dumps({"training": [row, row], "test": ["imagesTs/a.nii.gz"]})
    files = ("imagesTr/a.nii.gz", "labelsTr/a.nii.gz", "imagesTs/a.nii.gz")
    made = plan(*files, **{"dataset.json": told})
    assert made.faults == (
        "dataset.json, training, entry 2: the image imagesTr/a.nii.gz is listed "
        "already. List each image once.",
    )
    cases = {e.path: e.case for e in made.entries}
    assert cases["labelsTr/a.nii.gz"] == cases["imagesTr/a.nii.gz"]
    assert cases["imagesTs/a.nii.gz"] != cases["imagesTr/a.nii.gz"]


def test_a_decathlon_test_part_that_counts_anew_keeps_its_own_masks() -> None:
    row = {"image": "imagesTr/001.nii.gz"}
    told = json.dumps({"training": [row], "test": ["imagesTs/001.nii.gz"]})
    parts = ("imagesTr", "imagesTs", "labelsTs", "labelsTr", "predictions")
    files = [f"{folder}/001.nii.gz" for folder in parts]
    made = plan(*files, **{"dataset.json": told})
    cases = {e.path: e.case for e in made.entries}
    for part in ("Tr", "Ts"):
        assert cases[f"labels{part}/001.nii.gz"] == cases[f"images{part}/001.nii.gz"]
    assert [path for path, _ in made.passed_over] == ["predictions/001.nii.gz"]


# Names alone


def test_a_folder_for_each_person_keeps_files_of_one_name_apart(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people = ("P1", "P2", "P3")
    write(
        tmp_path,
        "\n".join(f"set/{p}/T2.nii.gz" for p in people),
        "set/P2/lesion.nii.gz\nset/P3/masks/lesion.nii.gz",
    )
    code, told = bring_in(capsys, study, tmp_path)
    assert code == 0, told
    found = {case.subject: case.masks.count() for case in study.cases.all()}
    assert found == {"P1": 0, "P2": 1, "P3": 1}


def test_images_and_masks_of_one_name_in_two_trees_meet_by_their_folders(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people = ("P1", "P2")
    write(
        tmp_path, "\n".join(f"images/{p}/scan.nii.gz" for p in people),
        "\n".join(f"masks/{p}/scan.nii.gz" for p in people),
    )  # fmt: skip
    code, told = bring_in(capsys, study, tmp_path)
    assert code == 0, told
    for person in people:
        mask = Mask.objects.get(case__subject=person)
        assert mask.sha256 == digest(tmp_path / f"masks/{person}/scan.nii.gz")


def test_predictions_in_folders_of_persons_go_to_the_cases_of_before(
    ada: User, study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people = ("P1", "P2")
    write(tmp_path / "set", "\n".join(f"{p}/T2.nii.gz" for p in people))
    bring_in(capsys, study, tmp_path / "set")
    write(tmp_path / "net", "", "\n".join(f"out/{p}/T2.nii.gz" for p in people))
    found = sets_of.plan_folder(tmp_path / "net")
    list(sets_of.receive_folder(study=study, user=ada, folder=found))
    made = Script(ada).post(f"studies/{study.pk}/import", {})
    assert made.status_code == 201, made.content
    for person in people:
        mask = Mask.objects.get(case__subject=person)
        assert mask.sha256 == digest(tmp_path / f"net/out/{person}/T2.nii.gz")


@pytest.mark.parametrize(
    ("before", "later"),
    [
        (("siteA/p1/T2", "siteB/p1/T2"), ("siteA/p1/lesion", "siteB/p1/lesion")),
        (("p1/baseline/T2", "p2/baseline/T2"),
         ("p2/baseline/lesion", "p2/later/lesion")),
        (("p1/baseline/T2", "p1/later/T2"), ("p1/later/lesion",)),
    ],
)  # fmt: skip
def test_masks_alone_go_to_no_case_that_folders_leave_in_doubt(
    ada: User, study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    before: tuple[str, ...], later: tuple[str, ...],
) -> None:  # fmt: skip
    write(tmp_path / "set", "\n".join(f"{path}.nii.gz" for path in before))
    bring_in(capsys, study, tmp_path / "set")
    write(tmp_path / "net", "", "\n".join(f"out/{path}.nii.gz" for path in later))
    found = sets_of.plan_folder(tmp_path / "net")
    list(sets_of.receive_folder(study=study, user=ada, folder=found))
    Script(ada).post(f"studies/{study.pk}/import", {})
    assert (study.cases.count(), Mask.objects.count()) == (len(before), 0)


def test_neither_a_visit_nor_a_site_is_taken_for_a_person() -> None:
    visits = [f"{p}/{v}/flair.nii.gz" for p in ("p1", "p2") for v in ("baseline", "m6")]
    assert {e.subject for e in plan(*visits).entries} == {"p1", "p2"}
    made = plan("siteA/p1/flair.nii.gz", "siteB/p1/flair.nii.gz")
    assert {e.subject for e in made.entries} == {""}


def test_folders_beside_those_of_images_and_masks_are_arms(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        tmp_path, "images/p1_T2.nii.gz\nimages/p2_T2.nii.gz",
        "manual/p1_T2_seg.nii.gz\nAI net/p1_T2_pred.nii.gz\nAI net/p2_T2_pred.nii.gz",
    )  # fmt: skip
    code, told = bring_in(capsys, study, tmp_path)
    assert code == 0, told
    assert name_masks(study) == {
        "p1_T2.nii.gz": {"manual": "p1_T2_seg.nii.gz", "ai-net": "p1_T2_pred.nii.gz"},
        "p2_T2.nii.gz": {"ai-net": "p2_T2_pred.nii.gz"},
    }


def test_a_folder_is_the_person_unless_the_names_number_persons_themselves() -> None:
    made = plan("baseline/p1_T2.nii.gz", "later/p1_T2.nii.gz", "later/p2_T2.nii.gz")
    assert {e.subject for e in made.entries} == {""}
    assert {e.case for e in made.entries} == {"folder baseline", "folder later"}
    made = plan("set/A/T2.nii.gz", "set/B/T2.nii.gz", "set/P1/P1_T2.nii.gz")
    assert {e.subject for e in made.entries} == {"A", "B", "P1"}


def test_a_folder_with_a_persons_name_is_doubted_once_for_its_image(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        tmp_path, "müller hans/T2.nii.gz\nP2/T2.nii.gz",
        "müller hans/lesion.nii.gz\nP2/lesion.nii.gz",
    )  # fmt: skip
    code, told = bring_in(capsys, study, tmp_path)
    assert code == 1
    doubts = [one["message"] for one in told if one.get("code") == "pair"]
    assert len(doubts) == 1
    assert "The subject looks like a person's name" in doubts[0]
    code, told = bring_in(capsys, study, tmp_path, "--names-confirmed")
    assert code == 0, told
    case = study.cases.get(subject="müller hans")
    assert "personal_subject" in case.warnings
    assert case.masks.get().warnings == []


def test_what_is_no_nifti_beside_what_is_gets_a_line_a_kind(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "a.nii.gz")
    for name in ("1.dcm", "2.dcm", "b.mha", "c.zip", "read.me", "._3.dcm"):
        (tmp_path / name).write_bytes(b"x")
    _, told = bring_in(capsys, study, tmp_path)
    passed = {
        o["file"]: o["message"]
        for o in told
        if o.get("verdict") != "accept" and "file" in o
    }
    assert sorted(passed) == ["1.dcm", "b.mha", "c.zip"]
    assert passed["1.dcm"] == (
        "1.dcm: This is no NIfTI file, nor are 1 like it. Convert DICOM to NIfTI "
        "first, e.g. with dcm2niix."
    )


def test_in_one_folder_names_still_tell_whose_a_mask_is() -> None:
    paths = ("a/1_T2.nii.gz", "a/2_T2.nii.gz", "a/1_T2_seg.nii.gz", "b/1_T2.nii.gz")
    made = plan(*paths)
    assert {e.case for e in made.entries} == {"folder a", "folder b"}


def test_names_that_differ_in_capitals_alone_keep_their_own_masks(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "Scan1.nii.gz\nscan1.nii.gz", "Scan1_seg.nii.gz\nscan1_seg.nii.gz")
    code, told = bring_in(capsys, study, tmp_path)
    assert code == 0, told
    assert name_masks(study) == {
        "Scan1.nii.gz": {"manual": "Scan1_seg.nii.gz"},
        "scan1.nii.gz": {"manual": "scan1_seg.nii.gz"},
    }


def test_accents_may_be_stored_in_two_ways(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = (unicodedata.normalize(f, "tête é1") for f in ("NFC", "NFD"))
    sets.write_image(tmp_path / f"{one}_T2w.nii.gz", 1)
    sets.write_mask(tmp_path / f"{two}_T2w_seg.nii.gz", 1)
    (tmp_path / f"{two}_T2w.json").write_text('{"EchoTime": 0.1}')
    code, told = bring_in(capsys, study, tmp_path)
    assert code == 0, told
    case = study.cases.get()
    assert case.masks.count() == 1
    assert case.sidecar == {"EchoTime": 0.1}


def test_what_systems_leave_in_folders_is_no_part_of_a_set(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "a b/scan 1.nii.gz", "a b/scan 1 mask.nii.gz")
    for junk in (".DS_Store", "a b/._scan 1.nii.gz", "__MACOSX/a b/._scan 1.nii.gz",
                 "Thumbs.db", "desktop.ini"):  # fmt: skip
        (tmp_path / junk).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / junk).write_bytes(b"junk")
    code, told = bring_in(capsys, study, tmp_path)
    assert code == 0, told
    assert name_masks(study) == {"scan 1.nii.gz": {"manual": "scan 1 mask.nii.gz"}}


# Manifests


def make_table(mark: str, *, end: str = "\n") -> str:
    rows = [("Image", "mask", "Site"), ("img\\a.nii.gz", "./m/a.nii.gz", "Köln, Nord")]
    return end.join(mark.join(f'"{cell}"' for cell in row) for row in rows)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\ufeffsep={mark}\r\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_tables_of_any_office_program_are_read(mark: str, start: str, end: str) -> None:
    table = start.format(mark=mark) + make_table(mark, end=end)
    made = plan("img/a.nii.gz", "m/A.NII.gz", **{"manifest.csv": table})
    assert made.faults == ()
    assert tell(made) == {
        ("img/a.nii.gz", "image", "row 2", ""), ("m/A.NII.gz", "mask", "row 2", ""),
    }  # fmt: skip
    assert made.entries[0].strata["site"] == "Köln, Nord"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("mask\nb.nii.gz", "one must be “image”"),
        ("image\na.nii.gz\na.nii.gz", "row 3: the image a.nii.gz stands in row 2"),
        ("image,mask\n,b.nii.gz", "row 2: this names no image"),
        ("image,mask\nA.NII.GZ,c.nii.gz", "the column “mask” names c.nii.gz, which"),
        ("image,mask\n/data/set/a.nii.gz,b.nii.gz", "which is not there"),
        ("image,mask\nC:\\set\\a.nii.gz,b.nii.gz", "which is not there"),
        ("image,mask\n../set/a.nii.gz,b.nii.gz", "which is not there"),
        ("image,mask\na.nii.gz,b.nii.gz,more", "row 2: there are more cells"),
        ("", "the table is empty"),
    ],
)
def test_a_table_at_fault_says_where_and_what_to_do(table: str, said: str) -> None:
    made = plan("a.nii.gz", "b.nii.gz", **{"manifest.csv": table})
    assert [fault for fault in made.faults if said in fault], made.faults
    assert all(fault.startswith("manifest.csv") for fault in made.faults)


def test_a_workbook_with_an_accent_finds_its_file(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets.write_image(tmp_path / unicodedata.normalize("NFD", "é1.nii.gz"), 1)
    sets.write_mask(tmp_path / "M 1.NII.GZ", 1)
    cells: list[list[object]] = [
        ["image", "mask", "subject"],
        ["é1.nii.gz", "M 1.NII.GZ", 7],
    ]
    (tmp_path / "Manifest.xlsx").write_bytes(workbook(("Cases", cells)))
    code, told = bring_in(capsys, study, tmp_path)
    assert code == 0, told
    case = study.cases.get(subject="7")
    assert case.masks.get().source_name == "M 1.NII.GZ"


# By the API


def test_a_zip_from_a_mac_comes_in_by_the_api(
    ada: User, study: Study, coordinator: Client, tmp_path: Path
) -> None:
    write(tmp_path / "set", "é 1_T2w.NII.GZ", "é 1_T2w_seg.nii.gz")

    def fill(archive: zipfile.ZipFile) -> None:
        for path in sorted((tmp_path / "set").iterdir()):
            name = unicodedata.normalize("NFD", path.name)
            archive.write(path, f"set/{name}")
            archive.writestr(f"__MACOSX/set/._{name}", b"junk")
        archive.writestr("set/.DS_Store", b"junk")

    data = make_zip(fill)
    sender = Sender(coordinator, study)
    place = sender.begin("set.zip", len(data))["Location"]
    sender.piece(place, 0, data)
    told = json.loads(sender.finish(place, hashlib.sha256(data).hexdigest()).content)
    assert len(told["files"]) == 2
    for number in range(2):
        answer = sender.client.post(f"{place}/take", {"number": number})
        assert answer.status_code == 201
    made = Script(ada).post(f"studies/{study.pk}/import", {})
    assert made.status_code == 201, made.content
    assert Case.objects.get(study=study).masks.count() == 1
