"""After the lock only words change, each time as a numbered version with a reason."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse

from ratings import amending, audit, bundling, drawing, frozen, protocol, triggers
from ratings.amending import AmendmentRefused
from ratings.models import ProtocolVersion, Session, Study
from ratings.verifying import verify_study
from tests.ratings.conftest import end_collecting
from tests.ratings.test_scoring import body, current, put

PASSWORD = "a long enough password"


@pytest.fixture(autouse=True)
def fresh_counts(db: None) -> None:
    """Tries of other tests do not count."""
    cache.clear()


def form(**words: str) -> dict[str, str]:
    return {
        "contact": "Ada, ada@example.org", "instructions": "Look at every slice.",
        "missing": frozen.ANALYSIS["missing"], "notes": "",
        "reason": "Raters asked how to look.", "password": PASSWORD, "after": "1",
    } | words  # fmt: skip


def post(client: Client, study: Study, **words: str) -> Any:
    return client.post(reverse("amend", args=[study.pk]), form(**words))


def fresh(study: Study) -> Study:
    return Study.objects.get(pk=study.pk)


def test_an_amendment_is_stored_signed_on_record_and_verified(
    open_study: Study, coordinator: Client
) -> None:
    before = fresh(open_study)
    answer = post(coordinator, open_study, notes="Rating ends on 1 May.")
    assert answer.headers["Location"] == reverse("lock", args=[open_study.pk])
    version = open_study.protocol_versions.get(number=2)
    assert version.document["instructions"] == "Look at every slice."
    assert version.document["analysis"]["notes"] == "Rating ends on 1 May."
    assert version.sha256 == audit.digest(version.document)
    entry = open_study.audit.get(verb="amended")
    assert entry.payload == {
        "version": 2, "protocol": version.sha256,
        "reason": "Raters asked how to look.",
        "parts": ["contact", "instructions", "notes"],
    }  # fmt: skip
    signature = open_study.signatures.get(meaning="amend")
    assert signature.digest == version.sha256
    after = fresh(open_study)
    assert after.instructions == "Look at every slice."
    assert (after.protocol, after.protocol_sha256) == (
        before.protocol, before.protocol_sha256,
    )  # fmt: skip
    assert verify_study(after) == []


def test_no_amendment_tells_raters_of_a_source(
    open_study: Study, coordinator: Client
) -> None:
    answer = post(coordinator, open_study, instructions="The model misses small ones.")
    assert "is the name of a source" in answer.content.decode()
    post(coordinator, open_study, instructions="Mo-del2 misses small ones.")
    assert open_study.protocol_versions.count() == 1
    post(coordinator, open_study, notes="The model was trained again.")
    assert open_study.protocol_versions.count() == 2


def test_one_name_written_before_excuses_no_other(
    open_study: Study, coordinator: Client
) -> None:
    first = open_study.protocol_versions.get()
    told = {**first.document, "instructions": "Read the manual."}
    ProtocolVersion.objects.create(
        study=open_study, number=2, document=told, by=first.by, reason="Earlier",
        sha256=audit.digest(told),
    )  # fmt: skip
    changed = (("Read the manual. No model.", 2), ("Manual first.", 3))
    for text, version in changed:
        post(coordinator, open_study, after="2", instructions=text)
        assert open_study.protocol_versions.count() == version


def test_what_was_drawn_and_locked_stays(
    open_study: Study, coordinator: Client
) -> None:
    drawn = drawing.list_lines(protocol.draw(open_study).placements)
    post(coordinator, open_study)
    first, second = open_study.protocol_versions.all()
    assert amending.strip_parts(first.document) == amending.strip_parts(second.document)
    assert drawing.list_lines(protocol.draw(fresh(open_study)).placements) == drawn


@pytest.mark.parametrize(
    "part", ["scale", "questions", "cases", "masks", "raters", "design", "title"]
)
def test_nothing_that_was_drawn_or_scored_can_be_amended(
    open_study: Study, ada: User, part: str
) -> None:
    with pytest.raises(AmendmentRefused, match=f"“{part}” can't be amended"):
        amending.amend(
            study=open_study, actor=ada, password=PASSWORD, reason="Why not.",
            texts={part: "other"}, after=1,
        )  # fmt: skip
    assert open_study.protocol_versions.count() == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"reason": " "}, "Give a reason"),
        ({"password": "not the right one"}, "not the right password"),
        ({"after": "7"}, "Somebody else made version 1"),
        ({"missing": ""}, "Say what is done about missing scores"),
        ({"contact": "", "instructions": ""}, "Nothing was changed"),
    ],
    ids=["reason", "password", "stale", "missing", "same"],
)
def test_a_faulty_amendment_changes_nothing_and_says_why(
    open_study: Study, coordinator: Client, wrong: dict[str, str], said: str
) -> None:
    answer = post(coordinator, open_study, **wrong)
    assert answer.status_code == 422
    assert said in answer.text
    assert open_study.protocol_versions.count() == 1
    assert not open_study.audit.filter(verb="amended").exists()
    assert not open_study.signatures.filter(meaning="amend").exists()
    assert fresh(open_study).instructions == ""


def test_raters_read_the_new_words_and_scores_name_the_version(
    open_study: Study, coordinator: Client, rater: Client, session: Session
) -> None:
    put(rater, current(session).token, body(3))
    post(coordinator, open_study)
    put(rater, current(session).token, body(4))
    told = rater.get(reverse("session", args=[session.key])).text
    assert "Look at every slice." in told
    scores = session.presentations.order_by("position")[:2]
    assert [
        score.protocol_version
        for place in scores
        for item in place.items.all()
        for score in item.scores.all()
    ] == [1, 2]


def test_the_lock_page_lists_every_version_with_what_it_replaced(
    open_study: Study, coordinator: Client
) -> None:
    page = reverse("lock", args=[open_study.pk])
    assert "None. The protocol is as it was locked." in coordinator.get(page).text
    post(coordinator, open_study)
    post(coordinator, open_study, after="2", instructions="Look twice.", reason="B.")
    text = coordinator.get(page).text
    assert "Version 2" in text
    assert "Version 3" in text
    assert text.count("<ins>Ada, ada@example.org</ins>") == 1
    assert "<del>Look at every slice.</del>" in text
    assert "<ins>Look twice.</ins>" in text


def test_the_end_is_at_unblinding_and_the_bundle_holds_the_versions(
    open_study: Study, coordinator: Client, ada: User
) -> None:
    end_collecting(open_study, ada)
    post(coordinator, open_study)
    protocol.unblind(
        study=fresh(open_study), actor=ada, typed_title="Cord lesions"
    )  # fmt: skip
    post(coordinator, open_study, after="2", instructions="Too late.")
    listed = bundling.list_amendments(fresh(open_study))
    assert [(one["number"], one["reason"]) for one in listed] == [
        (2, "Raters asked how to look.")
    ]
    page = coordinator.get(reverse("lock", args=[open_study.pk])).text
    assert "Amend the protocol…" not in page


def test_a_draft_is_changed_under_design(study: Study, coordinator: Client) -> None:
    answer = coordinator.get(reverse("amend", args=[study.pk]), follow=True)
    assert "A protocol is amended after the lock" in answer.text
    with pytest.raises(AmendmentRefused, match="change it under Design"):
        amending.find_last(study)


@pytest.mark.parametrize("harm", ["reason", "scale", "words", "gone"])
def test_verify_names_an_amendment_that_was_tampered_with(
    open_study: Study, coordinator: Client, harm: str
) -> None:
    post(coordinator, open_study)
    versions = ProtocolVersion.objects.filter(study=open_study, number=2)
    triggers.remove(connection)
    try:
        if harm == "reason":
            versions.update(reason="Another.")
        elif harm == "scale":
            document = versions.get().document
            document["scale"] = document["scale"][:3]
            versions.update(document=document)
        elif harm == "words":
            Study.objects.filter(pk=open_study.pk).update(instructions="Score it 5.")
        else:
            versions._raw_delete(versions.db)
        faults = " ".join(verify_study(fresh(open_study)))
    finally:
        triggers.install(connection)
    said = {
        "reason": "another author or reason", "scale": "changes what was locked",
        "words": "instructions differ from the last version",
        "gone": "Version 2 of the protocol is missing",
    }  # fmt: skip
    assert said[harm] in faults


def test_the_protocol_that_is_downloaded_is_the_last_version(
    open_study: Study, coordinator: Client
) -> None:
    url = reverse("protocol", args=[open_study.pk])
    locked = coordinator.get(url).json()
    post(coordinator, open_study, notes="Rating ends on 1 May.")
    answer = coordinator.get(url)
    version = open_study.protocol_versions.get(number=2)
    assert hashlib.sha256(answer.content).hexdigest() == version.sha256
    assert "protocol_version_2.json" in answer.headers["Content-Disposition"]
    assert coordinator.get(url, {"version": "1"}).json() == locked
    for unknown in ("3", "-1", "x"):
        assert coordinator.get(url, {"version": unknown}).status_code == 404
    shown = coordinator.get(reverse("lock", args=[open_study.pk])).content.decode()
    assert f"{url}?version=2" in shown
    assert f"{url}?version=1" in shown
