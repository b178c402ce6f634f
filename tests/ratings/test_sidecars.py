"""Of sidecars an allow-list is kept; names that look personal are noticed."""

from __future__ import annotations

import json

import pytest

from ratings.sidecars import ALLOWED, looks_personal, read_sidecar

PERSONAL = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientWeight",
    "AcquisitionDateTime", "AcquisitionTime", "AcquisitionDate", "InstitutionName",
    "InstitutionAddress", "DeviceSerialNumber", "StationName", "SeriesInstanceUID",
    "StudyInstanceUID", "StudyID", "ReferringPhysicianName", "ImageComments",
    "ProcedureStepDescription", "AccessionNumber", "BodyPartExamined",
)  # fmt: skip


def test_no_personal_field_is_kept_and_each_is_named() -> None:
    told = dict.fromkeys(PERSONAL, "CANARY")
    kept = read_sidecar(json.dumps(told | {"EchoTime": 0.08}).encode())
    assert kept.kept == {"EchoTime": 0.08}
    assert set(kept.dropped) == set(PERSONAL)
    assert "CANARY" not in repr(kept)


def test_an_allowed_field_with_something_else_in_it_is_dropped() -> None:
    told = {"Manufacturer": "x" * 41, "FlipAngle": ["a"], "EchoTime": True}
    assert read_sidecar(json.dumps(told).encode()).kept == {}
    assert len(ALLOWED) < 15


@pytest.mark.parametrize("data", [b"", b"[1]", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_object_gives_nothing(data: bytes) -> None:
    assert read_sidecar(data).kept == {}


@pytest.mark.parametrize(
    "name",
    [
        "Smith_John_T2w.nii.gz", "MUELLER_ANNA.nii.gz", "Doe^Jane.nii", "20230415.nii",
        "scan_2021-03-09_T1w.nii.gz", "MRN_00123456_T2.nii.gz", "19.07.1961_brain.nii",
        "T2w_1234567.nii.gz", "Garcia, Maria.nii.gz", "1961-07-19_sag.nii",
    ],
)  # fmt: skip
def test_names_that_look_personal_are_noticed(name: str) -> None:
    assert looks_personal(name)


@pytest.mark.parametrize(
    "name",
    [
        "sub-01_ses-02_T2w.nii.gz", "sub-amuVirginie011_T2star.nii.gz", "t2_seg.nii.gz",
        "case_00123_T2w_0000.nii.gz", "CORD_LESION.nii.gz",
        "sub-07_desc-consensus_mask.nii.gz", "T2w_Sagittal.nii", "P042_PSIR.nii.gz",
        "BRATS_485.nii.gz", "la_003.nii.gz",
    ],
)  # fmt: skip
def test_ordinary_names_pass(name: str) -> None:
    assert not looks_personal(name)
