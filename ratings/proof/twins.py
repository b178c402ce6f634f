"""The study's own data twice, the arms exchanged: what is served must be the same.

The copies, their rater and their scores live in a transaction that is rolled back;
they point to the study's stored files, which are read and not written.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from ratings import blinding, drawing, frozen
from ratings.allocation import make_picker, shuffle
from ratings.models import Arm, Case, Companion, Enrolment, Mask, Session, Study

SOME_CASES = 12
RANDOM = re.compile(
    rb"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"
    rb"|csrftoken=[^;\"]+|sessionid=[^;\"]+|expires=[^;\"]+"
)
UNIQUE = ("X-Request-ID", "Date")
MASK_HEADERS = {
    "Content-Type", "Content-Length", "Cache-Control", "Vary", "Allow",
    "Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options",
    "Referrer-Policy", "Cross-Origin-Opener-Policy", "X-Request-ID",
    "Strict-Transport-Security",
}  # fmt: skip
EVEN = {
    "mode": "single", "min_distance": 1, "repeat_percent": 0, "session_maximum": 0,
    "calibration": [], "control_bad": 0, "control_empty": 0, "guess": "off",
}  # fmt: skip


@dataclass(frozen=True)
class Served:
    """One answer: what was asked for, of which case, and what came."""

    what: str
    case: str
    headers: tuple[tuple[str, str], ...]
    body: str

    @property
    def seen(self) -> tuple[object, ...]:
        return (self.what, self.headers, self.body)


class Undo(Exception):
    """Ends the transaction that everything here happens in."""


def check_twins(study: Study, *, every: bool = False) -> list[str]:
    """A sentence for each case and header by which the exchange could be seen.

    Of a large study some cases, drawn by lot, so that locking need not wait long.
    """
    arms = list(study.rated_arms().order_by("key"))
    labels = sorted(study.chosen_cases().values_list("label", flat=True))
    if not every:
        labels = shuffle(labels, make_picker(study.seed, "audit"))[:SOME_CASES]
    if not labels or not arms:
        return []
    turns = [arms, *([[*arms[1:], arms[0]]] if len(arms) > 1 else [])]
    crawls: list[list[Served]] = []
    for order in turns:
        roles = {arm.pk: other for arm, other in zip(arms, order, strict=True)}
        crawls.append(crawl_copy(study, labels, roles))
    faults = [fault for crawl in crawls[:1] for fault in judge_headers(crawl)]
    for one, other in pairwise(crawls):
        faults += compare(one, other)
    return list(dict.fromkeys(faults))


def crawl_copy(study: Study, labels: list[str], roles: dict[int, Arm]) -> list[Served]:
    served: list[Served] = []
    try:
        with transaction.atomic():
            copy, user = make_copy(study, labels, roles)
            served = list(crawl(copy, user))
            raise Undo
    except Undo:
        return served


def make_copy(
    study: Study, labels: list[str], roles: dict[int, Arm]
) -> tuple[Study, User]:
    """A study of one rater with the same cases, each arm in the role of another."""
    copy = Study.objects.create(
        title=study.title, instructions=study.instructions, contact=study.contact,
        scale=study.scale, questions=study.questions, created_by=study.created_by,
        design={**study.design, **EVEN}, seed=study.seed,
    )  # fmt: skip
    arms = {
        pk: Arm.objects.create(
            study=copy, key=role.key, label=role.label, kind=role.kind
        )
        for pk, role in roles.items()
    }
    for case in study.cases.filter(label__in=labels).order_by("label"):
        twin = Case.objects.create(
            study=copy, label=case.label, strata=case.strata, geometry=case.geometry,
            image_path=case.image_path, image_sha256=case.image_sha256,
        )  # fmt: skip
        for companion in case.companions.all():
            Companion.objects.create(
                case=twin, kind=companion.kind, path=companion.path,
                sha256=companion.sha256,
            )  # fmt: skip
        for mask in case.masks.filter(arm__in=arms):
            Mask.objects.create(
                case=twin, arm=arms[mask.arm_id], path=mask.path, sha256=mask.sha256,
                voxels=mask.voxels, volume_mm3=mask.volume_mm3,
            )  # fmt: skip
    user = User.objects.create(username=f"{uuid4().hex}@audit.invalid")
    Enrolment.objects.create(study=copy, user=user, role="rater", code="R01")
    text = frozen.describe_protocol(copy)
    drawn = drawing.draw(protocol=text, seed=copy.seed)
    blinding.seal(study=copy, placements=drawn.placements)
    for state in (Study.State.LOCKED, Study.State.COLLECTING):
        Study.objects.filter(pk=copy.pk).update(state=state)
    return copy, user


def make_client(user: User) -> Client:
    site = urlsplit(settings.SITE_URL)
    client = Client(
        SERVER_NAME=site.hostname or "localhost",
        headers={"accept-encoding": "gzip, br, zstd"},
        raise_request_exception=False,
    )
    if site.scheme == "https":
        client.defaults |= {"wsgi.url_scheme": "https", "SERVER_PORT": "443"}
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


def crawl(copy: Study, user: User) -> Iterator[Served]:
    """Everything of the rating room, item by item, as its rater."""
    client = make_client(user)
    session = Session.objects.get(enrolment__study=copy)
    base = f"/api/rate/{session.key}/"
    yield fetch(client, "session", "", base)
    while True:
        answer = client.get(f"{base}next")
        current = json.loads(answer.content).get("current")
        if not current:
            return
        case = find_case(session, current["items"][0]["token"])
        yield note("next", case, answer)
        for item in current["items"]:
            for part in ("image", "mask", "context"):
                if item[part]:
                    yield fetch(client, part, case, item[part])
            yield send_score(client, copy, case, item["token"])


def find_case(session: Session, token: str) -> str:
    shown = session.presentations.get(items__token=token)
    return shown.case.label


def send_score(client: Client, copy: Study, case: str, token: str) -> Served:
    value = copy.scale[0]["value"]
    answers = {question["key"]: {"value": value} for question in copy.questions}
    body = {"client_key": str(uuid4()), "answers": answers}
    answer = client.put(f"/api/items/{token}/scores", body, "application/json")
    return note("answer to a score", case, answer)


def fetch(client: Client, what: str, case: str, url: str) -> Served:
    return note(what, case, client.get(url))


def note(what: str, case: str, answer: object) -> Served:
    """The answer without what is random in every answer."""
    headers = {k: v for k, v in answer.headers.items() if k not in UNIQUE}  # type: ignore[attr-defined]
    masked = {k: RANDOM.sub(b"*", v.encode()).decode() for k, v in headers.items()}
    content = RANDOM.sub(b"*", answer.content)  # type: ignore[attr-defined]
    status = str(answer.status_code)  # type: ignore[attr-defined]
    return Served(
        what=what,
        case=case,
        headers=(("status", status), *sorted(masked.items())),
        body=hashlib.sha256(content).hexdigest(),
    )


def judge_headers(served: Iterable[Served]) -> Iterator[str]:
    """What must not be sent with a mask, and what must."""
    for answer in served:
        if answer.what not in ("image", "mask", "context"):
            continue
        headers = dict(answer.headers)
        if headers.pop("status") != "200":
            yield f"{answer.case}, {answer.what}: it could not be fetched."
            continue
        for name in sorted(headers.keys() - MASK_HEADERS):
            yield f"The header {name} is sent with a case's {answer.what}."
        if headers.get("Cache-Control") != "no-store":
            yield f"Cache-Control is not no-store for a case's {answer.what}."


def compare(one: Iterable[Served], other: Iterable[Served]) -> Iterator[str]:
    """Where the two crawls differ as multisets."""
    ours = Counter(answer.seen for answer in one)
    theirs = Counter(answer.seen for answer in other)
    for answer in one:
        if ours[answer.seen] != theirs[answer.seen]:
            of = f"{answer.case}, " if answer.case else ""
            yield f"{of}{answer.what}: exchanging the arms changes what is served."
