"""Which mask a file name claims, and which it must not be given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratings import filenames, pairing
from ratings.models import Upload
from ratings.pairing import Target


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("sub-07_FLAIR.nii.gz", "sub-07_desc-consensus_mask.nii.gz"),
        ("sub-01_T2w.nii.gz", "sub-01_T2w_lesion-manual.nii.gz"),
        ("case_001_0000.nii.gz", "case_001.nii.gz"),
        ("sub-01_T2w.nii.gz", "nnunet_sub-01_T2w.nii.gz"),
        ("sub-01_acq-sag_T2w.nii.gz", "sub-01_annotator_seg.nii.gz"),
        ("anna_T2w.nii", "anna_seg.nii"),
        ("sub-01_T2.nii.gz", "sub-01_T1_seg.nii.gz"),
    ],
)
def test_a_mask_of_the_same_person_is_found(image: str, mask: str) -> None:
    assert filenames.count_shared_words(image, mask) > 0


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("sub-07_FLAIR.nii.gz", "sub-19_desc-consensus_mask.nii.gz"),
        ("sub-01_ses-01_T2w.nii.gz", "sub-01_ses-02_seg.nii.gz"),
        ("case_001_0000.nii.gz", "case_002.nii.gz"),
        ("anna_T2w.nii", "bert_T2w_seg.nii"),
        ("patient_anna.nii", "patient_bert_seg.nii"),
        ("mask.nii", "mask.nii"),
    ],
)
def test_a_mask_of_somebody_else_is_never_proposed(image: str, mask: str) -> None:
    assert filenames.count_shared_words(image, mask) == 0


@given(number=st.integers(1, 999), other=st.integers(1, 999))
def test_people_are_told_apart_by_their_number(number: int, other: int) -> None:
    shared = filenames.count_shared_words(
        f"sub-{number:03d}_T2w.nii.gz", f"sub-{other:03d}_T2w_seg.nii.gz"
    )
    assert (shared > 0) == (number == other)


def wait(
    name: str, *, shape: tuple[int, ...] = (4, 4, 4), arm: str = "manual"
) -> Upload:
    return Upload(name=name, kind="mask", facts={"shape": list(shape), "arm": arm})


def choose(target: Target, masks: list[Upload]) -> dict[str, str]:
    names = {str(mask.id): mask.name for mask in masks}
    chosen = pairing.choose_masks(target, masks)
    return {arm: names[key] for arm, key in chosen.items()}


TARGET = Target("1", "sub-01_acq-sag_T2w.nii.gz", (4, 4, 4), False, frozenset())


def test_the_name_that_shares_most_wins() -> None:
    masks = [wait(f"sub-01_{end}_seg.nii.gz") for end in ("T1w", "acq-sag_T2w", "x")]
    assert choose(TARGET, masks) == {"manual": "sub-01_acq-sag_T2w_seg.nii.gz"}


@pytest.mark.parametrize(
    ("image", "good", "bad"),
    [
        ("sub-07_FLAIR", "sub-07_desc-consensus_mask", "sub-07_T1_lesion"),
        ("sub-07_T2", "sub-07_desc-consensus_mask", "sub-07_T1_empty_lesion"),
        ("sub-07_FLAIR", "sub-07_T2_FLAIR_seg", "sub-07_T2_seg"),
        ("P1_T1_FLAIR", "P1_T1_MASK", "P1_MASK_T2"),
        # which says of what it is goes first: the other may be of the brain
        ("P1_FLAIR", "P1_T1_lesion", "P1_mask"),
    ],
)
def test_a_mask_that_names_another_contrast_comes_second(
    image: str, good: str, bad: str
) -> None:
    target = Target("1", f"{image}.nii.gz", (4, 4, 4), False, frozenset())
    for masks in ([wait(good), wait(bad)], [wait(bad), wait(good)]):
        assert choose(target, masks) == {"manual": good}


def test_of_two_that_say_what_they_are_of_the_shape_decides() -> None:
    masks = [wait("sub-01_lesion", shape=(5, 5, 5)), wait("sub-01_consensus")]
    assert choose(TARGET, masks) == {"manual": "sub-01_consensus"}
    # but a better name is never passed over for a shape: the misfit is told
    masks = [wait("sub-01_acq-sag_lesion", shape=(5, 5, 5)), wait("sub-01_lesion")]
    assert choose(TARGET, masks) == {"manual": "sub-01_acq-sag_lesion"}
    masks = [wait("sub-01_lesion", shape=(5, 5, 5)), wait("sub-01_mask")]
    assert choose(TARGET, masks) == {"manual": "sub-01_lesion"}


def test_an_empty_mask_comes_second_to_its_equal_alone() -> None:
    empty = wait("sub-01_lesion_a")
    empty.facts["warnings"] = ["empty_mask"]
    assert choose(TARGET, [empty, wait("sub-01_lesion_b")]) == {
        "manual": "sub-01_lesion_b"
    }
    # who has no lesion has an empty mask of them, and a full one of the cord
    assert choose(TARGET, [empty, wait("sub-01_manual")]) == {
        "manual": "sub-01_lesion_a"
    }


def test_of_equal_names_the_one_on_the_image_s_grid_wins() -> None:
    masks = [
        wait("sub-01_a_seg.nii.gz", shape=(5, 5, 5)),
        wait("sub-01_b_seg.nii.gz"),
    ]
    assert choose(TARGET, masks) == {"manual": "sub-01_b_seg.nii.gz"}


def test_every_arm_gets_its_own_mask_and_a_filled_one_none() -> None:
    masks = [wait("sub-01_seg.nii.gz"), wait("sub-01_pred.nii.gz", arm="sct")]
    assert choose(TARGET, masks) == {
        "manual": "sub-01_seg.nii.gz",
        "sct": "sub-01_pred.nii.gz",
    }
    case = Target("2", TARGET.name, TARGET.shape, True, frozenset({"manual"}))
    assert choose(case, masks) == {"sct": "sub-01_pred.nii.gz"}


def test_a_map_goes_to_no_image_while_another_image_s_name_fits_better() -> None:
    names = ("t2.nii.gz", "t2_fake.nii.gz")
    images = [
        Upload(name=name, kind="image", facts={"shape": [4, 4, 4]}) for name in names
    ]
    cord = Upload(name="t2_fake_sc_seg.nii.gz", kind="cord", facts={"shape": [4] * 3})
    plain, fake = pairing.propose_pairs(image_files=images, mask_files=[], maps=[cord])
    assert plain.companions == {}
    assert fake.companions == {"cord": str(cord.id)}


def test_a_map_of_a_person_serves_all_images_that_it_fits_alike() -> None:
    names = ("sub-07_T1w.nii.gz", "sub-07_T2w.nii.gz")
    images = [
        Upload(name=name, kind="image", facts={"shape": [4, 4, 4]}) for name in names
    ]
    cord = Upload(name="sub-07_sc_seg.nii.gz", kind="cord", facts={"shape": [4] * 3})
    pairs = pairing.propose_pairs(image_files=images, mask_files=[], maps=[cord])
    assert [pair.companions for pair in pairs] == [{"cord": str(cord.id)}] * 2
