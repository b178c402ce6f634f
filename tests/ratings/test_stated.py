"""What is said of a case names nobody and fits, by whichever door it comes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ratings import committing, importing, strata
from ratings.importing import ImportRefused, Origin
from ratings.models import Study, Upload
from ratings.pairing import Pair
from tests.ratings.conftest import AddCases
from tests.ratings.script import Script
from tests.ratings.test_desk_api import write_pair

PERSON = "looks like a date, a name, an address or a number of a person."
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"strata": {"site": "Anna Smith 19.07.1961"}},
     f"The site {PERSON} Write a code, or leave it out."),
    ({"strata": {"remark": "Anna Smith"}},
     f"The remark {PERSON} Write a code, or leave it out."),
    ({"strata": {"patient_name": "x"}}, "The stratum “patient_name” looks personal"),
    ({"strata": {"k" * 300: "x"}}, "The name of a stratum must be 1 to 40 characters."),
    ({"strata": {" ": "x"}}, "The name of a stratum must be 1 to 40 characters."),
    ({"strata": {"k": "v" * 5000}}, "The k must be at most 40 characters. Shorten it."),
    ({"strata": {"field_strength": "3" + " " * 40 + "T"}},
     "The field strength must be at most 40 characters. Shorten it."),
    ({"subject": "s" * 95}, "The subject must be at most 80 characters. Shorten it."),
    ({"subject": "Anna Smith"}, f"The subject {PERSON} Write a pseudonym such as"),
    ({"subject": "anna@example.org"}, f"The subject {PERSON} Write a pseudonym"),
    ({"subject": "19.07.1961"}, f"The subject {PERSON} Write a pseudonym such as"),
]  # fmt: skip


@pytest.fixture
def image(study: Study, ada: User, tmp_path: Path) -> Upload:
    """An image that waits for import, of which nothing is said but its contrast."""
    return receive(study, ada, tmp_path)


def receive(study: Study, user: User, folder: Path, **origin: Any) -> Upload:
    path, _ = write_pair(folder, 1)
    return importing.receive(
        study=study, user=user, name="a_T2w.nii.gz", chunks=[path.read_bytes()],
        origin=Origin(role="image", **origin),
    )  # fmt: skip


@pytest.mark.parametrize(("said", "sentence"), WRONG)
def test_a_script_s_pairs_obey_the_rules_of_a_manifest(
    said: dict[str, Any], sentence: str, script: Script, study: Study, image: Upload
) -> None:
    body = {"pairs": [{"image": str(image.pk), **said}], "names_confirmed": True}
    refused = script.post(f"studies/{study.pk}/import", body)
    assert refused.status_code == 422
    assert f"a_T2w.nii.gz: {sentence}" in refused.json()["detail"]
    assert "Anna" not in refused.content.decode()
    assert study.cases.count() == 0


@pytest.mark.parametrize(("said", "sentence"), WRONG)
def test_so_does_what_is_typed_on_the_page(
    said: dict[str, Any], sentence: str, coordinator: Client, study: Study,
    image: Upload,
) -> None:  # fmt: skip
    form = {"image": str(image.pk), "names_confirmed": "1"}
    for name, value in said.get("strata", {}).items():
        # the page makes one space of several
        form[f"strata:{image.pk}:{name}"] = value.replace(" " * 40, " " + "-" * 40)
    if "subject" in said:
        form[f"subject:{image.pk}"] = said["subject"]
    refused = coordinator.post(reverse("cases-import", args=[study.pk]), form)
    assert refused.status_code == 422
    assert f"a_T2w.nii.gz: {sentence}" in refused.text
    assert study.cases.count() == 0


def test_places_devices_and_codes_are_kept(
    script: Script, study: Study, image: Upload
) -> None:
    said = {
        "site": "Hôpital Saint Louis", "scanner": "Siemens Magnetom", "echo": "12.5",
        "k" * 40: "v" * 40,
    }  # fmt: skip
    pair = {"image": str(image.pk), "strata": said, "subject": "s" * 80}
    made = script.post(f"studies/{study.pk}/import", {"pairs": [pair]})
    assert made.status_code == 201, made.content
    case = study.cases.get()
    assert case.strata.items() >= said.items()
    assert (case.subject, case.warnings) == ("s" * 80, [])


def test_a_number_as_a_subject_waits_for_a_confirmation(
    script: Script, study: Study, image: Upload
) -> None:
    call, pair = f"studies/{study.pk}/import", {"image": str(image.pk)}
    body = {"pairs": [{**pair, "subject": "100307"}]}
    refused = script.post(call, body)
    assert refused.status_code == 422
    assert "Confirm that it is none, or write a pseudonym." in refused.json()["detail"]
    assert script.post(call, {**body, "names_confirmed": True}).status_code == 201
    assert study.cases.get().subject == "100307"


def test_a_person_whom_files_name_is_confirmed_but_not_written(
    study: Study, ada: User, tmp_path: Path
) -> None:
    image = receive(study, ada, tmp_path, subject="Blue Whale")
    with pytest.raises(ImportRefused, match="Confirm that it is none"):
        commit(study, Pair(str(image.pk)))
    written = Pair(str(image.pk), subject="Anna Smith")
    with pytest.raises(ImportRefused, match="Write a pseudonym"):
        commit(study, written, names_confirmed=True)
    commit(study, Pair(str(image.pk), subject="Blue Whale"), names_confirmed=True)
    assert study.cases.get().subject == "Blue Whale"


@pytest.mark.parametrize(
    ("origin", "sentence"),
    [
        ({"strata": {"site": "01.02.1961"}}, "The site looks like a date"),
        ({"subject": "s" * 95}, "The subject must be at most 80"),
    ],
)
def test_what_a_set_says_obeys_the_rules_too(
    origin: dict[str, Any], sentence: str, study: Study, ada: User, tmp_path: Path
) -> None:
    image = receive(study, ada, tmp_path, **origin)
    with pytest.raises(ImportRefused, match=sentence):
        commit(study, Pair(str(image.pk)), names_confirmed=True)


def commit(study: Study, pair: Pair, **more: Any) -> None:
    committing.commit_pairs(study=study, user=study.created_by, pairs=[pair], **more)


def test_good_pairs_come_in_beside_one_that_names_somebody(
    study: Study, ada: User, image: Upload, tmp_path: Path
) -> None:
    other = receive(study, ada, tmp_path)
    pairs = [Pair(str(image.pk), strata={"site": "Anna Smith 1961-07-19"}),
             Pair(str(other.pk), strata={"site": "Oslo"})]  # fmt: skip
    outcome = committing.commit_pairs(
        study=study, user=ada, pairs=pairs, good_only=True
    )
    assert [case.strata["site"] for case in outcome.cases] == ["Oslo"]
    (fault,) = outcome.faults
    assert fault.startswith("a_T2w.nii.gz: The site looks like a date")
    assert list(study.uploads.all()) == [image]


def test_a_value_that_is_changed_later_obeys_them_as_well(
    study: Study, ada: User, add_cases: AddCases
) -> None:
    add_cases(1)
    ids = [study.cases.get().pk]
    for value, sentence in (("19.07.1961", "looks like a date"), ("x" * 41, "at most")):
        with pytest.raises(ImportRefused, match=f"The site .*{sentence}"):
            strata.change_stratum(
                study=study, actor=ada, ids=ids, name="site", value=value
            )
    assert study.cases.get().strata == {"contrast": "T2w"}
