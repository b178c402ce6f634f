"""A study of hardly any degrees of freedom: no file writes 150 digits."""

from __future__ import annotations

import re
from functools import cache

from ratings import exporting, writing
from ratings.statistics.result import tell_excess
from ratings.templatetags.numbers import excess
from tests.ratings import golden, vast
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


def test_an_interval_beyond_the_scale_says_what_it_is_worth() -> None:
    (one,) = vast.analysis().comparisons
    answer = "wider than all that is possible (−4 to 4), so these scores cannot tell"
    assert answer in vast.analysis().sentence
    assert "which differences remain possible" not in vast.analysis().sentence
    captions = {f.name: f.caption for f in report()[0].figures}
    assert (
        "wider than all that is possible (−1 to 1)"
        in (captions["preference_per_rater"])
    )
    assert one.net_preference.ci is not None, "nothing is clipped in silence"
    assert one.net_preference.ci[1] > 1


def test_one_end_beyond_the_scale_is_said_and_a_sound_interval_is_left_alone() -> None:
    assert tell_excess((-4.2, 1.0), low=-4, high=4) == (
        "The interval goes beyond what is possible (−4 to 4); read it up to there."
    )
    assert tell_excess((-4.0, 3.9), low=-4, high=4) == ""
    assert tell_excess((-4.0, 4.0), low=-4, high=4) == ""
    assert tell_excess(None, low=-4, high=4) == ""
    sound = golden.analysis("paper_8x40")
    assert "possible" not in " ".join((sound.sentence, *sound.sentences))


def test_the_page_says_it_beside_the_number() -> None:
    result = {"ci": [-5.88, 4.31]}
    assert "cannot tell" in excess(result, [1, 2, 3, 4, 5])
    assert excess({"ci": [-0.2, 0.3]}, [1, 2, 3, 4, 5]) == ""
    assert excess({"ci": None}, [1, 5]) == excess(None, [1, 5]) == ""
