"""What a set says once, at its top, is said of every image below."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ratings import layouts
from ratings.models import Study
from tests.ratings import sets
from tests.ratings.test_import_command import bring_in

SET = (
    "T2w.json", "STIR.json", "acq-sag_T2w.json", "dataset_description.json",
    "sub-1/sub-1_T2w.json", "sub-1/anat/sub-1_acq-sag_T2w.nii.gz",
    "sub-1/anat/sub-1_acq-sag_T2w.json", "sub-1/anat/sub-1_acq-ax_T2w.nii.gz",
    "sub-2/anat/sub-2_T2w.nii.gz", "sub-2/anat/sub-2_T2star.nii.gz",
)  # fmt: skip


def list_sidecars(paths: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    made = layouts.plan(paths, lambda path: b"{}")
    return {entry.path.rpartition("/")[2]: entry.sidecars for entry in made.entries}


def test_the_nearest_sidecar_comes_last_and_one_of_other_words_never() -> None:
    assert list_sidecars(SET) == {
        "sub-1_acq-sag_T2w.nii.gz": (
            "T2w.json", "acq-sag_T2w.json", "sub-1/sub-1_T2w.json",
            "sub-1/anat/sub-1_acq-sag_T2w.json",
        ),
        "sub-1_acq-ax_T2w.nii.gz": ("T2w.json", "sub-1/sub-1_T2w.json"),
        "sub-2_T2w.nii.gz": ("T2w.json",),
        "sub-2_T2star.nii.gz": (),
    }  # fmt: skip


def test_a_sidecar_of_one_image_is_never_of_another_in_its_folder() -> None:
    flat = ("a_T2w.nii.gz", "a_T2w.json", "b_T2w.nii.gz", "c.nii.gz", "c.json")
    assert list_sidecars(flat) == {
        "a_T2w.nii.gz": ("a_T2w.json",), "b_T2w.nii.gz": (), "c.nii.gz": ("c.json",),
    }  # fmt: skip


def test_the_field_strength_at_the_top_is_proposed_for_every_case(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in (1, 2):
        folder = tmp_path / f"sub-{n}/anat"
        folder.mkdir(parents=True)
        sets.write_image(folder / f"sub-{n}_T2w.nii.gz", n)
    tell = {"MagneticFieldStrength": 3, "EchoTime": 0.1, "InstitutionName": "CANARY"}
    (tmp_path / "T2w.json").write_text(json.dumps(tell))
    nearer = tmp_path / "sub-2/anat/sub-2_T2w.json"
    nearer.write_text(json.dumps({"MagneticFieldStrength": 1.5}))
    code, lines = bring_in(capsys, study, tmp_path)
    assert code == 0, lines
    told = {c.subject: (c.strata["field_strength"], c.sidecar["EchoTime"])
            for c in study.cases.all()}  # fmt: skip
    assert sorted(told.values()) == [("1.5", 0.1), ("3", 0.1)]
    assert "CANARY" not in str([c.sidecar for c in study.cases.all()])
