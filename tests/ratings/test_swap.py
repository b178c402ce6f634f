"""Exchange the roles of the two arms, and nothing that a rater can reach changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client

from ratings import blinding
from ratings.models import Item
from tests.ratings.test_design_pages import fill_in
from tests.ratings.twins import Crawler, Seen, Twin, build_twin, write_files

CASES = 20
WORDS = re.compile(
    rb"nnu-?net|ground.?truth|ensemble|simpleitk|itk-?snap|\bfsl\b|canary|"
    rb"Jane Doe",
    re.IGNORECASE,
)

DATA_WORDS = re.compile(
    rb"manual|predict|model|\bfold|\barm\b|\bgt\b|upload|net\b", re.IGNORECASE
)


@pytest.fixture
def twins(coordinator: Client, tmp_path: Path) -> list[Twin]:
    """A study, the same files with their roles exchanged, and with their writers too.

    In the third each arm has the other's voxels but keeps its own software. The
    second alone keeps the files as they were uploaded.
    """
    design = {
        key: value
        for key, value in fill_in(min_distance="5", control_bad="2").items()
        if key not in ("title", "contact", "instructions")
    }
    files = write_files(tmp_path / "one", CASES)
    other = write_files(tmp_path / "other", CASES, turned=True)
    return [
        build_twin(coordinator, files, swapped=False, design=design),
        build_twin(coordinator, files, swapped=True, design=design, keep=True),
        build_twin(coordinator, other, swapped=True, design=design),
    ]


def differ(one: list[Seen], other: list[Seen]) -> list[Seen]:
    return sorted(set(one) ^ set(other))


@pytest.mark.slow
def test_swapping_the_arms_changes_nothing_and_no_canary_is_found(
    twins: list[Twin],
) -> None:
    crawlers = [Crawler(twin.study) for twin in twins]
    one, *others = (crawler.crawl() for crawler in crawlers)
    assert len(one) > 13 * 2 * CASES
    for other in others:
        assert differ(one, other) == []
        assert one == other
    for crawler in crawlers:
        found = {m[0] for text in crawler.text for m in WORDS.finditer(text)}
        assert found == set()
        assert len(crawler.data) > 3 * CASES
        assert not any(DATA_WORDS.search(data) for data in crawler.data)
        assert len(crawler.files) > 4 * CASES
        assert not any(b"CANARY" in data or b"Jane" in data for data in crawler.files)


@pytest.mark.slow
def test_a_site_that_serves_the_original_files_fails_the_same_comparison(
    twins: list[Twin], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison can fail: a naive site is told apart at once."""
    originals = {twin.study.pk: twin.originals for twin in twins}

    def read_original(item: Item) -> bytes:
        study = item.presentation.session.enrolment.study_id
        place = item.presentation.case.label, item.mask.arm.key
        path = originals[study].get(place)
        return path.read_bytes() if path else read(item)

    read = blinding.read_mask
    monkeypatch.setattr(blinding, "read_mask", read_original)
    crawlers = [Crawler(twins[n].study) for n in (0, 2)]
    for crawler in crawlers:
        crawler.crawl_items()
    one, other = (sorted(crawler.seen) for crawler in crawlers)
    assert len(differ(one, other)) > CASES
    assert any(b"CANARY" in data for data in crawlers[0].files)
