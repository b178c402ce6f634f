"""Files of the same name in several folders are told apart in what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ratings import importing, namesakes
from ratings.models import Study, Upload
from tests.volumes import make_affine, make_image, make_lesion, save

SHAPE = (16, 14, 6)
MASK = "sub-05_T2w_mask.nii.gz"
Take = Callable[..., Upload]


@pytest.fixture
def take(study: Study, ada: User, tmp_path: Path) -> Take:
    """Receive a file as a set's plan says what it is; a mask may be scaled."""

    def take(
        name: str, *, arm: str = "", subject: str = "", scale: float = 1
    ) -> Upload:
        rng = np.random.default_rng(5)
        voxels = make_lesion(SHAPE, rng) * scale if arm else make_image(SHAPE, rng)
        path = save(tmp_path / "made.nii.gz", voxels, make_affine((0.6, 0.6, 3.0)))
        origin = importing.Origin(
            role="mask" if arm else "image", arm=arm.lower(), arm_label=arm,
            subject=subject,
        )  # fmt: skip
        return importing.receive(
            study=study, user=ada, name=name, chunks=[path.read_bytes()], origin=origin
        )

    return take


def show(client: Client, study: Study) -> str:
    return client.get(reverse("cases", args=[study.pk])).text


def test_a_refused_mask_says_its_source_where_the_name_stands_twice(
    coordinator: Client, study: Study, take: Take
) -> None:
    take(MASK, arm="labels")
    take(MASK, arm="deepseg", scale=0.4)
    page = show(coordinator, study)
    assert f"{MASK} (deepseg): the label of the mask is 0.4" in page


def test_a_name_that_stands_once_is_told_bare(
    coordinator: Client, study: Study, take: Take
) -> None:
    take(MASK, arm="deepseg", scale=0.4)
    assert f"{MASK}: the label of the mask is 0.4" in show(coordinator, study)


def test_one_name_of_two_persons_is_told_with_the_person(
    coordinator: Client, study: Study, take: Take
) -> None:
    take("mask.nii.gz", arm="Manual", subject="P1")
    take("mask.nii.gz", arm="Manual", subject="P2", scale=0.4)
    assert "mask.nii.gz (P2, Manual): the label" in show(coordinator, study)


def test_the_faulty_row_is_marked_and_says_which_mask_it_is(
    coordinator: Client, study: Study, take: Take
) -> None:
    good, bad = take("a_T2w.nii.gz"), take("b_T2w.nii.gz")
    masks = [take("mask.nii.gz", arm=arm) for arm in ("One", "Two")]
    form = {
        "image": [str(good.pk), str(bad.pk)],
        f"mask:{good.pk}:one": str(masks[0].pk),
        f"mask:{bad.pk}:one": str(masks[1].pk),
    }
    answer = coordinator.post(reverse("cases-import", args=[study.pk]), form)
    assert answer.status_code == 422
    sentence = "mask.nii.gz (Two) is no mask of the arm “one”."
    assert f"<li>{sentence}</li>" in answer.text
    rows = re.findall(r"<tr data-shape=.*?</tr>", answer.text, re.S)
    assert [("row-fault" in row, sentence in row) for row in rows] == [
        (False, False), (True, True),
    ]  # fmt: skip
    assert "row-fault" not in show(coordinator, study)


def test_a_mask_called_as_its_image_is_told_bare_unless_it_was_refused(
    study: Study, take: Take
) -> None:
    image, mask = take("cord_7.nii.gz"), take("cord_7.nii.gz", arm="Manual")
    told = namesakes.tell_apart([image, mask])
    assert set(told.values()) == {"cord_7.nii.gz"}
    bad = take("cord_8.nii.gz", arm="Manual", scale=0.4)
    told = namesakes.tell_apart([take("cord_8.nii.gz"), bad])
    assert told[str(bad.pk)] == "cord_8.nii.gz (Manual)"
