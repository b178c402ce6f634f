"""What machines read of a whole study names no arm, score, person, file or token."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from config.logging import JsonFormatter, hide_path
from ratings import files, protocol
from ratings.models import Item, Score, Session, Study
from tests.ratings.conftest import end_collecting
from tests.ratings.script import Script
from tests.ratings.test_results import run
from tests.ratings.test_scoring import body, current, put

CANARY = "Canary"


class Lines(logging.Handler):
    """Every line as it would be written with LOG_FORMAT=json."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(JsonFormatter())
        self.addFilter(hide_path)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def lines() -> Iterator[list[str]]:
    handler = Lines()
    loggers = [logging.getLogger(name) for name in ("", "config.logging")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.INFO)
    loggers[0].addHandler(handler)
    yield handler.lines
    loggers[0].removeHandler(handler)
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


def test_no_line_of_a_whole_study_says_what_it_must_not(
    lines: list[str], coordinator: Client, rater: Client, open_study: Study,
    session: Session, ada: User, tmp_path: Path,
) -> None:  # fmt: skip
    Study.objects.filter(pk=open_study.pk).update(contact=f"{CANARY} contact")
    open_study.arms.update(label=f"{CANARY} arm")
    User.objects.update(last_name=CANARY)
    item = current(session)
    rater.get(f"/api/items/{item.token}/mask")
    answer = body(4, comment=f"{CANARY} comment")
    assert put(rater, item.token, answer).status_code == 200
    put(rater, item.token, body(77))
    rater.get(f"/rate/{CANARY}/")
    rater.get(f"/join/{CANARY}")
    file = SimpleUploadedFile(f"{CANARY}.nii.gz", b"no volume")
    coordinator.post(reverse("uploads", args=[open_study.pk]), {"file": file})
    Client().post("/accounts/login/", {"login": CANARY, "password": CANARY})
    script = Script(ada)
    script.get(f"studies/{open_study.pk}", name=CANARY)
    script.post(f"studies/{open_study.pk}/{CANARY}")
    end_collecting(open_study, ada)
    protocol.unblind(study=open_study, actor=ada, typed_title=open_study.title)
    run(open_study)
    coordinator.get(reverse("results", args=[open_study.pk]))
    text = "\n".join(lines)
    assert len(lines) > 10
    assert "api/items/<str:token>/scores" in text
    forbidden = {
        CANARY, script.token, open_study.title, "rhea", "otto", "manual",
        '"model"', *Item.objects.values_list("token", flat=True),
        *Session.objects.values_list("key", flat=True),
    }  # fmt: skip
    assert [word for word in forbidden if word.lower() in text.lower()] == []
    assert Score.objects.count() == 1


def test_a_case_that_is_withdrawn_by_itself_is_not_named(
    lines: list[str], rater: Client, session: Session, open_study: Study
) -> None:
    item = current(session)
    case = item.presentation.case
    place = files.locate(case.image_path)
    place.write_bytes(place.read_bytes()[:-1] + b"!")
    assert rater.get(f"/api/items/{item.token}/image").status_code == 409
    text = "\n".join(lines)
    assert "A case was withdrawn" in text
    for word in (case.label, str(case.pk), str(open_study.pk), place.name):
        assert word not in text
