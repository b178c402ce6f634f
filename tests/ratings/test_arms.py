"""Masks of two sources never share an arm, whatever their names are."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as some

from ratings import arms, sets
from ratings.models import Arm, Study, Upload
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


@pytest.mark.parametrize("label", ["Manual", "manual ", "SCT", "?"])
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
