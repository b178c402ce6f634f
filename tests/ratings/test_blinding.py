"""What a rater's browser receives says nothing of where a mask came from."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client

from ratings import blinding, drawing, importing, invitations, protocol
from ratings.blinding import StillBlind
from ratings.models import Enrolment, Item, Session, Study
from tests.ratings.conftest import PLAIN, AddCases, end_collecting, sign_in
from tests.volumes import make_affine, make_image, make_lesion, save

WORDS = re.compile(
    rb"manual|predict|ground.?truth|nnu?-?net|\bfold|ensemble|\barm\b|upload|CANARY",
    re.IGNORECASE,
)
RANDOM = re.compile(
    rb"[A-Za-z0-9_-]{43}|csrftoken=[^;\"]+|sessionid=[^;\"]+|'X-Request-ID', '\w+'"
)


def fetch_first(client: Client, session: Session) -> dict[str, bytes]:
    """Headers and body of everything that is served for the first item."""
    answers = {"session": client.get(f"/api/rate/{session.key}/")}
    answers["next"] = client.get(f"/api/rate/{session.key}/next")
    token = answers["next"].json()["current"]["items"][0]["token"]
    for part in ("image", "mask"):
        answers[part] = client.get(f"/api/items/{token}/{part}")
    assert all(answer.status_code == 200 for answer in answers.values())
    return {
        name: repr(sorted(answer.headers.items())).encode() + answer.content
        for name, answer in answers.items()
    }


def test_no_word_of_a_source_is_served(rater: Client, session: Session) -> None:
    for name, content in fetch_first(rater, session).items():
        assert not WORDS.search(RANDOM.sub(b"", content)), name


def test_masks_are_served_with_the_same_headers_whatever_they_hold(
    rater: Client, session: Session
) -> None:
    place = rater.get(f"/api/rate/{session.key}/next").json()
    tokens = [place[when]["items"][0]["token"] for when in ("current", "ahead")]
    masks = [rater.get(f"/api/items/{token}/mask") for token in tokens]
    assert masks[0].content != masks[1].content
    for mask in masks:
        del mask.headers["X-Request-ID"]
    assert dict(masks[0].headers) == dict(masks[1].headers)
    assert masks[0].headers["Cache-Control"] == "no-store"
    for header in ("ETag", "Last-Modified", "Content-Encoding", "Content-Disposition"):
        assert header not in masks[0].headers


def test_compression_is_not_negotiated(rater: Client, session: Session) -> None:
    token = rater.get(f"/api/rate/{session.key}/next").json()["current"]["items"][0]
    mask = rater.get(token["mask"], headers={"accept-encoding": "gzip, br, zstd"})
    assert "Content-Encoding" not in mask.headers
    assert len(mask.content) == int(mask.headers["Content-Length"])


def build_study(ada: User, folder: Path, *, swapped: bool) -> Study:
    """The same files, with the roles of the two arms exchanged or not."""
    study = Study.objects.create(
        title="Twin", created_by=ada, seed="5" * 64, design=dict(PLAIN)
    )
    Enrolment.objects.create(study=study, user=ada, role=Enrolment.Role.COORDINATOR)
    affine, shape = make_affine((0.6, 0.6, 3.0)), (20, 18, 6)
    for n in range(8):
        rng = np.random.default_rng(n)
        path = save(folder / "i.nii.gz", make_image(shape, rng), affine)
        case = importing.add_image(
            study=study, path=path, name=f"CANARY_{n}", strata={}
        )
        for key in ("model", "manual") if swapped else ("manual", "model"):
            lesion = make_lesion(shape, rng)
            name = f"CANARY_{key}.nii.gz"
            descrip = b"CANARY " + key.encode()
            path = save(folder / name, lesion, affine, descrip=descrip)
            arm = importing.ensure_arm(study=study, key=key)
            importing.add_mask(case=case, arm=arm, path=path, name=name)
    return study


def crawl(study: Study, ada: User) -> list[bytes]:
    """Lock and open the study, fetch all items as its rater; random parts masked."""
    invitations.add_rater(study=study, actor=ada, name="Eve", email="eve@example.org")
    protocol.lock(study=study, actor=ada)
    protocol.open_study(study=study, actor=ada)
    session = Session.objects.get(enrolment__study=study)
    client = sign_in(User.objects.get(username="eve@example.org"))
    served = []
    shown = Item.objects.filter(presentation__session=session)
    for item in shown.order_by("presentation__position"):
        place = client.get(f"/api/rate/{session.key}/next")
        bodies = [place, *(client.get(f"/api/items/{item.token}/{part}")
                           for part in ("image", "mask"))]  # fmt: skip
        served += [
            RANDOM.sub(b"*", repr(sorted(b.headers.items())).encode() + b.content)
            for b in bodies
        ]
        client.put(
            f"/api/items/{item.token}/scores",
            {
                "client_key": f"00000000-0000-4000-8000-{item.pk:012d}",
                "answers": {"quality": {"value": 3}},
            },
            "application/json",
        )
    return sorted(served)


def test_swapping_the_arms_changes_nothing_that_is_served(
    ada: User, tmp_path: Path
) -> None:
    served = [
        crawl(build_study(ada, tmp_path, swapped=swapped), ada)
        for swapped in (False, True)
    ]
    assert len(served[0]) == 48
    assert served[0] == served[1]
    assert not any(b"CANARY" in content for content in served[0])


def test_images_carry_no_text_of_their_files(rater: Client, session: Session) -> None:
    place = rater.get(f"/api/rate/{session.key}/next").json()["current"]
    plain = gzip.decompress(rater.get(place["items"][0]["image"]).content)
    assert plain[4:40] == bytes(36)
    assert plain[148:252] == bytes(104)
    assert plain[328:344] == bytes(16)


def test_tokens_are_long_random_and_never_shared(open_study: Study) -> None:
    items = Item.objects.filter(presentation__session__enrolment__study=open_study)
    tokens = list(items.values_list("token", flat=True))
    assert len(set(tokens)) == len(tokens) == 24
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)


@pytest.mark.parametrize("step", ["collecting", "closed"])
def test_scores_stay_apart_from_arms_until_unblinding(
    open_study: Study, ada: User, step: str
) -> None:
    if step == "closed":
        end_collecting(open_study, ada)
    with pytest.raises(StillBlind, match="only after unblinding"):
        blinding.unseal(open_study)


def test_unblinding_joins_every_score_to_its_arm(
    rater: Client, session: Session, open_study: Study, ada: User
) -> None:
    item = Item.objects.get(presentation__session=session, presentation__position=1)
    data = {
        "client_key": "00000000-0000-4000-8000-000000000001",
        "answers": {"quality": {"value": 5}},
        "active_ms": 4200,
    }
    rater.put(f"/api/items/{item.token}/scores", data, "application/json")
    end_collecting(open_study, ada)
    protocol.unblind(study=open_study, actor=ada, typed_title=open_study.title)
    (score,) = blinding.unseal(open_study)
    assert (score.arm, score.value) == (item.mask.arm.key, 5)
    assert (score.case, score.seconds) == (item.presentation.case.label, 4.2)
    assert score.strata == {"contrast": "T2w"}


def test_a_study_with_unlocked_content_commits_to_the_drawn_order(
    study: Study, ada: User, add_cases: AddCases
) -> None:
    add_cases(3)
    invitations.add_rater(study=study, actor=ada, name="a", email="a@example.org")
    protocol.lock(study=study, actor=ada)
    entry = study.audit.get(verb="locked")
    assert entry.payload["protocol"] == study.protocol_sha256
    assert entry.payload["commitment"] == commit(study)
    study.seed = "0" * 64
    assert entry.payload["commitment"] != commit(study)


def commit(study: Study) -> str:
    return drawing.commit_to(
        seed=study.seed,
        protocol_sha256=study.protocol_sha256,
        placements=protocol.draw(study).placements,
    )
