"""Adds a rater after the lock, with an order and a commitment of their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from ratings import audit, blinding, conflicts, drawing, evidence, invitations, protocol
from ratings.invitations import InvitationRefused
from ratings.models import Enrolment, Session, Study

OPEN_TO = (Study.State.LOCKED, Study.State.COLLECTING)


def add_late_rater(
    *,
    study: Study,
    actor: User,
    name: str,
    email: str,
    reason: str,
    site: str = "",
    drew: Iterable[str] = (),
) -> Enrolment:
    """Enrol a person in a locked or running study and draw their order.

    `drew` are the cases of which the person drew a mask, `site` is where they work;
    what follows from both is the protocol's rule. Raises InvitationRefused, with
    nothing written, once the study is closed or if the person takes part already.
    """
    with transaction.atomic():
        held = audit.hold(study.pk)
        if held.state not in OPEN_TO:
            raise InvitationRefused(
                "A rater can be added late only to a study that is locked or open."
            )
        enrolment = invitations.enrol(study=held, name=name, email=email)
        touched = conflicts.find_touched(
            held.design, rater=enrolment.code, site=site, drew=drew
        )
        excluded = touched if conflicts.read_rule(held.design) == "exclude" else []
        facts = {"rater": enrolment.code, "site": site.strip(), "touched": touched}
        late = draw_order(held, facts, excluded)
        audit.record(
            study=held, actor=actor, verb="add_late_rater",
            payload={**late, "reason": reason.strip()},
        )  # fmt: skip
        sessions = Session.objects.filter(enrolment=enrolment).order_by("number")
        evidence.record_draws(study=held, actor=actor, sessions=sessions)
    return enrolment


def draw_order(
    study: Study, facts: dict[str, Any], excluded: list[str]
) -> dict[str, Any]:
    """Draw and store one order; what is published of it, commitment and balance."""
    if not study.protocol:
        raise InvitationRefused("The study has no protocol to draw an order from.")
    drawn = drawing.draw_late(
        protocol=study.protocol, seed=study.seed, rater=facts["rater"],
        excluded=excluded, earlier=blinding.list_placements(study),
    )  # fmt: skip
    if not drawn.placements:
        raise InvitationRefused(
            "This person drew a mask of every case, and the protocol leaves such "
            "cases out: nothing would be left to rate."
        )
    late = {
        **facts,
        "excluded": excluded,
        "commitment": drawing.commit_to(
            seed=study.seed, protocol_sha256=study.protocol_sha256,
            placements=drawn.placements,
        ),
        "balance": protocol.describe_balance(drawn),
    }  # fmt: skip
    known = study.allocation_report.get("late", [])
    study.allocation_report = {**study.allocation_report, "late": [*known, late]}
    study.save(update_fields=["allocation_report"])
    blinding.seal(study=study, placements=drawn.placements)
    return late
