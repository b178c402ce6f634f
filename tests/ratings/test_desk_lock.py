"""The lock by script: of what was seen of the checklist, and what it froze."""

from __future__ import annotations

import hashlib

import pytest
from django.contrib.auth.models import User

from ratings import invitations
from ratings.models import Study
from tests.ratings.conftest import AddCases
from tests.ratings.script import PASSWORD, Script


@pytest.fixture
def one(study: Study, ada: User, add_cases: AddCases) -> str:
    """The address of a draft that lacks nothing but the statement about faces."""
    add_cases(3)
    invitations.add_rater(study=study, actor=ada, name="R", email="r@example.org")
    study.design |= {"min_distance": 1}
    study.faces = ""
    study.save()
    return f"studies/{study.pk}"


def sign(study: Study, **more: str) -> dict[str, str]:
    return {"typed_title": study.title, "password": PASSWORD, **more}


@pytest.mark.parametrize("faces", [{}, {"faces": "none"}])
def test_a_study_that_changed_since_the_checklist_is_not_locked(
    script: Script, one: str, study: Study, faces: dict[str, str]
) -> None:
    if not faces:
        script.send("put", f"{one}/faces", {"faces": "none"})
    seen = script.get(f"{one}/checklist").json()["seen"]
    script.patch(one, {"instructions": "Look twice."})
    late = script.post(f"{one}/lock", sign(study, seen=seen, **faces))
    assert (late.status_code, "meanwhile" in late.json()["detail"]) == (409, True)
    stored = Study.objects.get(pk=study.pk)
    assert (stored.state, stored.faces) == ("draft", "" if faces else "none")
    seen = script.get(f"{one}/checklist").json()["seen"]
    locked = script.post(f"{one}/lock", sign(study, seen=seen, **faces))
    assert (locked.status_code, locked.json()["state"]) == (200, "locked")


def test_without_what_was_seen_the_study_is_locked_as_it_is(
    script: Script, one: str, study: Study
) -> None:
    script.patch(one, {"instructions": "Look twice."})
    locked = script.post(f"{one}/lock", sign(study, faces="none"))
    assert locked.json()["state"] == "locked"
    told = script.get(f"{one}/checklist")
    assert (told.status_code, "locked" in told.json()["detail"]) == (409, True)
    assert script.send("put", f"{one}/faces", {"faces": "none"}).status_code == 409
    assert script.post(f"{one}/separability-audit").status_code == 409


def test_the_protocol_is_given_to_the_byte_of_its_hash(
    script: Script, one: str, study: Study
) -> None:
    assert script.get(f"{one}/protocol").status_code == 404
    locked = script.post(f"{one}/lock", sign(study, faces="none")).json()
    written = script.get(f"{one}/protocol")
    digest = hashlib.sha256(written.content).hexdigest()
    assert digest == locked["protocol_sha256"]
    assert script.get(f"{one}/protocol", version=1).content == written.content
    assert script.get(f"{one}/protocol", version=2).status_code == 404
