"""Draft, locked, collecting, closed, unblinded: forward only, and on record."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from ratings import audit, invitations, obstacles, protocol
from ratings.models import AuditEntry, Item, Mask, Study
from ratings.protocol import ProtocolError
from tests.ratings.conftest import AddCases, end_collecting


def test_an_empty_study_says_all_that_is_missing(study: Study, ada: User) -> None:
    told = " ".join(obstacles.find_obstacles(study))
    for word in ("no case", "no mask", "no rater"):
        assert word in told
    with pytest.raises(ProtocolError, match="no case"):
        protocol.lock(study=study, actor=ada)


def test_every_case_needs_a_mask_of_every_arm(
    study: Study, ada: User, add_cases: AddCases
) -> None:
    add_cases(3)
    Mask.objects.filter(arm__key="model").first().delete()  # type: ignore[union-attr]
    invitations.add_rater(study=study, actor=ada, name="a", email="a@example.org")
    assert obstacles.find_obstacles(study) == [
        "1 of 3 cases have no mask of the arm “model”. "
        "Every case needs a mask of every arm."
    ]


def test_locking_stores_every_raters_order(open_study: Study) -> None:
    items = Item.objects.filter(presentation__session__enrolment__study=open_study)
    assert items.count() == 2 * 6 * 2
    assert open_study.allocation_report["distance"] == 4
    assert len(open_study.protocol_sha256) == 64
    assert open_study.protocol is not None
    assert audit.digest(open_study.protocol) == open_study.protocol_sha256


def test_states_only_go_forward_one_at_a_time(open_study: Study, ada: User) -> None:
    with pytest.raises(ProtocolError):
        protocol.lock(study=open_study, actor=ada)
    with pytest.raises(ProtocolError):
        protocol.unblind(study=open_study, actor=ada, typed_title=open_study.title)
    end_collecting(open_study, ada)
    with pytest.raises(ProtocolError):
        end_collecting(open_study, ada)
    with pytest.raises(ProtocolError):
        protocol.open_study(study=open_study, actor=ada)


def test_unblinding_wants_the_name_of_the_study(open_study: Study, ada: User) -> None:
    end_collecting(open_study, ada)
    with pytest.raises(ProtocolError, match="Cord lesions"):
        protocol.unblind(study=open_study, actor=ada, typed_title="cord")
    protocol.unblind(study=open_study, actor=ada, typed_title=" Cord lesions ")
    assert Study.objects.get().state == "unblinded"


def test_closing_records_how_many_scores_are_missing(
    open_study: Study, ada: User
) -> None:
    end_collecting(open_study, ada)
    entry = AuditEntry.objects.get(study=open_study, verb="closed")
    why = {"missing": 12, "why": "Ran out of time."}
    assert entry.payload == {
        "missing": 24, "unfinished": {}, "dispositions": {"R01": why, "R02": why},
    }  # fmt: skip


def test_closing_wants_a_sentence_about_each_rater_with_missing_scores(
    open_study: Study, ada: User
) -> None:
    with pytest.raises(ProtocolError, match="R01, R02"):
        protocol.close(study=open_study, actor=ada)
    with pytest.raises(ProtocolError, match="missing of R02"):
        protocol.close(study=open_study, actor=ada, dispositions={"R01": "left"})
    assert Study.objects.get().state == "collecting"


def test_raters_are_fixed_at_lock(open_study: Study, ada: User) -> None:
    with pytest.raises(invitations.InvitationRefused, match="locked"):
        invitations.add_rater(
            study=open_study, actor=ada, name="late", email="late@example.org"
        )


def test_every_step_is_on_record(open_study: Study, ada: User) -> None:
    end_collecting(open_study, ada)
    assert audit.verify(open_study) == []
    verbs = list(open_study.audit.values_list("verb", flat=True))
    drawn = ["drawn", "drawn"]
    assert verbs == [
        "add_rater", "add_rater", "locked", *drawn, "collecting", "closed",
    ]  # fmt: skip


def test_a_person_has_one_account_whatever_the_case_of_the_address(
    study: Study, ada: User
) -> None:
    enrolled = invitations.add_rater(
        study=study, actor=ada, name="Bo", email="Bo@Example.org"
    )
    other = Study.objects.create(title="Other", created_by=ada)
    again = invitations.add_rater(
        study=other, actor=ada, name="Bo", email="bo@example.ORG "
    )
    assert again.user == enrolled.user
    with pytest.raises(invitations.InvitationRefused, match="already part"):
        invitations.add_rater(study=study, actor=ada, name="Bo", email="BO@example.org")
