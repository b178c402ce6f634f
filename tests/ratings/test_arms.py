"""Masks of two sources never share an arm, whatever their names are."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as some

from ratings import arms, layouts, sets
from ratings.models import Arm, Study, Upload
from tests.ratings.script import Script
from tests.ratings.test_transfers import Sender, make_zip, sender
from tests.volumes import make_affine, make_lesion, save

__all__ = ["sender"]

pytestmark = pytest.mark.django_db


def add_arm(study: Study, key: str, label: str, kind: str = "upload") -> Arm:
    return Arm.objects.create(study=study, key=key, label=label, kind=kind)


def wait(study: Study, ada: User, name: arms.Name) -> None:
    """A mask of that arm was uploaded and waits for its import."""
    Upload.objects.create(
        study=study, name="a.nii", kind="mask", uploaded_by=ada,
        facts={"arm": name.key, "arm_label": name.label},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("label", "key"),
    [("SCT 6.5", "sct-65"), ("Expert", "expert"), ("", "manual"), ("Manual", "manual")],
)
def test_a_plain_name_gives_a_plain_key(study: Study, label: str, key: str) -> None:
    assert arms.name_uploaded(study, label).key == key


@pytest.mark.parametrize("label", ["模型", "Эксперт", "مدل", "!?"])
def test_a_name_in_another_script_is_never_taken_for_the_manual_masks(
    study: Study, label: str
) -> None:
    name = arms.name_uploaded(study, label)
    assert (name.key.startswith("arm-"), name.label) == (True, label)
    add_arm(study, name.key, label)
    assert arms.name_uploaded(study, label) == name


@given(one=some.text(min_size=1), other=some.text(min_size=1))
def test_a_key_is_short_and_plain_and_the_same_each_time(one: str, other: str) -> None:
    key = arms.make_key(one)
    assert key == arms.make_key(one)
    assert 0 < len(key) <= arms.LONGEST
    assert key.isascii()
    long = arms.add_digest(key, one)
    assert len(long) <= arms.LONGEST
    if one.casefold() != other.casefold():
        assert long != arms.add_digest(key, other)


@pytest.mark.parametrize("imported", [True, False])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("SCT", "SCT+"),
        ("SCT 6.5", "SCT 65"),
        ("x" * 60 + " 2024", "x" * 60 + " 2025"),
        ("模型一", "模型二"),
    ],
)
def test_names_that_differ_give_arms_that_differ(
    study: Study, ada: User, first: str, second: str, imported: bool
) -> None:
    one = arms.name_uploaded(study, first)
    if imported:
        add_arm(study, one.key, one.label)
    else:
        wait(study, ada, one)
    other = arms.name_uploaded(study, second)
    assert other.key != one.key
    assert arms.name_uploaded(study, first.upper()) == one


@pytest.mark.parametrize("kind", ["model", "tool"])
def test_beside_masks_made_here_uploaded_ones_say_so_in_their_label(
    study: Study, kind: str
) -> None:
    add_arm(study, "sct", "SCT", kind)
    with pytest.raises(arms.NameTaken, match="already names other masks"):
        arms.name_uploaded(study, "SCT")
    apart = arms.name_apart(study, "SCT")
    assert apart == arms.Name("sct-uploaded", "SCT (uploaded)")
    assert arms.name_apart(study, apart.label) == apart


@pytest.mark.parametrize("label", ["Control bad", "control: empty"])
def test_no_upload_takes_the_place_of_a_control(study: Study, label: str) -> None:
    assert arms.name_uploaded(study, label).key not in ("control-bad", "control-empty")


LONG = "A network trained on scans of many sites, with five folds and augmentation "
LONG += "of contrast, of "


@pytest.mark.parametrize("label", ["Manual", "manual ", "SCT", "?", LONG + "Basel" * 3])
def test_a_typed_name_that_can_not_be_is_told_before_the_file_is_sent(
    study: Study, sender: Sender, label: str
) -> None:
    add_arm(study, "sct", "SCT", "model")
    refused = sender.begin("a_seg.nii.gz", 10, arm_label=label)
    assert refused.status_code == 400
    assert json.loads(refused.content)["detail"]
    assert not study.transfers.exists()


def test_the_masks_of_a_planned_set_need_no_question(
    study: Study, coordinator: Client
) -> None:
    add_arm(study, "sct", "SCT", "model")
    names = ["imagesTs/a_0000.nii.gz", "labelsTs/a.nii.gz", "SCT/a.nii.gz"]
    plan = coordinator.post(
        reverse("plan", args=[study.pk]), {"paths": json.dumps(names)}
    ).json()
    told = {one["path"]: one["origin"] for one in plan["files"]}
    assert told["SCT/a.nii.gz"]["arm_label"] == "SCT (uploaded)"
    assert told["labelsTs/a.nii.gz"]["arm_label"] == ""
    again = sets.read_origin(told["SCT/a.nii.gz"], study=study)
    assert (again.arm, again.arm_label) == ("sct-uploaded", "SCT (uploaded)")


def test_what_is_said_of_a_zip_holds_for_its_masks(
    study: Study, sender: Sender, tmp_path: Path
) -> None:
    lesion = make_lesion((16, 14, 6), np.random.default_rng(1))
    mask = save(tmp_path / "a_seg.nii.gz", lesion, make_affine((0.6, 0.6, 3.0)))
    data = make_zip(lambda archive: archive.write(mask, mask.name))
    place = sender.begin("preds.zip", len(data), arm_label="SCT 6.5")["Location"]
    sender.piece(place, 0, data)
    sender.finish(place, hashlib.sha256(data).hexdigest())
    assert sender.client.post(f"{place}/take", {"number": 0}).status_code == 201
    facts = study.uploads.get().facts
    assert (facts["arm"], facts["arm_label"]) == ("sct-65", "SCT 6.5")


def test_a_name_too_long_is_refused_everywhere_and_never_cut_to_another(
    study: Study, coordinator: Client, ada: User, tmp_path: Path
) -> None:
    lesion = make_lesion((16, 14, 6), np.random.default_rng(1))
    mask = save(tmp_path / "a_seg.nii.gz", lesion, make_affine((0.6, 0.6, 3.0)))
    script = Script(ada)
    for town in ("Basel", "Geneva"):
        name = f"{LONG.ljust(102, '.')}{town}"
        sent = {"role": "prediction", "arm": name}
        by_script = script.upload(str(study.pk), mask, **sent)
        with mask.open("rb") as file:
            by_page = coordinator.post(
                reverse("uploads", args=[study.pk]), {"file": file, **sent}
            )
        for answer in (by_script, by_page):
            assert answer.status_code == 400
            assert f"{len(name)} characters" in answer.json()["detail"]
        with pytest.raises(CommandError, match="at most 100"):
            call_command("import_cases", str(study.pk), str(tmp_path), arm=name)
    assert not study.uploads.exists()


def test_a_set_with_a_name_too_long_says_of_which_file(study: Study) -> None:
    paths = ["imagesTs/a_0000.nii.gz", f"{'n' * 101}/a.nii.gz", f"{'n' * 100}/a.nii.gz"]
    plan = layouts.plan(paths, lambda path: b"")
    (fault,) = plan.faults
    assert fault.startswith(paths[1])
    assert "101 characters" in fault
    assert {one.path for one in plan.entries} == {paths[0], paths[2]}


def test_uploads_beside_masks_made_here_stay_two_however_long(study: Study) -> None:
    labels = ["n" * 90 + end for end in ("Basel", "Geneva")]
    for place, label in enumerate(labels):
        add_arm(study, f"made-{place}", label, "model")
    named = [arms.name_apart(study, label) for label in labels]
    assert named[0].label != named[1].label
    assert all(len(name.label) <= 100 and len(name.key) <= 40 for name in named)


def test_a_label_that_an_earlier_version_stored_with_a_transfer_is_refused_too(
    study: Study, sender: Sender
) -> None:
    place = sender.begin("a_seg.nii.gz", 3, arm_label="Short")["Location"]
    study.transfers.update(origin={"arm_label": "n" * 102})
    sender.piece(place, 0, b"abc")
    answer = sender.finish(place, hashlib.sha256(b"abc").hexdigest())
    assert (answer.status_code, b"102 characters" in answer.content) == (400, True)
