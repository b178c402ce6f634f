"""What is made of a folder before a file is read: manifests and dataset.json."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ratings import layouts, manifests
from ratings.layouts import Plan
from tests.ratings.test_moving_tables import workbook


def plan_table(table: str | bytes, *more: str, name: str = "manifest.csv") -> Plan:
    data = table.encode() if isinstance(table, str) else table
    return layouts.plan([name, "a.nii.gz", "b.nii.gz", *more], lambda path: data)


def plan_data_set(told: object, *paths: str) -> Plan:
    data = json.dumps(told).encode()
    return layouts.plan(["dataset.json", *paths], lambda path: data)


@pytest.mark.parametrize(
    "title",
    [
        "patient_name", "date_of_birth", "MRN", "PatientID", "Name", "Last name", "dob",
        "Address", "phone number", "e-mail", "AccessionNumber", "id", "ID number",
        "Geburtsdatum", "scan date", "subject_name", "Initials",
    ],
)  # fmt: skip
def test_a_column_that_is_about_a_person_is_not_kept_and_the_plan_says_so(
    title: str,
) -> None:
    plan = plan_table(f"image,subject,{title},site\na.nii.gz,P1,CANARY,Ulm\n")
    (image,) = plan.entries
    assert image.strata == {"site": "Ulm"}
    assert image.subject == "P1"
    assert "CANARY" not in repr(plan)
    assert plan.faults == ()
    (said,) = [why for path, why in plan.passed_over if path == "manifest.csv"]
    assert said.startswith(f"The column “{title}” looks personal and is not kept.")


@pytest.mark.parametrize(
    ("title", "value"),
    [
        ("site", "New York"), ("contrast", "T2w"), ("acquisition", "sagittal"),
        ("Field strength", "3T"), ("field strength", "1.5"), ("year", "2024"),
        ("scanner name", "Siemens Prisma"), ("site_id", "01"), ("age", "45"),
        ("lesion volume", "0.123456789"), ("group", "controls"), ("software", "5.4.12"),
        ("diagnosis", "Multiple Sclerosis"), ("subject", "sub-001"),
        ("subject", "sub-amu001"), ("participant_id", "P042"), ("patient", "MS017"),
    ],
)  # fmt: skip
def test_what_is_usual_of_a_case_is_kept(title: str, value: str) -> None:
    plan = plan_table(f"image,{title}\na.nii.gz,{value}\n")
    (image,) = plan.entries
    assert value in (image.subject, *image.strata.values())
    assert plan.faults == ()
    assert plan.passed_over == (("b.nii.gz", "The manifest does not name it."),)


@pytest.mark.parametrize(
    ("title", "value"),
    [
        ("subject", "Smith Anna"), ("subject", "19610719"), ("patient", "Doe^Jane"),
        ("remark", "Anna Smith"), ("group", "19.07.1961"), ("group", "7/19/1961"),
        ("site", "1961-07-19"), ("site", "anna@example.org"), ("code", "4711000815"),
    ],
)  # fmt: skip
def test_a_value_that_looks_personal_is_refused_and_not_repeated(
    title: str, value: str
) -> None:
    plan = plan_table(f"image,{title}\na.nii.gz,P1\nb.nii.gz,{value}\n")
    (fault,) = plan.faults
    assert fault.startswith(f"manifest.csv, row 3: {title} looks like a date, a name")
    assert "Write a pseudonym such as sub-001" in fault
    assert value not in repr(plan)


@pytest.mark.parametrize("subject", ["100307", "sub-100307", "sub-1234567_b"])
def test_a_subject_that_is_a_mere_number_is_left_to_whoever_confirms_it(
    subject: str,
) -> None:
    rows = f"a.nii.gz,{subject},\nb.nii.gz,P1,4711000815\n"
    plan = plan_table(f"image,subject,code\n{rows}")
    (image,) = plan.entries
    assert image.subject == subject
    # anywhere but in the subject's column it stays a fault
    (fault,) = plan.faults
    assert "row 3: code looks like" in fault


@pytest.mark.parametrize("told", [5, "x", {"a": 1}, None, True])
def test_a_test_set_that_is_no_list_is_none(told: Any) -> None:
    plan = plan_data_set({"training": ["a.nii.gz"], "test": told}, "a.nii.gz")
    assert [entry.path for entry in plan.entries] == ["a.nii.gz"]
    assert plan.faults == ()


@pytest.mark.parametrize(
    "row", [5, None, [], True, {}, {"image": 5}, {"image": "b.nii.gz", "label": 5}, ""]
)
def test_a_row_of_a_data_set_that_names_no_image_is_a_fault(row: Any) -> None:
    plan = plan_data_set({"training": ["a.nii.gz", row]}, "a.nii.gz", "b.nii.gz")
    assert [entry.path for entry in plan.entries] == ["a.nii.gz"]
    (fault,) = plan.faults
    assert fault.startswith("dataset.json, training, entry 2: this names no image.")


def test_half_a_character_in_a_data_set_can_still_be_told() -> None:
    (fault,) = plan_data_set({"training": ["\ud800.nii.gz"]}, "a.nii.gz").faults
    assert "names the image ?.nii.gz, which is not there" in fault.encode().decode()


def test_the_raw_data_of_nnunets_version_1_are_no_decathlon() -> None:
    told = {
        "training": [{"image": "./imagesTr/x.nii.gz", "label": "./labelsTr/x.nii.gz"}],
        "test": ["./imagesTs/y.nii.gz"],
    }
    images = ["imagesTr/x_0000.nii.gz", "imagesTs/y_0000.nii.gz"]
    plan = plan_data_set(told, *images, "labelsTr/x.nii.gz")
    assert (plan.layout, plan.faults) == ("nnunet", ())
    assert {(e.path, e.role, e.case) for e in plan.entries} == {
        ("imagesTr/x_0000.nii.gz", "image", "x"),
        ("imagesTs/y_0000.nii.gz", "image", "y"),
        ("labelsTr/x.nii.gz", "mask", "x"),
    }


def test_a_workbook_may_be_called_in_capitals() -> None:
    data = workbook(("Cases", [["image", "site"], ["a.nii.gz", "Ulm"]]))
    plan = plan_table(data, name="MANIFEST.XLSX")
    assert [entry.path for entry in plan.entries] == ["a.nii.gz"]


@pytest.mark.parametrize(
    "titles",
    [
        "mask,manual",
        "subject,patient",
        "mask,mask_Manual",
        "mask_Net,mask_Net",
        "cord,cord_mask",
    ],
)
def test_two_columns_that_mean_the_same_are_a_fault(titles: str) -> None:
    plan = plan_table(f"image,{titles}\na.nii.gz,b.nii.gz,c.nii.gz\n")
    first, second = titles.split(",")
    assert plan.entries == ()
    assert plan.faults == (
        f"manifest.csv: the columns “{first}” and “{second}” mean the same. Keep one "
        "of them, or name a further arm mask_NAME.",
    )


def test_of_a_second_manifest_the_plan_says_that_it_was_not_read() -> None:
    plan = plan_table("image\na.nii.gz\n", "old_manifest.tsv", "c.nii.gz")
    assert plan.passed_over[0] == (
        "old_manifest.tsv", "Only one manifest is read, and that is manifest.csv.",
    )  # fmt: skip


def test_a_table_without_images_says_which_columns_it_needs() -> None:
    with pytest.raises(manifests.ManifestRefused, match="one must be “image”"):
        manifests.read_table("manifest.csv", b"file\na.nii.gz\n")
