"""A mask never goes to another person, visit, arm or meaning than its set says."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ratings import layouts, pairing
from ratings.layouts import Plan
from ratings.models import Case, Study, Upload
from tests.ratings import sets
from tests.ratings.test_import_command import bring_in

SHAPE = [4, 4, 4]


def plan(paths: list[str], **texts: str) -> Plan:
    return layouts.plan([*paths, *texts], lambda path: texts.get(path, "").encode())


def pair(images: str, masks: str, **texts: str) -> dict[str, dict[str, str]]:
    """By the image's path the path of each mask and map, by arm or kind.

    Files as they would wait for import: which of them are images is known.
    """
    there = images.split()
    made = plan([*there, *masks.split()], **texts)
    waiting = []
    for entry in made.entries:
        kind = "image" if entry.path in there else entry.role or "mask"
        facts = {"shape": SHAPE, "arm": entry.arm or "manual", "case": entry.case}
        name = entry.path.rpartition("/")[2]
        waiting.append((entry.path, Upload(kind=kind, name=name, facts=facts)))
    paths = {str(upload.id): path for path, upload in waiting}
    pairs = pairing.propose_from([upload for _, upload in waiting])
    return {
        paths[one.image]: {
            key: paths[mask] for key, mask in (one.masks | one.companions).items()
        }
        for one in pairs
    }


# Who made a mask, and of what it is


@pytest.mark.parametrize("made", ["pred", "nnunet_seg", "desc-auto_mask", "model_seg"])
def test_what_a_name_calls_a_prediction_is_never_the_manual_mask(made: str) -> None:
    (found,) = pair("P1_T2.nii.gz", f"P1_T2_manual.nii.gz P1_T2_{made}.nii.gz").values()
    assert found.pop("manual") == "P1_T2_manual.nii.gz"
    assert list(found.values()) == [f"P1_T2_{made}.nii.gz"]


def test_a_prediction_by_name_in_bids_is_an_arm_of_its_own() -> None:
    image = "sub-01/anat/sub-01_T2w.nii.gz"
    mask = "derivatives/labels/sub-01/anat/sub-01_T2w_desc-nnunet_seg.nii.gz"
    assert pair(image, mask) == {image: {"nnunet": mask}}


BIDS = "derivatives/labels/sub-01/anat/sub-01_T2star_"


@pytest.mark.parametrize(
    ("image", "masks", "found"),
    [
        ("P1_T2.nii.gz", "P1_T2_brain_mask.nii.gz P1_T2_lesion_mask.nii.gz",
         {"manual": "P1_T2_lesion_mask.nii.gz"}),
        ("p/p_T2.nii.gz", "p/p_brainmask.nii.gz p/p_consensus_gt.nii.gz",
         {"manual": "p/p_consensus_gt.nii.gz"}),
        ("P1_T2.nii.gz", "P1_T2_gmseg.nii.gz", {}),
        ("t2/t2.nii.gz", "t2/t2_seg.nii.gz t2/t2_lesion.nii.gz",
         {"manual": "t2/t2_lesion.nii.gz", "cord": "t2/t2_seg.nii.gz"}),
        ("sub-01/anat/sub-01_T2star.nii.gz",
         f"{BIDS}label-GM_seg.nii.gz {BIDS}label-WM_seg.nii.gz", {}),
        ("sub-01/anat/sub-01_T2star.nii.gz",
         f"{BIDS}label-GM_seg.nii.gz {BIDS}label-SC_seg.nii.gz "
         f"{BIDS}label-lesion_seg.nii.gz",
         {"manual": f"{BIDS}label-lesion_seg.nii.gz",
          "cord": f"{BIDS}label-SC_seg.nii.gz"}),
        ("sub-01/anat/sub-01_T2star.nii.gz",
         f"{BIDS}desc-softseg_label-SC_seg.nii.gz", {}),
        ("P1_brain_T2.nii.gz", "P1_brain_T2_seg.nii.gz",
         {"manual": "P1_brain_T2_seg.nii.gz"}),
    ],
)  # fmt: skip
def test_masks_of_something_else_are_no_masks_of_lesions(
    image: str, masks: str, found: dict[str, str]
) -> None:
    assert pair(image, masks) == {image: found}


def test_who_has_no_lesion_gets_no_cord_mask_for_one() -> None:
    images = "P1_T2.nii.gz P2_T2.nii.gz"
    masks = "P1_T2_seg.nii.gz P1_T2_lesion.nii.gz P2_T2_seg.nii.gz"
    assert pair(images, masks)["P2_T2.nii.gz"] == {"cord": "P2_T2_seg.nii.gz"}


def test_what_is_of_no_use_is_passed_over_with_the_remedy() -> None:
    made = plan(["P1_T2.nii.gz", "P1_T2_brainmask.nii.gz"])
    ((path, why),) = made.passed_over
    assert path == "P1_T2_brainmask.nii.gz"
    assert "let the name say “lesion”" in why


# Whose a mask is


@pytest.mark.parametrize(
    ("with_mask", "other"),
    [
        ("site1_bert_T2", "site1_anna_T2"),
        ("3T_bar_T2", "3T_amu_T2"),
        ("P1_followup_T2", "P1_baseline_T2"),
        ("P1_v2_T2", "P1_T2"),
        ("MS01_M12_FLAIR", "MS01_M00_FLAIR"),
        ("P1_T2", "P1_T1"),
        ("P1_T2", "P1_T2_v2"),
    ],
)
def test_an_image_without_a_mask_gets_nobody_elses(with_mask: str, other: str) -> None:
    mask = f"{with_mask}_seg.nii.gz"
    found = pair(f"{with_mask}.nii.gz {other}.nii.gz", mask)
    assert found == {f"{with_mask}.nii.gz": {"manual": mask}, f"{other}.nii.gz": {}}


def test_a_time_named_t1_is_no_contrast() -> None:
    found = pair("P1_T1_FLAIR.nii.gz P1_T2_FLAIR.nii.gz", "P1_T1_MASK.nii.gz")
    assert found["P1_T1_FLAIR.nii.gz"] == {"manual": "P1_T1_MASK.nii.gz"}
    assert found["P1_T2_FLAIR.nii.gz"] == {}


def test_a_tools_number_before_the_name_is_not_the_persons() -> None:
    found = pair("1_T2.nii.gz 2_T2.nii.gz",
                 "run_2_1_T2_seg.nii.gz run_2_2_T2_seg.nii.gz")  # fmt: skip
    assert found == {
        "1_T2.nii.gz": {"manual": "run_2_1_T2_seg.nii.gz"},
        "2_T2.nii.gz": {"manual": "run_2_2_T2_seg.nii.gz"},
    }


@pytest.mark.parametrize(
    "images",
    [
        "P1_baseline_T2.nii.gz P1_followup_T2.nii.gz",
        "P1_v1_T2.nii.gz P1_v2_T2.nii.gz",
        "P1_T1_FLAIR.nii.gz P1_T2_FLAIR.nii.gz",
    ],
)
def test_a_mask_that_names_no_visit_goes_to_none_of_two(images: str) -> None:
    assert set(map(str, pair(images, "P1_seg.nii.gz").values())) == {"{}"}


def test_a_persons_mask_serves_all_series_of_one_visit() -> None:
    images = "P1_T1W.nii.gz P1_T1WKS.nii.gz P1_FLAIR.nii.gz P1_acq-sag_T2.nii.gz"
    found = pair(images, "P1_consensus_gt.nii.gz")
    assert {path: one["manual"] for path, one in found.items()} == dict.fromkeys(
        images.split(), "P1_consensus_gt.nii.gz"
    )


@pytest.mark.parametrize("both", [False, True])
def test_two_bids_sets_with_the_same_persons_keep_their_own(both: bool) -> None:
    end = "derivatives/labels/sub-01/anat/sub-01_T2w_lesion-manual.nii.gz"
    images = "A/sub-01/anat/sub-01_T2w.nii.gz B/sub-01/anat/sub-01_T2w.nii.gz"
    found = pair(images, f"A/{end} B/{end}" if both else f"B/{end}")
    assert found["B/sub-01/anat/sub-01_T2w.nii.gz"] == {"manual": f"B/{end}"}
    expected = {"manual": f"A/{end}"} if both else {}
    assert found["A/sub-01/anat/sub-01_T2w.nii.gz"] == expected


def test_a_session_that_only_a_folder_names_keeps_its_mask() -> None:
    images = [f"sub-01/ses-0{n}/anat/sub-01_T2w.nii.gz" for n in (1, 2)]
    mask = "derivatives/labels/sub-01/ses-02/anat/sub-01_T2w_lesion-manual.nii.gz"
    found = pair(" ".join(images), mask)
    assert found == {images[0]: {}, images[1]: {"manual": mask}}


def test_a_bids_mask_without_a_session_goes_to_none_of_two() -> None:
    images = [
        f"sub-01/ses-0{n}/anat/sub-01_ses-0{n}_T2w.nii.gz" for n in (1, 2)
    ]  # fmt: skip
    mask = "derivatives/labels/sub-01/anat/sub-01_label-lesion_mask.nii.gz"
    assert set(map(str, pair(" ".join(images), mask).values())) == {"{}"}
    assert "which session" in plan([*images, mask]).passed_over[0][1]


# Folders of masks


@pytest.mark.parametrize("folder", ["labelsPred", "labelsTs_pred", "labelsTr_rater2"])
def test_only_the_folders_of_labels_themselves_are_manual(folder: str) -> None:
    image = "imagesTs/c1_0000.nii.gz"
    found = pair(image, f"labelsTs/c1.nii.gz {folder}/c1.nii.gz")
    assert found == {
        image: {"manual": "labelsTs/c1.nii.gz", folder: f"{folder}/c1.nii.gz"}
    }


def test_folds_of_two_models_are_two_arms() -> None:
    masks = "preds/A/fold_0/c1.nii.gz preds/B/fold_0/c1.nii.gz"
    (found,) = pair("imagesTs/c1_0000.nii.gz", masks).values()
    assert found == dict(zip(("A/fold_0", "B/fold_0"), masks.split(), strict=True))
    end = "sub-01/anat/sub-01_T2w_mask.nii.gz"
    masks = f"derivatives/net/fold-0/{end} derivatives/net/fold-1/{end}"
    (found,) = pair("sub-01/anat/sub-01_T2w.nii.gz", masks).values()
    assert found == dict(zip(("net/fold-0", "net/fold-1"), masks.split(), strict=True))


def test_two_decathlon_sets_are_imported_one_at_a_time() -> None:
    told = '{"training": [{"image": "./imagesTr/c.nii.gz", "label": ""}]}'
    texts = {f"{task}/dataset.json": told for task in ("Task01", "Task02")}
    made = plan(["Task01/imagesTr/c.nii.gz", "Task02/imagesTr/c.nii.gz"], **texts)
    assert not made.entries
    assert "one data set at a time" in made.faults[0]


# Tables


@pytest.mark.parametrize(
    ("files", "table"),
    [
        ("P1/T2.nii.gz predictions/P1/lesion.nii.gz",
         "image,mask\nP1/T2.nii.gz,P1/lesion.nii.gz"),
        ("P1/T2.nii.gz P2/lesion.nii.gz",
         "image,mask\nP1/T2.nii.gz,lesion.nii.gz"),
        ("P1/T2.nii.gz P2/T2.nii.gz P1/m.nii.gz old/P2/m.nii.gz",
         "image,mask\nP1/T2.nii.gz,P1/m.nii.gz\nP2/T2.nii.gz,P2/m.nii.gz"),
    ],
)  # fmt: skip
def test_a_missing_file_of_a_table_is_no_namesake_elsewhere(
    files: str, table: str
) -> None:
    made = plan(files.split(), **{"manifest.csv": table})
    assert len(made.faults) == 1
    assert "which is not there" in made.faults[0]


@pytest.mark.parametrize(
    "files",
    ["set/P1/T2.nii.gz set/P1/m.nii.gz", "P1/T2.nii.gz P1/m.nii.gz"],
)
def test_a_tables_paths_may_all_begin_in_one_other_folder(files: str) -> None:
    made = plan(files.split(), **{"manifest.csv": "image,mask\nT2.nii.gz,m.nii.gz"})
    assert (made.faults, len(made.entries)) == ((), 2)


def test_mere_names_may_lie_in_a_folder_for_each_column() -> None:
    files = "imgs/a.nii.gz imgs/b.nii.gz lab/a.nii.gz lab/b.nii.gz net/a.nii.gz"
    table = "image,mask\nimgs/a.nii.gz,lab/a.nii.gz\nimgs/b.nii.gz,lab/b.nii.gz"
    made = plan(files.split(), **{"t/manifest.csv": table})
    assert made.faults == ()
    assert {entry.path for entry in made.entries} == {*files.split()[:4]}


def test_one_mask_in_two_rows_is_of_one_person_or_a_fault() -> None:
    files = "a.nii.gz b.nii.gz m.nii.gz"
    rows = "image,mask\na.nii.gz,m.nii.gz\nb.nii.gz,m.nii.gz"
    made = plan(files.split(), **{"manifest.csv": rows})
    assert "the mask m.nii.gz stands in row 2 already" in made.faults[0]
    rows = "image,mask,subject\na.nii.gz,m.nii.gz,P1\nb.nii.gz,m.nii.gz,P1"
    assert plan(files.split(), **{"manifest.csv": rows}).faults == ()


@pytest.mark.parametrize("title", ["mask_path", "Label", "segmentation file", "manual"])
def test_a_column_of_masks_is_known_by_the_names_that_people_give_it(
    title: str,
) -> None:
    table = f"image file,{title}\na.nii.gz,m.nii.gz"
    made = plan(["a.nii.gz", "m.nii.gz"], **{"manifest.csv": table})
    assert [(e.path, e.role, e.arm) for e in made.entries] == [
        ("a.nii.gz", "image", ""), ("m.nii.gz", "mask", ""),
    ]  # fmt: skip


def test_a_column_of_files_is_never_a_stratum() -> None:
    table = "image,annotator 2\na.nii.gz,m.nii.gz"
    made = plan(["a.nii.gz", "m.nii.gz"], **{"manifest.csv": table})
    assert not made.entries
    assert "the column “annotator 2” names files. Call it mask" in made.faults[0]


# Masks that come later


@pytest.mark.django_db
@pytest.mark.parametrize("ends", ["case_001.nii.gz", "imagesTs/case_001_0000.nii.gz"])
def test_a_later_mask_goes_to_none_of_two_cases_of_one_name(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str], ends: str
) -> None:
    for seed, part in enumerate("AB"):
        sets.write_image(tmp_path / part / ends, seed)
        assert bring_in(capsys, study, tmp_path / part)[0] == 0
    sets.write_mask(tmp_path / "net/case_001.nii.gz", 9)
    _, told = bring_in(capsys, study, tmp_path / "net", "--arm", "Net")
    assert not any(case.masks.exists() for case in Case.objects.all())
    assert "or more than one has" in str(told)


@pytest.mark.django_db
def test_a_later_mask_goes_to_the_case_that_its_name_fits_best(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed, name in enumerate(("sub-01_ses-01_T2w", "sub-01_T2w")):
        sets.write_image(tmp_path / f"images/{name}.nii.gz", seed)
    assert bring_in(capsys, study, tmp_path / "images")[0] == 0
    sets.write_mask(tmp_path / "net/sub-01_ses-01_T2w_pred.nii.gz", 9)
    for _ in range(2):
        bring_in(capsys, study, tmp_path / "net", "--arm", "Net")
        owners = [case.source_name for case in Case.objects.filter(masks__gt=0)]
        assert owners == ["sub-01_ses-01_T2w.nii.gz"]


def test_a_set_of_a_thousand_images_is_planned_in_seconds() -> None:
    names = [f"sub-{n:04d}" for n in range(1000)]
    images = [f"{one}/anat/{one}_T2w.nii.gz" for one in names]
    masks = [f"derivatives/net/{one}/anat/{one}_T2w_mask.nii.gz" for one in names]
    begun = time.perf_counter()
    assert len(plan([*images, *masks]).entries) == 2000
    # it took minutes when each mask was compared with each image
    assert time.perf_counter() - begun < 20
