from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ratings import asking, declaring, latecomers, reading, scoring
from ratings.models import Item, Session, Study
from ratings.scoring import Answer, Submission
from tests.ratings.conftest import end_collecting

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def url(study: Study) -> str:
    return reverse("monitor", args=[study.pk])


def text(client: Client, url: str) -> str:
    return client.get(url).content.decode()


def score(session: Session, value: int | None, seconds: float = 10.0) -> Item:
    """Rate the current item as the room does."""
    shown = reading.open_presentations(session).first()
    assert shown
    item = shown.items.get()
    answer = Answer("quality", value, "" if value else "Image unusable")
    submission = Submission(uuid.uuid4(), (answer,), "", round(seconds * 1000), {})
    scoring.record(item=item, submission=submission)
    return item


def rate_all(study: Study) -> None:
    for session in Session.objects.filter(enrolment__study=study):
        while reading.open_presentations(session).exists():
            score(session, 3)


def words(page: str) -> str:
    return " ".join(page.split())


def test_a_draft_says_what_the_monitor_will_show(coordinator: Client, url: str) -> None:
    assert "Nothing to watch yet" in text(coordinator, url)


def test_the_monitor_counts_by_rater(
    coordinator: Client, url: str, session: Session
) -> None:
    for seconds in (8, 12, 30):
        score(session, 4, seconds)
    score(session, None, 9)
    page = text(coordinator, url)
    assert "4 / 24 rated" in page
    assert "4 / 12<" in page
    assert "1 × Image unusable" in page
    assert "59 s<" in page
    assert "median 10.5 s<" in page
    assert "rhea" in page
    assert "never<" in page
    assert "not begun" in page
    assert "no date" in page


def test_a_deadline_is_moved_in_place_and_lateness_is_shown(
    coordinator: Client, url: str, open_study: Study, session: Session
) -> None:
    Study.objects.update(deadline=declaring.today() - timedelta(days=2))
    assert text(coordinator, url).count("2 days late") == 2
    later = declaring.today() + timedelta(days=9)
    one = reverse("rater-deadline", args=[open_study.pk, session.enrolment_id])
    form = {"deadline": later.isoformat(), "monitor": "1"}
    moved = coordinator.post(one, form, follow=True).content.decode()
    assert f"R01 is asked to finish by {later.day} {later:%b %Y}." in moved
    assert moved.count("2 days late") == 1
    assert open_study.audit.filter(verb="set_deadline").count() == 1
    coordinator.post(reverse("deadline", args=[open_study.pk]), form)
    assert "days late" not in text(coordinator, url)
    past = coordinator.post(one, form | {"deadline": "2020-01-01"}, follow=True)
    assert "This day is over" in past.text


def blank(page: str) -> str:
    """The part of the monitor without times of day and its forms' random tokens."""
    page = re.sub(r'csrfmiddlewaretoken" value="\w+"', "", page)
    return re.sub(r"\d+ \w+ \d{4}, \d\d:\d\d", "", page)


def test_the_monitor_is_the_same_whatever_the_scores_are(
    coordinator: Client, open_study: Study, session: Session
) -> None:
    part = reverse("monitor-progress", args=[open_study.pk])
    pages = set()
    for values in ((1, 1), (5, 5), (2, 4)):
        with transaction.atomic():
            for value in values:
                score(session, value, 10)
            pages.add(blank(text(coordinator, part)))
            transaction.set_rollback(True)
    assert len(pages) == 1


def test_the_monitor_names_no_arm(
    coordinator: Client, url: str, session: Session
) -> None:
    score(session, 3)
    page = text(coordinator, url).lower()
    assert "manual" not in page
    assert "model" not in page


def test_problems_are_listed_with_their_words(
    coordinator: Client, url: str, session: Session
) -> None:
    item = score(session, 2)
    asking.ask(item=item, kind="problem", text="<i>Black</i> image")
    page = text(coordinator, url)
    assert "&lt;i&gt;Black&lt;/i&gt; image" in page
    assert item.presentation.case.label in page
    assert "Nothing so far" not in page


def test_the_part_refreshes_itself_while_raters_are_at_work(
    coordinator: Client, open_study: Study, session: Session
) -> None:
    part = reverse("monitor-progress", args=[open_study.pk])
    response = coordinator.get(f"{part}?done=0", headers=HTMX).content.decode()
    assert 'hx-trigger="every 5s"' in response
    assert "hx-swap-oob" not in response
    score(session, 3)
    later = coordinator.get(f"{part}?done=0", headers=HTMX).content.decode()
    assert "1 / 24 rated" in later
    assert "hx-swap-oob" in later
    end_collecting(open_study, open_study.created_by)
    assert coordinator.get(part, headers=HTMX).headers["HX-Refresh"] == "true"


def test_closing_counts_what_is_missing_and_wants_the_name(
    coordinator: Client, open_study: Study, session: Session
) -> None:
    score(session, 3)
    url = reverse("close", args=[open_study.pk])
    page = words(text(coordinator, url))
    assert "Closing is final." in page
    assert "23 of 24 items are not rated yet" in page
    assert "R01, rhea: 11 scores are missing" in page
    why = {"why_R01": "On leave.", "why_R02": "Never began."}
    wrong = [{**why, "title": t} for t in ("", "cord lesions", "Cord lesions 2")]
    for form in [*wrong, {"title": "Cord lesions", "why_R01": "On leave."}]:
        refused = coordinator.post(url, form)
        assert refused.status_code == 200
        open_study.refresh_from_db()
        assert open_study.state == Study.State.COLLECTING
    coordinator.post(url, {**why, "title": " Cord lesions "})
    open_study.refresh_from_db()
    assert open_study.state == Study.State.CLOSED
    payload = open_study.audit.get(verb="closed").payload
    assert payload["missing"] == 23
    assert payload["dispositions"]["R01"] == {"missing": 11, "why": "On leave."}


def test_a_complete_study_says_so_before_closing(
    coordinator: Client, open_study: Study
) -> None:
    rate_all(open_study)
    page = words(text(coordinator, reverse("close", args=[open_study.pk])))
    assert "All 24 items are rated." in page


def test_the_order_of_states_cannot_be_skipped(
    coordinator: Client, open_study: Study
) -> None:
    url = reverse("unblind", args=[open_study.pk])
    response = coordinator.post(url, {"title": "Cord lesions"}, follow=True)
    assert "once it is closed" in response.content.decode()
    end_collecting(open_study, open_study.created_by)
    again = reverse("close", args=[open_study.pk])
    assert coordinator.post(again, {"title": "Cord lesions"}).status_code == 302
    assert open_study.audit.filter(verb="closed").count() == 1
    open_study.refresh_from_db()
    assert open_study.state == Study.State.CLOSED


def test_looking_changes_nothing(coordinator: Client, open_study: Study) -> None:
    for name in ("monitor", "monitor-progress", "close", "unblind"):
        coordinator.get(reverse(name, args=[open_study.pk]))
    open_study.refresh_from_db()
    assert open_study.state == Study.State.COLLECTING


@pytest.mark.parametrize("name", ["monitor", "monitor-progress", "close", "unblind"])
def test_strangers_and_raters_find_nothing_here(
    outsider: Client, rater: Client, open_study: Study, name: str
) -> None:
    url = reverse(name, args=[open_study.pk])
    for client in (outsider, rater):
        assert client.get(url).status_code == 404
        assert client.post(url, {"title": "Cord lesions"}).status_code in (404, 405)
    open_study.refresh_from_db()
    assert open_study.state == Study.State.COLLECTING


def count_queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    return len(asked)


def test_more_raters_do_not_make_the_monitor_ask_more(
    coordinator: Client, url: str, open_study: Study, ada: User
) -> None:
    for session in Session.objects.filter(enrolment__study=open_study):
        score(session, 3)
    before = count_queries(coordinator, url)
    for number in range(4):
        late = latecomers.add_late_rater(
            study=open_study, actor=ada, name=f"Late {number}", reason="More help.",
            email=f"late{number}@example.org", site="", drew=[],
        )  # fmt: skip
        score(late.sessions.get(number=1), 3)
    assert "R06" in text(coordinator, url)
    assert count_queries(coordinator, url) == before
