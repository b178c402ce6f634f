"""Who made a mask: a folder or table says it first, then its sender, then its name."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from ratings import layouts, makers
from ratings.models import Study
from tests.ratings import sets
from tests.ratings.test_import_command import bring_in
from tests.ratings.test_transfers import Sender, make_zip

NET = "nnU-Net 2.5"


def say(*masks: str, images: str = "P1_T2.nii.gz", stated: str = NET) -> dict[str, str]:
    """By the path of each mask who made it."""
    plan = layouts.plan([*images.split(), *masks], lambda path: b"")
    found = makers.name_sources(plan.entries, stated=stated)
    return {one.path: one.arm for one in found if one.path in masks}


@pytest.mark.parametrize("word", ["pred", "auto_seg", "model_mask", "ai_lesion"])
def test_what_is_stated_goes_before_a_word_of_the_name(word: str) -> None:
    mask = f"P1_T2_{word}.nii.gz"
    assert say(mask) == {mask: NET}
    assert say(mask, stated="")[mask] == word.partition("_")[0]


def test_a_folder_goes_before_what_is_stated() -> None:
    net = "net/P1_pred.nii.gz"
    assert say(net, images="imgs/P1_pred.nii.gz") == {net: "net"}
    bids = "derivatives/SCT/sub-01/anat/sub-01_T2w_pred.nii.gz"
    image = "sub-01/anat/sub-01_T2w.nii.gz"
    assert say(bids, images=image) == {bids: "SCT"}
    assert say(bids, images="") == {bids: "SCT"}


def test_a_word_of_a_bids_name_gives_way_as_well() -> None:
    mask = "derivatives/labels/sub-01/anat/sub-01_T2w_desc-nnunet_seg.nii.gz"
    assert say(mask, images="sub-01/anat/sub-01_T2w.nii.gz") == {mask: NET}


@pytest.mark.parametrize("other", ["manual", "consensus_gt", "lesion"])
def test_beside_a_prediction_the_manual_mask_stays_manual(other: str) -> None:
    masks = ("P1_T2_pred.nii.gz", f"P1_T2_{other}.nii.gz")
    assert say(*masks) == dict(zip(masks, (NET, ""), strict=True))


def test_several_predictions_of_one_image_keep_their_own_names() -> None:
    masks = ("P1_T2_nnunet.nii.gz", "P1_T2_unet.nii.gz", "P1_T2_manual.nii.gz")
    assert say(*masks) == dict(zip(masks, ("nnunet", "unet", ""), strict=True))


def test_masks_that_say_nothing_are_as_stated() -> None:
    masks = ("P1_T2_lesion.nii.gz", "P1_T2_consensus.nii.gz")
    assert set(say(*masks).values()) == {NET}


@pytest.mark.django_db
def test_the_page_is_told_the_typed_name_for_names_with_pred(
    study: Study, coordinator: Client
) -> None:
    posted = {"paths": json.dumps(["a_T2_pred.nii.gz"]), "role": "upload", "arm": NET}
    place = reverse("plan", args=[study.pk])
    (file,) = coordinator.post(place, posted).json()["files"]
    assert file["origin"]["arm_label"] == NET
    refused = coordinator.post(place, posted | {"arm": "Manual"})
    assert refused.status_code == 400
    assert "names the manual masks" in refused.json()["detail"]


@pytest.mark.django_db
def test_the_typed_name_holds_in_a_zip_and_in_the_command(
    study: Study,
    coordinator: Client,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mask = tmp_path / "net/a_T2_pred.nii.gz"
    sets.write_mask(mask, 1)
    sender = Sender(coordinator, study)
    data = make_zip(lambda archive: archive.write(mask, mask.name))
    place = sender.begin("preds.zip", len(data), arm_label=NET)["Location"]
    sender.piece(place, 0, data)
    sender.finish(place, hashlib.sha256(data).hexdigest())
    assert sender.client.post(f"{place}/take", {"number": 0}).status_code == 201
    assert study.uploads.get().facts["arm_label"] == NET
    sets.write_image(tmp_path / "net/a_T2.nii.gz", 2)
    assert bring_in(capsys, study, tmp_path / "net", "--arm", NET)[0] == 0
    assert [arm.label for arm in study.arms.all()] == [NET]
