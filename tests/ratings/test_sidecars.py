"""Of sidecars an allow-list is kept; names that look personal are noticed."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratings.sidecars import ALLOWED, Sidecar, looks_personal, read_sidecar

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


def read(**told: object) -> Sidecar:
    return read_sidecar(json.dumps(told).encode())


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 4000])
def test_a_number_that_is_none_is_dropped_by_name_and_no_other_with_it(
    value: str,
) -> None:
    told = read_sidecar(f'{{"EchoTime": {value}, "FlipAngle": 90}}'.encode())
    assert told == Sidecar({"FlipAngle": 90}, ("EchoTime",))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("FlipAngle", 19610719), ("FlipAngle", "19610719"), ("FlipAngle", -90),
        ("EchoTime", 80), ("RepetitionTime", 2500), ("InversionTime", 610719),
        ("MagneticFieldStrength", 15000), ("MagneticFieldStrength", "Anna Smith"),
        ("SliceThickness", 19610719), ("EchoTime", True), ("EchoTime", None),
        ("EchoTime", "0.0719196100000"), ("Manufacturer", "Anna Smith 1961-07-19"),
        ("Manufacturer", "Anna Smith"), ("ScanningSequence", "MRN 4711000815"),
        ("SequenceVariant", "SMITH, ANNA"), ("Modality", "MRN4711000815"),
        ("Manufacturer", 19610719), ("MRAcquisitionType", "19 Jul 1961"),
    ],
)  # fmt: skip
def test_what_the_field_can_not_mean_is_dropped_by_name(
    field: str, value: object
) -> None:
    assert read(**{field: value}) == Sidecar({}, (field,))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("FlipAngle", 0), ("FlipAngle", 360), ("EchoTime", 0.00007), ("EchoTime", 0.12),
        ("RepetitionTime", 30), ("InversionTime", 2.8), ("MagneticFieldStrength", 7),
        ("MagneticFieldStrength", "3"), ("MagneticFieldStrength", 11.7),
        ("SliceThickness", "2.5"), ("ScanningSequence", "EP\\SE"),
        ("ScanningSequence", "Inversion Recovery"), ("SequenceVariant", "SK_SP_MP_OSP"),
        ("MRAcquisitionType", "3D"), ("Modality", "MR"), ("Manufacturer", "SIEMENS"),
        ("Manufacturer", "GE MEDICAL SYSTEMS"), ("Manufacturer", "Philips Healthcare"),
        ("Manufacturer", "Philips Medical Systems"), ("Manufacturer", "CANON_MEC"),
        ("Manufacturer", "Hitachi Medical Corporation"),
        ("Manufacturer", "United Imaging Healthcare"),
        ("Manufacturer", "Bruker BioSpin MRI GmbH"),
        ("Manufacturer", "Picker International, Inc."),
    ],
)  # fmt: skip
def test_what_scanners_say_is_kept(field: str, value: float | str) -> None:
    assert read(**{field: value}) == Sidecar({field: value}, ())


def test_the_name_of_a_dropped_field_can_be_held_by_any_database() -> None:
    told = read_sidecar(b'{"a\\u0000b": 1, "\\ud800": 2, "\xc3\xa9tude": 3}')
    assert set(told.dropped) == {"a?b", "?", "étude"}


@pytest.mark.parametrize("data", [b"", b"[1]", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_object_gives_nothing(data: bytes) -> None:
    assert read_sidecar(data).kept == {}


@pytest.mark.parametrize(
    "name",
    [
        "Smith_John_T2w.nii.gz", "MUELLER_ANNA.nii.gz", "Doe^Jane.nii", "20230415.nii",
        "scan_2021-03-09_T1w.nii.gz", "MRN_00123456_T2.nii.gz", "19.07.1961_brain.nii",
        "T2w_1234567.nii.gz", "Garcia, Maria.nii.gz", "1961-07-19_sag.nii",
        "müller_hans.nii.gz", "MÜLLER_HANS_T2w.nii.gz", "Lefèvre^Anne.nii.gz",
        "Übelacker_Jörg_lesion.nii.gz", "Иванов_Пётр.nii", "Łukasz_Żak.nii.gz",
        "doe^jane_T1w.nii.gz", "Brain_Smith_Anna.nii.gz", "İnan_Öztürk.nii.gz",
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
        "BRATS_485.nii.gz", "la_003.nii.gz", "sub-01.nii.gz", "T2star_sag.nii.gz",
        "P001_lésion_médullaire.nii.gz", "Lésion_Médullaire_01.nii", "étude_042.nii.gz",
        "moelle_épinière_T2w.nii.gz", "Rückenmark_Läsion_07.nii.gz",
        "Wirbelsäule_Sagittal.nii.gz", "sub-müller_T2w.nii.gz", "Ärzte01_T2w.nii.gz",
        "Multiple_Sclerosis_07.nii.gz", "Brain_Tumor_Segmentation_001.nii.gz",
        "T1w^T2w.nii.gz", "脊髓_T2w.nii.gz", "снимок_маска.nii.gz", "a^b.nii.gz",
    ],
)  # fmt: skip
def test_ordinary_names_pass(name: str) -> None:
    assert not looks_personal(name)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("name", ["müller_hans.nii.gz", "Lefèvre^Anne", "Élise_Noël"])
def test_a_name_looks_the_same_however_its_accents_are_stored(
    name: str, form: Literal["NFC", "NFD"]
) -> None:
    assert looks_personal(unicodedata.normalize(form, name))


WORDS = ("sub", "ses", "acq", "run", "T2star", "T2w", "sag", "ax", "lesion", "seg",
         "lésion", "médullaire", "moelle", "Läsion", "Sagittal", "cord")  # fmt: skip
PARTS = st.one_of(
    st.sampled_from(WORDS),
    st.from_regex(r"(sub|ses|run|P|case|C)-?[0-9]{1,5}", fullmatch=True),
)


@given(st.lists(PARTS, min_size=1, max_size=6), st.sampled_from("_-"))
def test_names_made_of_the_words_of_studies_pass(parts: list[str], mark: str) -> None:
    assert not looks_personal(f"{mark.join(parts)}.nii.gz")


SURNAMES = ("Müller", "Lefèvre", "Ørsted", "García", "Łuczak", "Smith", "Иванова")
FORENAMES = ("Anne", "Jürgen", "Zoë", "Søren", "José", "Пётр")


@given(
    st.sampled_from(SURNAMES), st.sampled_from(FORENAMES), st.sampled_from("_^ "),
    st.lists(PARTS, max_size=3), st.booleans(), st.sampled_from([str, str.upper]),
)  # fmt: skip
def test_a_surname_beside_a_forename_is_noticed_wherever_it_stands(
    surname: str, forename: str, mark: str, parts: list[str], first: bool,
    case: Callable[[str], str],
) -> None:  # fmt: skip
    person = case(f"{surname}{mark}{forename}")
    name = "_".join([person, *parts] if first else [*parts, person])
    assert looks_personal(f"{name}.nii.gz")
