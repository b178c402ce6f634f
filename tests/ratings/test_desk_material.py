"""What a draft is made of, by script: arms, pictures, and files that wait."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from ratings.models import Case, Study
from tests.ratings.conftest import AddCases
from tests.ratings.script import Script
from tests.ratings.test_desk_api import write_pair


@pytest.fixture
def one(study: Study, add_cases: AddCases) -> str:
    """The address of a draft with three cases and two arms."""
    add_cases(3)
    return f"studies/{study.pk}"


def test_arms_are_listed_by_name_with_those_that_wait_and_removed(
    script: Script, one: str, study: Study, tmp_path: Path
) -> None:
    _, mask = write_pair(tmp_path, 1)
    script.upload(str(study.pk), mask, role="prediction", arm="SCT 6.5")
    rows = {row["key"]: row for row in script.get(f"{one}/arms").json()["results"]}
    assert (rows["manual"]["masks"], rows["manual"]["waiting"]) == (3, 0)
    waiting = rows["sct-65"]
    assert (waiting["label"], waiting["kind"], waiting["waiting"]) == (
        "SCT 6.5", "waiting", 1,
    )  # fmt: skip
    assert script.delete(f"{one}/arms/model").status_code == 204
    assert script.delete(f"{one}/arms/model").status_code == 404
    assert study.cases.count() == 3
    assert study.audit.filter(verb="remove_arm").count() == 1


def test_pictures_are_for_the_desk(
    script: Script, one: str, study: Study, tmp_path: Path
) -> None:
    image, _ = write_pair(tmp_path, 7)
    upload = script.upload(str(study.pk), image).json()["id"]
    case = Case.objects.filter(study=study)[0]
    for part in (f"cases/{case.pk}", f"uploads/{upload}"):
        answer = script.get(f"{one}/{part}/picture")
        assert (answer["Content-Type"], answer.content[1:4]) == ("image/png", b"PNG")
    for part in (f"cases/{uuid4()}", f"uploads/{uuid4()}"):
        assert script.get(f"{one}/{part}/picture").status_code == 404


def test_files_that_wait_are_let_go_of_together(
    script: Script, study: Study, tmp_path: Path
) -> None:
    at = f"studies/{study.pk}/uploads"
    bad = tmp_path / "bad.nii.gz"
    bad.write_bytes(b"not a volume")
    script.upload(str(study.pk), bad)
    for path in write_pair(tmp_path, 1):
        script.upload(str(study.pk), path)
    assert study.uploads.count() == 3
    assert script.delete(f"{at}?which=refuse").status_code == 400
    assert study.uploads.count() == 3, "a slip lets nothing go"
    assert script.delete(f"{at}?which=refused").status_code == 204
    assert study.uploads.count() == 2
    assert script.delete(at).status_code == 204
    assert study.uploads.count() == 0
