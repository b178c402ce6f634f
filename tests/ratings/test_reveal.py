"""After unblinding anybody can draw the schedule again, and sees any change of it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from ratings import protocol, revealing
from ratings.blinding import StillBlind
from ratings.models import Study
from tests.ratings.conftest import end_collecting

Schedule = dict[str, Any]


@pytest.fixture
def export(open_study: Study, ada: User, tmp_path: Path) -> Path:
    end_collecting(open_study, ada)
    protocol.unblind(study=open_study, actor=ada, typed_title=open_study.title)
    path = tmp_path / revealing.NAME
    path.write_bytes(revealing.reveal(open_study)[revealing.NAME])
    return path


def verify(path: Path) -> str:
    out = StringIO()
    call_command("verify_allocation", str(path), stdout=out)
    return out.getvalue()


def turn_round(told: Any) -> Any:
    """The same, with the keys in another order, as another database gives them."""
    if isinstance(told, dict):
        return {key: turn_round(told[key]) for key in reversed(told)}
    return [turn_round(one) for one in told] if isinstance(told, list) else told


def test_the_file_is_the_same_to_the_byte_whatever_the_database(
    export: Path, open_study: Study
) -> None:
    open_study.refresh_from_db()
    open_study.protocol = turn_round(open_study.protocol)
    open_study.allocation_report = turn_round(open_study.allocation_report)
    assert revealing.reveal(open_study)[revealing.NAME] == export.read_bytes()


def test_the_seed_is_not_told_before_unblinding(open_study: Study) -> None:
    with pytest.raises(StillBlind, match="stays secret"):
        revealing.reveal(open_study)


def test_the_schedule_is_drawn_again_from_file_folder_and_zip(
    export: Path, open_study: Study, tmp_path: Path
) -> None:
    bundle = tmp_path / "export.zip"
    with zipfile.ZipFile(bundle, "w") as out:
        out.write(export, revealing.NAME)
    said = {verify(path) for path in (export, export.parent, bundle)}
    assert len(said) == 1
    text = said.pop()
    assert "The schedule holds: 24 items of 2 raters" in text
    entry = open_study.audit.get(verb="locked")
    assert entry.payload["commitment"] in text


def change_seed(schedule: Schedule) -> None:
    schedule["seed"] = "0" * 64


def change_item(schedule: Schedule) -> None:
    line = schedule["items"][0]
    old, new = ("manual", "model") if line.endswith("manual") else ("model", "manual")
    schedule["items"][0] = line.removesuffix(old) + new


def drop_item(schedule: Schedule) -> None:
    schedule["items"].pop()


def change_protocol(schedule: Schedule) -> None:
    schedule["protocol"]["design"]["min_distance"] = 3


def change_commitment(schedule: Schedule) -> None:
    schedule["commitment"] = "0" * 64


@pytest.mark.parametrize(
    "change",
    [change_seed, change_item, drop_item, change_protocol, change_commitment],
)
def test_every_change_is_noticed(
    export: Path, change: Callable[[Schedule], None]
) -> None:
    schedule = json.loads(export.read_text())
    change(schedule)
    export.write_text(json.dumps(schedule))
    with pytest.raises(CommandError, match="does not hold"):
        verify(export)


def test_a_changed_item_is_named_by_rater_and_position(export: Path) -> None:
    schedule = json.loads(export.read_text())
    change_item(schedule)
    (fault,) = revealing.check_schedule(schedule)
    assert fault == "R01, position 1: the item shown is not the one drawn."


@pytest.mark.parametrize("text", ["", "[]", "no json"])
def test_something_else_is_refused_in_words(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.txt"
    path.write_text(text)
    with pytest.raises(CommandError, match=r"other\.txt"):
        verify(path)


def test_a_damaged_schedule_and_another_version_are_refused(export: Path) -> None:
    schedule = json.loads(export.read_text())
    del schedule["protocol"]["cases"]
    export.write_text(json.dumps(schedule))
    with pytest.raises(CommandError, match="damaged"):
        verify(export)
    export.write_text(json.dumps({**schedule, "algorithm": 1}))
    with pytest.raises(CommandError, match="version 1"):
        verify(export)
