"""The saving bench gives no figures of a site that broke its word on a score."""

from __future__ import annotations

import re
import uuid

import pytest

from bench.saving import Save, ScoresDiffer, Stored, check_stored

SAVES = [Save(uuid.UUID(int=n), f"token-{n}", 1 + n % 5, 12.0) for n in range(4)]
KEPT: list[Stored] = [save.stored for save in SAVES]


def refuse(stored: list[Stored], words: str) -> None:
    with pytest.raises(ScoresDiffer, match=re.escape(words)):
        check_stored(SAVES, stored)


def test_each_acknowledged_score_is_stored_in_whatever_order() -> None:
    check_stored(SAVES, reversed(KEPT))


def test_a_lost_score_is_counted() -> None:
    refuse(KEPT[1:], "1 acknowledged scores are not stored as sent, and 0 stored")


def test_a_score_stored_twice_is_counted() -> None:
    refuse([*KEPT, KEPT[0]], "0 acknowledged scores are not stored as sent, and 1")


@pytest.mark.parametrize("changed", [("token-0", 5), ("token-9", 1)])
def test_a_score_stored_otherwise_than_sent_is_both_lost_and_made_up(
    changed: tuple[str, int],
) -> None:
    refuse([(KEPT[0][0], *changed), *KEPT[1:]], "1 acknowledged scores are not")
    refuse([(KEPT[0][0], *changed), *KEPT[1:]], "and 1 stored ones were never")


def test_a_stored_cannot_rate_is_not_the_score_that_was_sent() -> None:
    refuse([(KEPT[0][0], "token-0", None), *KEPT[1:]], "1 acknowledged")
