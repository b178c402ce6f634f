"""Every address of the site by every kind of person: a new one needs a row here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from ratings.models import Case, Item, Session, Study

pytestmark = pytest.mark.any_database

# What each kind of person gets for GET: coordinator, rater, outsider, nobody.
# 302 leads to the sign-in page; 405 means that the address takes no GET.
PAGES = {
    "home": (200, 200, 200, 302),
    "studies": (302, 302, 302, 302),
    "study": (302, 404, 404, 302),
    "study-new": (200, 404, 200, 302),
    "move-new": (200, 404, 200, 302),
    "move": (404, 404, 404, 302),
    "move-report": (404, 404, 404, 302),
    "move-discard": (405, 405, 405, 302),
    "moved": (404, 404, 404, 302),
    "account": (200, 200, 200, 302),
    "stay-signed-in": (200, 200, 200, 403),
    "account-erase": (200, 200, 200, 302),
    "device-end": (405, 405, 405, 302),
    "devices-end": (405, 405, 405, 302),
    "cases": (200, 404, 404, 302),
    "cases-import": (405, 405, 405, 302),
    "cases-remove": (405, 405, 405, 302),
    "cases-stratum": (405, 405, 405, 302),
    "cases-companion": (405, 405, 405, 302),
    "case-picture": (200, 404, 404, 302),
    "arm-remove": (405, 405, 405, 302),
    "originals": (200, 404, 404, 302),
    "originals-choice": (405, 405, 405, 302),
    "originals-erase": (405, 405, 405, 302),
    "original": (404, 404, 404, 302),
    "plan": (405, 405, 405, 302),
    "transfers": (405, 405, 405, 302),
    "transfers-discard": (405, 405, 405, 302),
    "transfer": (405, 405, 405, 302),
    "transfer-finish": (405, 405, 405, 302),
    "transfer-take": (405, 405, 405, 302),
    "uploads": (405, 405, 405, 302),
    "uploads-clear": (405, 405, 405, 302),
    "upload-picture": (404, 404, 404, 302),
    "upload-remove": (405, 405, 405, 302),
    "design": (200, 404, 404, 302),
    "power": (200, 404, 404, 302),
    "power-curve": (200, 404, 404, 302),
    "lock": (200, 404, 404, 302),
    "blinding-audit": (405, 405, 405, 302),
    "separability-audit": (405, 405, 405, 302),
    "choose": (200, 404, 404, 302),
    "design-start": (405, 405, 405, 302),
    "design-preview": (405, 405, 405, 302),
    "faces": (405, 405, 405, 302),
    "amend": (200, 404, 404, 302),
    "open": (405, 405, 405, 302),
    "protocol": (200, 404, 404, 302),
    "colleague-add": (405, 405, 405, 302),
    "colleague-remove": (404, 404, 404, 302),
    "declaration": (404, 404, 404, 302),
    "deadline": (405, 405, 405, 302),
    "remind": (405, 405, 405, 302),
    "rater": (404, 404, 404, 302),
    "rater-revoke": (405, 405, 405, 302),
    "rater-remind": (405, 405, 405, 302),
    "rater-deadline": (405, 405, 405, 302),
    "rater-withdraw": (404, 404, 404, 302),
    "rater-replace": (404, 404, 404, 302),
    "raters": (200, 404, 404, 302),
    "conflicts": (302, 404, 404, 302),
    "rater-link": (405, 405, 405, 302),
    "rater-reset": (404, 404, 404, 302),
    "rater-erase": (404, 404, 404, 302),
    "rater-remove": (404, 404, 404, 302),
    "monitor": (200, 404, 404, 302),
    "monitor-progress": (200, 404, 404, 200),
    "answer": (405, 405, 405, 302),
    "conduct": (200, 404, 404, 302),
    "withdraw": (200, 404, 404, 302),
    "close": (200, 404, 404, 302),
    "unblind": (302, 404, 404, 302),
    "break-glass": (200, 404, 404, 302),
    "results": (423, 404, 404, 302),
    "results-again": (405, 405, 405, 302),
    "figure": (404, 404, 404, 302),
    "comparison": (423, 404, 404, 302),
    "comparison-again": (405, 405, 405, 302),
    "comparison-file": (404, 404, 404, 302),
    "masks": (423, 404, 404, 302),
    "masks-viewer": (423, 404, 404, 302),
    "masks-image": (404, 404, 404, 302),
    "masks-mask": (404, 404, 404, 302),
    "masks-tile": (404, 404, 404, 302),
    "masks-facts": (404, 404, 404, 302),
    "masks-soft": (404, 404, 404, 302),
    "robustness": (423, 404, 404, 302),
    "robustness-figure": (404, 404, 404, 302),
    "robustness-coarser": (405, 405, 405, 302),
    "export": (423, 404, 404, 302),
    "export-bundle": (405, 405, 405, 302),
    "predictions": (200, 404, 404, 302),
    "predictions-progress": (302, 404, 404, 200),
    "prediction-log": (404, 404, 404, 302),
    "models": (200, 404, 200, 302),
    "models-list": (200, 404, 200, 200),
    "prediction-retry": (405, 405, 405, 302),
    "prediction-cancel": (405, 405, 405, 302),
    "predictions-retry": (405, 405, 405, 302),
    "predictions-cancel": (405, 405, 405, 302),
    "predictions-complete": (405, 405, 405, 302),
    "predictions-withdraw": (404, 404, 404, 302),
    "tokens": (200, 404, 200, 302),
    "token-end": (405, 405, 405, 302),
    "api-schema": (200, 404, 200, 401),
    "api-studies": (200, 404, 200, 401),
    "api-study": (200, 404, 404, 401),
    "api-uploads": (200, 404, 404, 401),
    "api-upload": (405, 404, 405, 401),
    "api-import": (405, 404, 405, 401),
    "api-cases": (200, 404, 404, 401),
    "api-case": (405, 404, 405, 401),
    "api-raters": (200, 404, 404, 401),
    "api-rater": (404, 404, 404, 401),
    "api-companions": (200, 404, 404, 401),
    "api-companion": (405, 404, 405, 401),
    "api-strata": (200, 404, 404, 401),
    "api-arm": (405, 404, 405, 401),
    "api-templates": (200, 404, 200, 401),
    "api-start": (405, 404, 405, 401),
    "api-power": (200, 404, 404, 401),
    "api-conflicts": (200, 404, 404, 401),
    "api-checklist": (409, 404, 404, 401),
    "api-faces": (405, 404, 405, 401),
    "api-blinding-audit": (405, 404, 405, 401),
    "api-separability": (200, 404, 404, 401),
    "api-reminders": (405, 404, 405, 401),
    "api-declaration": (405, 404, 405, 401),
    "api-rater-password": (405, 404, 405, 401),
    "api-reminder": (405, 404, 405, 401),
    "api-rater-withdrawal": (405, 404, 405, 401),
    "api-replacement": (405, 404, 405, 401),
    "api-invitation": (405, 404, 405, 401),
    "api-erasure": (405, 404, 405, 401),
    "api-originals": (200, 404, 404, 401),
    "api-originals-erase": (405, 404, 405, 401),
    "api-original": (404, 404, 404, 401),
    "api-choice": (200, 404, 404, 401),
    "api-draw": (405, 404, 405, 401),
    "api-leave-out": (405, 404, 405, 401),
    "api-take-in": (405, 404, 405, 401),
    "api-amendments": (200, 404, 404, 401),
    "api-colleagues": (200, 404, 404, 401),
    "api-colleague": (405, 404, 405, 401),
    "api-colleague-link": (405, 404, 405, 401),
    "api-late-raters": (405, 404, 405, 401),
    "api-break-glass": (405, 404, 405, 401),
    "api-transfers": (200, 404, 404, 401),
    "api-transfer": (409, 404, 404, 401),
    "api-transfer-finish": (405, 404, 405, 401),
    "api-transfer-take": (405, 404, 405, 401),
    "api-lock": (405, 404, 405, 401),
    "api-open": (405, 404, 405, 401),
    "api-withdraw": (405, 404, 405, 401),
    "api-close": (405, 404, 405, 401),
    "api-unblind": (405, 404, 405, 401),
    "api-progress": (200, 404, 404, 401),
    "api-questions": (200, 404, 404, 401),
    "api-answers": (405, 404, 405, 401),
    "api-deadline": (405, 404, 405, 401),
    "api-conduct": (200, 404, 404, 401),
    "api-jobs": (200, 404, 404, 401),
    "api-job": (404, 404, 404, 401),
    "api-job-retry": (405, 404, 405, 401),
    "api-job-cancel": (405, 404, 405, 401),
    "api-results": (423, 404, 404, 401),
    "api-export": (423, 404, 404, 401),
    "api-sources": (200, 404, 200, 401),
    "api-predictions": (200, 404, 404, 401),
    "api-upload-picture": (404, 404, 404, 401),
    "api-case-picture": (200, 404, 404, 401),
    "api-arms": (200, 404, 404, 401),
    "api-preview": (405, 404, 405, 401),
    "api-protocol": (200, 404, 404, 401),
    "api-withdrawals": (200, 404, 404, 401),
    "api-practice": (200, 404, 404, 401),
    "api-results-again": (405, 404, 405, 401),
    "api-figure": (423, 404, 404, 401),
    "api-comparison": (423, 404, 404, 401),
    "api-comparison-again": (405, 404, 405, 401),
    "api-comparison-file": (423, 404, 404, 401),
    "api-robustness": (423, 404, 404, 401),
    "api-robustness-coarser": (405, 404, 405, 401),
    "api-robustness-file": (423, 404, 404, 401),
    "api-predicted-arm": (405, 404, 405, 401),
    "api-arm-complete": (405, 404, 405, 401),
    "api-arm-retry": (405, 404, 405, 401),
    "api-arm-cancel": (405, 404, 405, 401),
    "api-job-log": (404, 404, 404, 401),
    "api-models": (200, 404, 200, 401),
    "api-registration": (404, 404, 404, 401),
    "join": (404, 404, 404, 404),
    "rate": (404, 200, 404, 302),
    "own-record": (404, 404, 404, 302),
    "sources": (404, 200, 404, 302),
    "session": (404, 200, 404, 403),
    "next": (404, 200, 404, 403),
    "stay": (404, 200, 404, 403),
    "review": (404, 409, 404, 403),
    "sign": (405, 405, 405, 403),
    "problem": (405, 405, 405, 403),
    "questions": (404, 200, 404, 403),
    "guesses": (404, 200, 404, 403),
    "item-guess": (405, 405, 405, 403),
    "item-image": (404, 200, 404, 403),
    "item-context": (404, 404, 404, 403),
    "item-mask": (404, 200, 404, 403),
    "item-scores": (405, 405, 405, 403),
}
KEYS_OF_ARMS = (
    "arm-remove", "api-arm", "api-predicted-arm", "api-arm-complete", "api-arm-retry",
    "api-arm-cancel",
)  # fmt: skip
WRITES = [name for name, row in PAGES.items() if row[0] == 405]


def list_patterns(resolver: URLResolver, prefix: str = "") -> Iterator[URLPattern]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            if "accounts/" not in str(entry.pattern):
                yield from list_patterns(entry, prefix + str(entry.pattern))
        elif "accounts/" not in str(entry.pattern):
            yield entry


def address(name: str, study: Study, session: Session) -> str:
    """The address of that name, for the study, its first case and current item."""
    pattern = next(p for p in list_patterns(get_resolver()) if p.name == name)
    case = Case.objects.filter(study=study).first()
    item = Item.objects.get(presentation__session=session, presentation__position=1)
    values = {
        "study_id": study.pk,
        "case_id": case.pk if case else None,
        "upload_id": uuid4(),
        "original_id": uuid4(),
        "transfer_id": uuid4(),
        "move_id": uuid4(),
        "rater_id": uuid4(),
        "member_id": uuid4(),
        "job_id": uuid4(),
        "arm_id": 10**6,
        "run_id": 10**6,
        "number": 10**6,
        "token_id": 10**6,
        "question_id": 10**6,
        "key": "manual" if name in KEYS_OF_ARMS else session.key,
        "name": "violin",
        "kind": "svg",
        "token": "x" * 43 if name == "join" else item.token,
    }
    wanted = pattern.pattern.converters
    return reverse(name, kwargs={key: values[key] for key in wanted})


def test_every_address_has_a_row() -> None:
    names = {p.name for p in list_patterns(get_resolver()) if p.name}
    assert names == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_get_is_answered_by_role(
    coordinator: Client,
    rater: Client,
    outsider: Client,
    open_study: Study,
    session: Session,
    name: str,
) -> None:
    url = address(name, open_study, session)
    people = (coordinator, rater, outsider, Client())
    assert tuple(who.get(url).status_code for who in people) == PAGES[name]


@pytest.mark.parametrize(
    "name", [n for n in WRITES if n not in ("item-scores", "item-guess", "transfer")]
)
def test_strangers_and_raters_change_nothing(
    rater: Client,
    outsider: Client,
    open_study: Study,
    session: Session,
    name: str,
) -> None:
    url = address(name, open_study, session)
    own = name in ("problem", "sign")
    people = (outsider, Client()) if own else (rater, outsider, Client())
    for who in people:
        # 405 where an address takes DELETE alone.
        assert who.post(url).status_code in (302, 401, 403, 404, 405)
    assert Study.objects.get(pk=open_study.pk).state == "collecting"


@pytest.mark.parametrize("part", ["image", "mask"])
def test_another_raters_item_is_as_unknown_as_a_made_up_one(
    other_rater: Client, session: Session, part: str
) -> None:
    item = Item.objects.get(presentation__session=session, presentation__position=1)
    foreign = other_rater.get(f"/api/items/{item.token}/{part}")
    unknown = other_rater.get(f"/api/items/{'x' * 43}/{part}")
    assert (foreign.status_code, foreign.content) == (404, unknown.content)
    assert declared(foreign) == declared(unknown)


def declared(answer: Any) -> dict[str, str]:
    """The headers but for the request's own number, which is random."""
    return {k: v for k, v in answer.headers.items() if k != "X-Request-ID"}


@pytest.mark.parametrize("name", ["session", "next", "rate"])
def test_another_raters_session_is_not_found(
    other_rater: Client, open_study: Study, session: Session, name: str
) -> None:
    assert other_rater.get(reverse(name, args=[session.key])).status_code == 404


def test_every_page_forbids_foreign_and_inline_content(
    coordinator: Client, rater: Client, open_study: Study, session: Session
) -> None:
    for who, url in (
        (coordinator, reverse("cases", args=[open_study.pk])),
        (rater, reverse("rate", args=[session.key])),
        (Client(), reverse("account_login")),
        (coordinator, "/no/such/page"),
    ):
        policy = who.get(url).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
