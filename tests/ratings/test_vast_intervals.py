"""A study of hardly any degrees of freedom: no file writes 150 digits."""

from __future__ import annotations

import re
from functools import cache

from ratings import exporting, writing
from tests.ratings import vast
from tests.ratings.lettering import read_along

LONG = re.compile(r"\d{11,}")


@cache
def report() -> tuple[exporting.Report, tuple[str, ...]]:
    with read_along() as faults:
        made = exporting.make_report(table=vast.table(), analysis=vast.analysis())
    return made, tuple(faults)


def test_the_intervals_of_this_study_are_indeed_vast() -> None:
    (one,) = vast.analysis().comparisons
    for result in (one.difference.both, one.net_preference):
        assert result.ci is not None
        assert result.ci[1] > 10**100


def test_no_sentence_or_caption_writes_more_digits_than_can_be_read() -> None:
    made, _ = report()
    texts = [figure.caption for figure in made.figures]
    texts.append(writing.methods([vast.analysis()], version="1", moved=False))
    texts.append(writing.grras([vast.analysis()], moved=False))
    files = exporting.report_files(
        reports=[made], facts=exporting.StudyFacts(title="Vast")
    )
    readme = files["README.txt"].decode()
    texts.append(readme.replace(vast.analysis().data_sha256, ""))
    assert [text for text in texts if LONG.search(text)] == []
    assert any("× 10¹⁵²" in text for text in texts)


def test_every_word_of_its_figures_has_room() -> None:
    assert report()[1] == ()
