"""An import takes what it checked, or says what is gone; it leaves no file over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import TestCase

from ratings import committing, files, images, importing, removal, vetting
from ratings.importing import ImportRefused, Origin
from ratings.models import Arm, Case, Study, Upload
from ratings.pairing import Pair
from tests.volumes import make_affine, make_image, make_lesion, save

pytestmark = pytest.mark.any_database

SHAPE = (16, 14, 6)
Send = Callable[..., Upload]
Meanwhile = Callable[[Callable[[], object]], None]


@pytest.fixture
def send(study: Study, ada: User, tmp_path: Path) -> Send:
    """An image, or a file of another role."""
    rng = np.random.default_rng(5)

    def send(name: str, role: str = "image", arm: str = "manual") -> Upload:
        made = make_image(SHAPE, rng) if role == "image" else make_lesion(SHAPE, rng)
        path = save(tmp_path / "sent.nii.gz", made, make_affine((0.6, 0.6, 3.0)))
        return importing.receive(
            study=study, user=ada, name=name, chunks=[path.read_bytes()],
            origin=Origin(role=role, arm=arm, arm_label=arm),
        )  # fmt: skip

    return send


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """A colleague acts when an import has checked its files and not yet begun."""

    def act_after_check(act: Callable[[], object]) -> None:
        check = vetting.check_pairs

        def check_and_act(**given: Any) -> Any:
            judged = check(**given)
            monkeypatch.setattr(committing, "check_pairs", check)
            act()
            return judged

        monkeypatch.setattr(committing, "check_pairs", check_and_act)

    return act_after_check


def bring_in(study: Study, *pairs: Pair) -> list[Case]:
    with TestCase.captureOnCommitCallbacks(execute=True):
        outcome = committing.commit_pairs(
            study=study, user=study.created_by, pairs=list(pairs)
        )
    return list(outcome.cases)


def key(one: Upload | Case) -> str:
    return str(one.pk)


def list_files() -> list[Path]:
    return [path for path in files.locate("").rglob("*") if path.is_file()]


def test_what_a_colleague_imported_meanwhile_becomes_no_second_case(
    study: Study, send: Send, meanwhile: Meanwhile
) -> None:
    pair = Pair(key(send("a_T2w.nii.gz")), {"manual": key(send("a_seg.nii", "mask"))})
    meanwhile(lambda: bring_in(study, pair))
    with pytest.raises(ImportRefused, match="no longer here; reload the page"):
        bring_in(study, pair)
    case = study.cases.get()
    kept = images.decode_image(files.locate(case.image_path).read_bytes())
    assert kept.grid.shape == SHAPE
    assert len(list_files()) == 2


def test_whoever_chooses_among_the_cases_of_before_is_told(
    study: Study, send: Send
) -> None:
    before = Study.objects.get(pk=study.pk).cases_revision
    bring_in(study, Pair(key(send("a_T2w.nii.gz"))))
    assert Study.objects.get(pk=study.pk).cases_revision == before + 1


def test_what_a_colleague_removed_meanwhile_is_not_imported(
    study: Study, send: Send, meanwhile: Meanwhile
) -> None:
    image = send("a_T2w.nii.gz")
    meanwhile(lambda: importing.discard(study=study, ids={key(image)}))
    with pytest.raises(ImportRefused, match="no longer here"):
        bring_in(study, Pair(key(image)))
    assert not study.cases.exists()


def test_a_list_cleared_after_an_import_takes_no_image_from_its_case(
    study: Study, send: Send
) -> None:
    image = send("a_T2w.nii.gz")
    [case] = bring_in(study, Pair(key(image)))
    with TestCase.captureOnCommitCallbacks(execute=True):
        importing.discard(study=study, ids={key(image)})
    assert files.locate(case.image_path).exists()


def test_a_case_removed_meanwhile_gets_no_masks(
    study: Study, ada: User, send: Send, meanwhile: Meanwhile
) -> None:
    [case] = bring_in(study, Pair(key(send("a_T2w.nii.gz"))))
    mask = send("a_seg.nii.gz", "mask")
    meanwhile(lambda: removal.remove_cases(study=study, actor=ada, ids=[case.pk]))
    with pytest.raises(ImportRefused, match="no longer here"):
        bring_in(study, Pair("", {"manual": key(mask)}, case=key(case)))
    assert study.uploads.get() == mask


def test_a_case_that_got_a_mask_meanwhile_gets_no_second_one(
    study: Study, send: Send, meanwhile: Meanwhile
) -> None:
    [case] = bring_in(study, Pair(key(send("a_T2w.nii.gz"))))
    one, other = (
        Pair("", {"manual": key(send(f"a{n}_seg.nii.gz", "mask"))}, case=key(case))
        for n in range(2)
    )
    meanwhile(lambda: bring_in(study, one))
    with pytest.raises(ImportRefused, match="already has a mask"):
        bring_in(study, other)
    assert case.masks.get().source_name == "a0_seg.nii.gz"


def test_a_file_removed_while_it_is_checked_is_a_sentence(
    study: Study, send: Send
) -> None:
    image, mask = send("a_T2w.nii.gz"), send("a_seg.nii.gz", "mask")
    files.remove(mask.path)
    with pytest.raises(ImportRefused, match="mask of the list is no longer here"):
        bring_in(study, Pair(key(image), {"manual": key(mask)}))


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"image": "mask"}, "m_seg.nii is a mask, not an image"),
        ({"image": "image", "masks": {"manual": "image"}}, "is no mask of the arm"),
        ({"image": "image", "masks": {"manual": "cord"}}, "is no mask of the arm"),
        ({"image": "image", "masks": {"sct": "mask"}}, "no mask of the arm “sct”"),
        ({"image": "image", "companions": {"mask": "mask"}}, "no map of the kind"),
        ({"image": "image", "companions": {"soft": "cord"}}, "no map of the kind"),
        ({"image": "image", "companions": {"cord": "none"}}, "map of the list"),
        ({"image": "image", "masks": {"manual": "none"}}, "mask of the list"),
        ({"image": "none"}, "A row of the list"),
        ({"case": "none"}, "A row of the list"),
        ({"case": "image"}, "A row of the list"),
        ({"image": "image", "case": "case"}, "an image and a case. Give one"),
        ({}, "A row of the list"),
    ],
)
def test_a_row_takes_a_file_only_as_what_it_is(
    study: Study, send: Send, row: dict[str, Any], sentence: str
) -> None:
    [case] = bring_in(study, Pair(key(send("z_T2w.nii.gz"))))
    sent = {
        "image": send("i_T2w.nii"), "mask": send("m_seg.nii", "mask"),
        "cord": send("c_cord.nii", "cord"),
    }  # fmt: skip
    ids = {name: key(one) for name, one in sent.items()}
    ids |= {"case": key(case), "none": key(case)[::-1]}
    pair = Pair(
        ids.get(row.get("image", ""), ""), case=ids.get(row.get("case", ""), ""),
        masks={k: ids[v] for k, v in row.get("masks", {}).items()},
        companions={k: ids[v] for k, v in row.get("companions", {}).items()},
    )  # fmt: skip
    before = sorted(list_files())
    with pytest.raises(ImportRefused, match=sentence):
        bring_in(study, pair)
    assert sorted(list_files()) == before
    assert (study.cases.count(), study.uploads.count()) == (1, 3)


def test_an_import_that_fails_half_way_leaves_no_file_over(
    study: Study, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [
        Pair(
            key(send(f"{name}_T2w.nii")),
            {"manual": key(send(f"{name}_seg.nii", "mask"))},
            companions={"cord": key(send(f"{name}_cord.nii", "cord"))},
        )
        for name in "ab"
    ]
    before = sorted(list_files())

    def break_down(**_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(committing, "record_import", break_down)
    with pytest.raises(OSError, match="no space"):
        bring_in(study, *pairs)
    assert sorted(list_files()) == before
    assert not study.cases.exists()
    monkeypatch.undo()
    assert len(bring_in(study, *pairs)) == 2


def test_a_map_that_an_import_replaces_leaves_with_its_bytes(
    study: Study, send: Send
) -> None:
    first, second = (send(f"a{n}_cord.nii", "cord") for n in range(2))
    [case] = bring_in(
        study, Pair(key(send("a_T2w.nii")), companions={"cord": key(first)})
    )
    old = case.companions.get().path
    bring_in(study, Pair("", case=key(case), companions={"cord": key(second)}))
    assert case.companions.get().path != old
    assert not files.locate(old).exists()


def test_uploads_never_land_among_masks_predicted_here_since(
    study: Study, send: Send
) -> None:
    image = send("a_T2w.nii")
    mask = send("a_seg.nii", "mask", arm="sct")
    Arm.objects.create(study=study, key="sct", label="SCT", kind=Arm.Kind.TOOL)
    with pytest.raises(ImportRefused, match="predicted here since the upload"):
        bring_in(study, Pair(key(image), {"sct": key(mask)}))
