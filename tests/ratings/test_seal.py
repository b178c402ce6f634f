"""What the seal stores of a draw: every kind of presentation, in every mode."""

from __future__ import annotations

from collections import Counter
from uuid import uuid4

import numpy as np
import pytest
from django.contrib.auth.models import User

from ratings import blinding, files, images, invitations, protocol, scoring
from ratings.models import Arm, Item, Mask, Presentation, Session, Study
from tests.ratings.conftest import AddCases, end_collecting


def lock(study: Study, ada: User, **design: object) -> None:
    for name in ("rhea", "otto"):
        invitations.add_rater(
            study=study, actor=ada, name=name, email=f"{name}@example.org"
        )
    study.design = {**study.design, "min_distance": 2, **design}
    study.save()
    protocol.lock(study=study, actor=ada)


def stored(study: Study) -> list[tuple[str, int, int, int, str, int, str, str]]:
    items = Item.objects.filter(presentation__session__enrolment__study=study)
    return sorted(
        (
            item.presentation.session.enrolment.code,
            item.presentation.session.number,
            item.presentation.position,
            item.slot,
            item.presentation.kind,
            item.presentation.repeat,
            item.presentation.case.label,
            item.mask.arm.key,
        )
        for item in items
    )


@pytest.mark.parametrize("mode", ["single", "sequential", "side_by_side"])
def test_what_is_stored_is_what_was_drawn(
    study: Study, ada: User, add_cases: AddCases, mode: str
) -> None:
    add_cases(7)
    lock(
        study, ada, mode=mode, repeat_percent=30, session_maximum=5, control_bad=1,
        control_empty=1,
        calibration=[{"case": "C001", "arm": "model", "values": {"quality": 4}}],
    )  # fmt: skip
    drawn = sorted(
        (p.rater, p.session, p.position, p.slot, p.kind, p.repeat, p.case, p.arm)
        for p in protocol.draw(study).placements
    )
    assert stored(study) == drawn
    kinds = Counter(Presentation.objects.values_list("kind", flat=True))
    units = 6 if mode != "single" else 12
    repeats = (units * 30 + 50) // 100
    assert kinds == {
        "calibration": 2, "main": 2 * units, "repeat": 2 * repeats, "control": 4,
    }  # fmt: skip
    assert Session.objects.count() == 2 * -(-sum(kinds.values()) // 2 // 5)


def test_controls_are_misplaced_or_empty_and_no_arm_of_the_comparison(
    study: Study, ada: User, add_cases: AddCases
) -> None:
    add_cases(5)
    lock(study, ada, control_bad=2, control_empty=2)
    assert {arm.key for arm in study.rated_arms()} == {"manual", "model"}
    assert study.protocol is not None
    assert [arm["key"] for arm in study.protocol["arms"]] == ["manual", "model"]
    masks = Mask.objects.filter(arm__kind=Arm.Kind.CONTROL, case__study=study)
    assert Counter(masks.values_list("arm__key", flat=True)) == {
        "control-bad": 2, "control-empty": 2,
    }  # fmt: skip
    for mask in masks:
        marked, _ = images.decode_mask(files.locate(mask.path).read_bytes())
        assert marked.any() == (mask.arm.key == "control-bad")
        if marked.any():
            for other in mask.case.masks.exclude(arm=mask.arm):
                real, _ = images.decode_mask(files.locate(other.path).read_bytes())
                overlap = np.count_nonzero(real & marked) / np.count_nonzero(real)
                assert overlap < 0.2


def test_controls_and_calibration_stay_out_of_the_analysis(
    study: Study, ada: User, add_cases: AddCases
) -> None:
    add_cases(4)
    lock(
        study, ada, control_bad=1, repeat_percent=20,
        calibration=[{"case": "C001", "arm": "model", "values": {"quality": 4}}],
    )  # fmt: skip
    protocol.open_study(study=study, actor=ada)
    items = Item.objects.filter(presentation__session__enrolment__study=study)
    for n, item in enumerate(items):
        item.scores.create(
            question="quality", value=3, by=item.presentation.session.enrolment.user,
            client_key=f"00000000-0000-4000-8000-{n:012d}",
        )  # fmt: skip
    end_collecting(study, ada)
    protocol.unblind(study=study, actor=ada, typed_title=study.title)
    analysed = blinding.unseal(study)
    assert {score.kind for score in analysed} == {"main", "repeat"}
    assert {score.arm for score in analysed} == {"manual", "model"}
    apart = blinding.unseal(study, kinds=("control", "calibration"))
    assert Counter(score.kind for score in apart) == {"control": 2, "calibration": 2}


def test_rows_come_into_being_in_an_order_of_their_own(
    study: Study, ada: User, add_cases: AddCases
) -> None:
    add_cases(12)
    lock(study, ada)
    made = Item.objects.filter(presentation__session__enrolment__code="R01")
    positions = list(
        made.order_by("pk").values_list("presentation__position", flat=True)
    )
    assert positions != sorted(positions)


def test_of_a_pair_only_the_mask_scored_unlooked_is_marked_so(
    study: Study, ada: User, add_cases: AddCases
) -> None:
    add_cases(3)
    lock(study, ada, mode="sequential", min_distance=1, repeat_percent=0, guess="off")
    protocol.open_study(study=study, actor=ada)
    items = Item.objects.filter(presentation__session__enrolment__study=study)
    for item in items.order_by("presentation__position", "slot"):
        scoring.record(
            item=item,
            submission=scoring.Submission(
                client_key=uuid4(), answers=(scoring.Answer("quality", 3, ""),),
                comment="", active_ms=900,
                conduct={"without_looking": item.slot == 1},
            ),
        )  # fmt: skip
    end_collecting(study, ada)
    protocol.unblind(study=study, actor=ada, typed_title=study.title)
    scores = blinding.unseal(study)
    assert {(score.slot, score.unlooked) for score in scores} == {(0, False), (1, True)}
