"""The words of a design: read, written, and kept as they were when missing."""

from __future__ import annotations

import pytest

from ratings.design import (
    RECOMMENDED,
    Reference,
    StudyDesign,
    describe_design,
    read_design,
    tell,
)


@pytest.mark.parametrize(("count", "said"), [(1, "1 mask "), (2, "2 masks ")])
def test_practice_is_told_by_one_word_and_counted(count: int, said: str) -> None:
    items = tuple(Reference(f"C{n}", "manual", {}) for n in range(count))
    told = dict(tell(StudyDesign(calibration=items)))
    assert told["Practice"].startswith(said)
    assert "Practice" not in dict(tell(StudyDesign()))


def test_a_missing_key_means_what_studies_did_before_it() -> None:
    design = read_design({"mode": "single", "min_distance": 7, "plane": "auto"})
    assert design == StudyDesign(min_distance=7)
    assert (design.repeat_percent, design.guess, design.edit_policy) == (
        0, "off", "final",
    )  # fmt: skip


def test_what_is_written_out_is_read_back() -> None:
    reference = Reference("C001", "manual", {"quality": 4}, "One lesion is missed.")
    design = StudyDesign(
        mode="side_by_side", calibration=(reference,), planes={"C002": "sagittal"}
    )
    assert read_design(describe_design(design)) == design
    assert design.paired
    assert (design.plane_of("C001"), design.plane_of("C002")) == ("auto", "sagittal")


def test_unknown_keys_pass_by() -> None:
    assert read_design({"colour": "red"}) == StudyDesign()


def test_all_that_is_on_is_told_and_nothing_that_is_off() -> None:
    everything = StudyDesign(
        change_reason=True, structured_reasons=True, context=True,
        planes={"C002": "sagittal"},
    )  # fmt: skip
    told = dict(tell(everything))
    assert told["Scores"].endswith(", with a reason for each change")
    assert told["Faults to tick"].startswith("missed lesion, false lesion")
    assert told["Second series"] == "shown beside the image, where a case has one"
    assert told["Planes of single cases"] == "C002 sagittal"
    plain = dict(tell(StudyDesign()))
    assert plain["Scores"] == "A score is final once it is confirmed"
    assert not {"Faults to tick", "Second series", "Planes of single cases"} & {*plain}


def test_a_new_study_asks_the_source_of_a_quarter_and_an_older_one_of_all() -> None:
    assert read_design(RECOMMENDED).guess_percent == 25
    assert read_design({"guess": "end"}).guess_percent == 100


def test_new_studies_start_with_known_words_only() -> None:
    assert set(RECOMMENDED) <= set(StudyDesign.__dataclass_fields__)
