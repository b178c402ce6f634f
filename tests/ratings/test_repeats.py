"""An image that comes twice is marked before the import, and afterwards too."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ratings import committing, importing, pairing
from ratings.models import Study, Upload
from tests.ratings import sets
from tests.ratings.script import Script
from tests.ratings.test_import_command import bring_in

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def receive(study: Study, user: User, path: Path, name: str) -> Upload:
    return importing.receive(
        study=study, user=user, name=name, chunks=[path.read_bytes()]
    )


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    folder = tmp_path / "set"
    image, mask = folder / "a_T2w.nii.gz", folder / "a_T2w_lesion.nii.gz"
    sets.write_image(image, 1)
    sets.write_mask(mask, 1)
    return image, mask


@pytest.fixture
def imported(study: Study, ada: User, pair: tuple[Path, Path]) -> Study:
    """The pair is a case of the study."""
    uploads = [receive(study, ada, path, path.name) for path in pair]
    proposed = pairing.propose_from(uploads)
    committing.commit_pairs(study=study, user=ada, pairs=proposed)
    return study


def show(client: Client, study: Study) -> str:
    page = client.get(reverse("cases", args=[study.pk])).content.decode()
    return " ".join(page.split())


def test_a_pair_that_is_a_case_already_says_to_leave_it_out(
    imported: Study, ada: User, coordinator: Client, pair: tuple[Path, Path]
) -> None:
    for path in pair:
        receive(imported, ada, path, path.name)
    assert (
        "the same image as case C001 (a_T2w.nii.gz), with the same "
        "masks. Leave it out, unless it is to be rated twice."
        in show(coordinator, imported)
    )


def test_with_another_mask_it_says_how_the_mask_reaches_the_case(
    imported: Study, ada: User, coordinator: Client, pair: tuple[Path, Path]
) -> None:
    sets.write_mask(pair[1], 2)
    for path in pair:
        receive(imported, ada, path, path.name)
    told = show(coordinator, imported)
    assert "masks of a new source are then offered for C001" in told
    assert "with the same masks" not in told


def test_of_two_that_wait_the_second_is_marked_until_the_first_is_gone(
    study: Study, ada: User, coordinator: Client, pair: tuple[Path, Path]
) -> None:
    first = receive(study, ada, pair[0], "a_T2w.nii.gz")
    receive(study, ada, pair[0], "b_T2w.nii.gz")
    said = "Usable, but</span> the same image as a_T2w.nii.gz, which waits too."
    assert show(coordinator, study).count("the same image as") == 1
    assert said in show(coordinator, study)
    importing.discard(study=study, ids={str(first.pk)})
    assert "the same image as" not in show(coordinator, study)


def test_another_study_tells_nothing(
    imported: Study, ada: User, pair: tuple[Path, Path]
) -> None:
    other = Study.objects.create(title="Other", created_by=ada)
    script = Script(ada)
    other.enrolments.create(user=ada, role="coordinator")
    verdict = script.upload(str(other.pk), pair[0]).json()["verdict"]
    assert verdict["verdict"] == "accept"


def test_a_script_hears_of_it_at_once_and_in_the_list(
    imported: Study, ada: User, pair: tuple[Path, Path]
) -> None:
    script = Script(ada)
    verdict = script.upload(str(imported.pk), pair[0]).json()["verdict"]
    assert (verdict["verdict"], verdict["code"]) == ("warn", "duplicate_image")
    assert "the same image as case C001" in verdict["message"]
    script.upload(str(imported.pk), pair[1])
    rows = script.get(f"studies/{imported.pk}/uploads").json()["results"]
    (told,) = [row["verdict"] for row in rows if row["kind"] == "image"]
    assert told["warnings"] == ["duplicate_image"]
    assert "the same image as case C001" in told["message"]


def test_a_remark_is_added_to_what_was_noticed_before(
    study: Study, ada: User, pair: tuple[Path, Path]
) -> None:
    script = Script(ada)
    for name in ("a_T2w.nii.gz", "Smith_Anna_T2w.nii.gz"):
        path = pair[0].with_name(name)
        path.write_bytes(pair[0].read_bytes())
        verdict = script.upload(str(study.pk), path).json()["verdict"]
    rows = script.get(f"studies/{study.pk}/uploads").json()["results"]
    assert verdict["warnings"] == ["personal_name"]
    told = next(r["verdict"] for r in rows if r["name"].startswith("a_"))
    assert told["message"].startswith("a_T2w.nii.gz: the same image as Smith_Anna")


def test_the_command_says_it_before_it_imports_and_the_table_afterwards(
    imported: Study,
    coordinator: Client,
    pair: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, told = bring_in(capsys, imported, pair[0].parent)
    assert code == 0
    said = [one["message"] for one in told if one.get("code") == "duplicate_image"]
    assert len(said) == 1
    assert "the same image as case C001" in said[0]
    assert imported.cases.get(label="C002").warnings == ["duplicate_image"]
    page = show(coordinator, imported)
    assert "The same image as C001." in page
    assert "The same image as C002." in page
    imported.cases.get(label="C001").delete()
    assert "The same image as" not in show(coordinator, imported)
