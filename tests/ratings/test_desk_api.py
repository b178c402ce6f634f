"""The coordinators' API: as the pages do, by token, blind, and as it is described."""

from __future__ import annotations

import re
from datetime import timedelta
from hashlib import sha256
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, cast
from uuid import uuid4
from zipfile import ZipFile

import numpy as np
import pytest
import requests
import schemathesis
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as bounds

from ratings import audit, obstacles, protocol
from ratings.desk import tokens
from ratings.models import AccessEntry, AccessToken, Case, Item, Score, Study
from tests.processes import ROOT
from tests.ratings.conftest import AddCases, end_collecting, make_user, sign_in
from tests.ratings.script import PASSWORD, Script
from tests.ratings.test_results import run, score_all
from tests.volumes import make_affine, make_image, make_lesion, save

REQUEST = ("method", "url", "params", "headers", "data", "json", "files", "cookies")


def write_pair(folder: Path, n: int) -> tuple[Path, Path]:
    rng = np.random.default_rng(n)
    affine, shape = make_affine((0.6, 0.6, 3.0)), (24, 20, 8)
    image = save(folder / f"sub-{n}_T2w.nii.gz", make_image(shape, rng), affine)
    mask = save(folder / f"sub-{n}_T2w_mask.nii.gz", make_lesion(shape, rng), affine)
    return image, mask


def test_a_script_confirms_a_name_that_looks_personal(
    script: Script, study: Study, tmp_path: Path
) -> None:
    image, _ = write_pair(tmp_path, 1)
    named = image.rename(tmp_path / "Smith_Anna_T2w.nii.gz")
    answer = script.upload(str(study.pk), named)
    assert answer.json()["verdict"]["code"] == "personal_name"
    call = f"studies/{study.pk}/import"
    refused = script.post(call, {})
    assert refused.status_code == 422
    assert "Confirm that it does not" in refused.json()["detail"]
    assert script.post(call, {"names_confirmed": False}).status_code == 422
    assert study.cases.count() == 0
    made = script.post(call, {"names_confirmed": True})
    assert (made.status_code, len(made.json()["cases"])) == (201, 1)
    assert study.audit.get(verb="confirm_names").payload == {"files": 1}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("patch", "", r'{"instructions": "\ud800"}'),
        ("post", "/import", r'{"pairs": [{"masks": {"\udfff": "x"}}]}'),
    ],
)
def test_half_a_character_is_a_sentence(
    script: Script, study: Study, method: str, path: str, body: str
) -> None:
    answer = getattr(script.client, method)(
        f"/api/studies/{study.pk}{path}", body,
        content_type="application/json", headers=script.headers,
    )  # fmt: skip
    assert answer.status_code == 400
    assert "half a character" in answer.json()["detail"]


def test_a_link_made_by_a_script_is_on_record_and_never_for_somebody_erased(
    script: Script, study: Study
) -> None:
    body = {"name": "Rhea", "email": "rhea@example.org"}
    rater = script.post(f"studies/{study.pk}/raters", body).json()["rater"]
    call = f"studies/{study.pk}/raters/{rater}/invitation"
    assert script.post(call).status_code == 201
    assert AccessEntry.objects.filter(verb="invite").count() == 2
    person = User.objects.filter(email="rhea@example.org")
    kept, erased = {"is_active": False}, {"is_active": False, "email": ""}
    for state, word in ((kept, "switched off"), (erased, "was erased")):
        person.update(**state)
        refused = script.post(call)
        assert (refused.status_code, word in refused.json()["detail"]) == (409, True)


def test_a_script_brings_a_study_to_its_lock(script: Script, tmp_path: Path) -> None:
    made = script.post("studies", {"title": "By script", "contact": ""})
    assert made.status_code == 201
    study = made.json()["id"]
    for n in range(3):
        for path in write_pair(tmp_path, n):
            taken = script.upload(study, path)
            assert taken.status_code == 201, taken.content
    assert script.get(f"studies/{study}/uploads").json()["count"] == 6
    imported = script.post(f"studies/{study}/import")
    assert imported.status_code == 201, imported.content
    assert [case["masks"] for case in imported.json()["cases"]] == [["manual"]] * 3
    changed = script.send(
        "patch", f"studies/{study}", {"repeat_percent": 10, "further": ["And now?"]}
    )
    assert changed.json()["design"]["repeat_percent"] == 10
    assert len(changed.json()["questions"]) == 2
    late = script.send("patch", f"studies/{study}", {"title": "Late", "revision": 0})
    assert (late.status_code, "another window" in late.json()["detail"]) == (409, True)
    rater = script.post(
        f"studies/{study}/raters", {"name": "Rhea", "email": "rhea@example.org"}
    )
    assert rater.status_code == 201
    assert Client().get(rater.json()["link"].partition("8000")[2]).status_code == 200
    assert script.get(f"studies/{study}").json()["obstacles"] == [obstacles.UNSTATED]
    signed = {"typed_title": "By script", "password": PASSWORD, "open_now": True}
    mute = script.post(f"studies/{study}/lock", signed)
    assert (mute.status_code, "faces" in mute.json()["detail"]) == (409, True)
    wrong = script.post(f"studies/{study}/lock", {**signed, "faces": "perhaps"})
    assert (wrong.status_code, list(wrong.json()["errors"])) == (400, ["faces"])
    locked = script.post(f"studies/{study}/lock", {**signed, "faces": "none"})
    assert (locked.status_code, locked.json()["state"]) == (200, "collecting")
    fixed = script.send("patch", f"studies/{study}", {"title": "Other"})
    assert (fixed.status_code, "locked" in fixed.json()["detail"]) == (409, True)


def test_the_same_guards_stand_before_the_same_steps(
    script: Script, open_study: Study, ada: User
) -> None:
    one = f"studies/{open_study.pk}"
    body = {"title": open_study.title, "reason": "Over.", "password": PASSWORD}
    assert script.post(f"{one}/unblind", body).status_code == 409
    gaps = script.post(f"{one}/close", {"title": open_study.title})
    assert gaps.status_code == 400
    assert set(gaps.json()["errors"]["dispositions"]) == {"R01", "R02"}
    why = {"R01": "Ill.", "R02": "Ill."}
    strange = {"title": open_study.title, "dispositions": {**why, "R999": "Ill."}}
    refused = script.post(f"{one}/close", strange)
    (said,) = refused.json()["errors"]["dispositions"].pop("R999")
    assert said == "No rater of this code lacks scores. Who does: R01, R02."
    assert "why_" not in gaps.text + refused.text
    wrong = script.post(f"{one}/close", {"title": "Other", "dispositions": why})
    assert wrong.status_code == 400
    closed = script.post(
        f"{one}/close", {"title": open_study.title, "dispositions": why}
    )
    assert closed.json()["state"] == "closed"
    assert script.post(f"{one}/unblind", body | {"password": "x"}).status_code == 400
    assert Study.objects.get().state == "closed"
    assert script.post(f"{one}/unblind", body).json()["state"] == "unblinded"
    assert open_study.audit.get(verb="unblinded").actor == audit.name_of(ada)


def test_nothing_says_a_score_or_its_arm_before_unblinding(
    script: Script, open_study: Study
) -> None:
    score_all(open_study)
    one = f"studies/{open_study.pk}"
    for part in ("results", "export"):
        answer = script.get(f"{one}/{part}")
        assert (answer.status_code, "sealed" in answer.json()["detail"]) == (423, True)
    tokens_of_items = set(Item.objects.values_list("token", flat=True))
    for part in ("", "/cases", "/progress", "/jobs", "/raters", "/predictions"):
        text = script.get(one + part).content.decode()
        assert '"value"' not in text.replace(str(open_study.scale), "") or part == ""
        assert not any(token in text for token in tokens_of_items)
    (first, *_) = script.get(f"{one}/progress").json()["results"]
    assert first["done"] == first["total"]
    assert not {"mean", "scores", "arm"} & set(first)


def test_results_come_after_unblinding(
    script: Script, open_study: Study, ada: User
) -> None:
    score_all(open_study)
    end_collecting(open_study, ada)
    protocol.unblind(study=open_study, actor=ada, typed_title=open_study.title)
    one = f"studies/{open_study.pk}"
    assert script.get(f"{one}/export").status_code == 409
    waiting = script.get(f"{one}/results")
    assert (waiting.status_code, waiting.json()["status"]) == (202, "queued")
    assert script.get(f"{one}/jobs/{waiting.json()['id']}").status_code == 200
    run(open_study)
    (told,) = script.get(f"{one}/results").json()["questions"]
    assert told["analysis"]["comparisons"]
    export = script.get(f"{one}/export")
    assert export.content[:2] == b"PK"
    figures = f"{one}/results/{told['run']}"
    assert script.get(f"{figures}/violin_overall.csv").status_code == 200
    verbs = list(AccessEntry.objects.values_list("verb", flat=True))
    assert verbs == [
        "make_token",
        "use_token",
        "read_results",
        "export",
        "read_results",
    ]


def test_lists_come_in_pages(script: Script, study: Study, add_cases: AddCases) -> None:
    add_cases(3)
    first = script.get(f"studies/{study.pk}/cases", size=2).json()
    assert (first["count"], len(first["results"]), first["previous"]) == (3, 2, None)
    rest = script.client.get(first["next"], headers=script.headers).json()
    labels = [case["label"] for case in first["results"] + rest["results"]]
    assert labels == sorted(Case.objects.values_list("label", flat=True))
    assert script.get(f"studies/{study.pk}/cases", page=9).status_code == 404


def test_a_refusal_is_a_problem_in_words(script: Script, study: Study) -> None:
    answer = script.post("studies", {"title": ""})
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "title": "Not valid",
        "detail": "title: Give the study a name.",
        "status": 400,
        "errors": {"title": ["Give the study a name."]},
    }
    odd = script.post(f"studies/{study.pk}/raters", {"name": {"a": 1}})
    assert (odd.status_code, set(odd.json()["errors"])) == (400, {"name"})
    assert script.post("studies", [1]).status_code == 400


def test_a_refused_file_says_which_rule(
    script: Script, study: Study, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.nii.gz"
    bad.write_bytes(b"not a volume")
    answer = script.upload(str(study.pk), bad)
    assert answer.status_code == 422
    assert "bad.nii.gz" in answer.json()["detail"]


def test_a_script_draws_cases_and_draws_again_with_a_reason(
    script: Script, study: Study, add_cases: AddCases
) -> None:
    add_cases(4)
    one = f"studies/{study.pk}"
    rule = {"mode": "proportional", "size": 2, "by": [], "exclude": ["all_empty"]}
    drawn = script.post(f"{one}/draw", {**rule, "revision": 0})
    assert (drawn.status_code, len(drawn.json()["chosen"])) == (201, 2), drawn.content
    assert {case["reason"] for case in drawn.json()["left_out"]} == {"not drawn"}
    now = drawn.json()["revision"]
    mute = script.post(f"{one}/draw", {**rule, "revision": now})
    assert (mute.status_code, "drawn again" in mute.json()["detail"]) == (409, True)
    targets = {"mode": "targets", "targets": {"all": 3}, "reason": "Too few."}
    again = script.post(f"{one}/draw", {**targets, "revision": now}).json()
    assert (again["draws"], len(again["chosen"])) == (2, 3)
    (left,) = again["left_out"]
    whole = script.post(
        f"{one}/take-in", {"cases": [left["id"]], "revision": again["revision"]}
    ).json()
    assert len(whole["chosen"]) == 4
    stale = script.post(
        f"{one}/leave-out", {"cases": [left["id"]], "reason": "No.", "revision": now}
    )
    assert stale.status_code == 409
    assert script.get(f"{one}/choice").json() == whole


def test_a_script_amends_the_words_and_invites_after_the_lock(
    script: Script, open_study: Study, ada: User
) -> None:
    one = f"studies/{open_study.pk}"
    last = script.get(f"{one}/amendments").json()
    assert (last["number"], last["amendments"]) == (1, [])
    body = {"notes": "A week more.", "reason": "Illness.", "after": 1}
    wrong = script.post(f"{one}/amendments", {**body, "password": "x"})
    assert list(wrong.json()["errors"]) == ["password"]
    amended = script.post(f"{one}/amendments", {**body, "password": PASSWORD})
    assert amended.status_code == 201, amended.content
    (change,) = amended.json()["amendments"][0]["changes"]
    assert (change["part"], change["after"]) == ("notes", "A week more.")
    late = {"name": "Lea", "email": "lea@example.org"}
    assert script.post(f"{one}/raters", late).status_code == 409
    late["reason"] = "One fell ill."
    assert script.post(f"{one}/late-raters", late).json()["code"] == "R03"


def test_a_script_invites_a_statistician_and_two_break_the_seal(
    script: Script, open_study: Study, ada: User
) -> None:
    one = f"studies/{open_study.pk}"
    new = {"role": "statistician", "name": "Stan", "colleague": "stan@example.org"}
    stan = script.post(f"{one}/colleagues", new)
    assert (stan.status_code, "/join/" in stan.json()["link"]) == (201, True)
    assert script.post(f"{one}/colleagues", new).status_code == 409
    grace = make_user("grace", staff=True)
    led = {"role": "coordinator", "name": "", "colleague": grace.email}
    assert script.post(f"{one}/colleagues", led).json()["link"] == ""
    rows = script.get(f"{one}/colleagues").json()["results"]
    assert [row["role"] for row in rows] == [
        "coordinator",
        "coordinator",
        "statistician",
    ]
    gone = script.send("delete", f"{one}/colleagues/{stan.json()['id']}")
    assert gone.status_code == 204
    body = {"title": open_study.title, "reason": "Harm.", "password": PASSWORD}
    alone = script.post(f"{one}/break-glass", body)
    assert set(alone.json()["errors"]) == {"witness", "witness_password"}
    both = body | {"witness": grace.email, "witness_password": PASSWORD}
    assert script.post(f"{one}/break-glass", both).json()["state"] == "unblinded"


def send_piece(script: Script, path: str, data: bytes, offset: int) -> Any:
    return script.client.patch(
        f"/api/{path}?offset={offset}", data, content_type="application/octet-stream",
        headers=script.headers,
    )  # fmt: skip


def test_a_script_sends_a_file_in_pieces_and_a_zip_file_by_file(
    script: Script, study: Study, tmp_path: Path
) -> None:
    image, mask = write_pair(tmp_path, 1)
    data, begun = image.read_bytes(), f"studies/{study.pk}/transfers"
    made = script.post(begun, {"name": image.name, "size": len(data)}).json()
    one = f"{begun}/{made['id']}"
    assert send_piece(script, one, data[:1000], 0).json()["offset"] == 1000
    assert send_piece(script, one, data[:1000], 0).status_code == 409
    assert script.get(one).json()["offset"] == 1000
    assert send_piece(script, one, data[1000:], 1000).json()["offset"] == len(data)
    whole = script.post(f"{one}/finish", {"sha256": sha256(data).hexdigest()})
    assert (whole.status_code, whole.json()["kind"]) == (201, "image")
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.write(mask, mask.name)
    data = packed.getvalue()
    made = script.post(begun, {"name": "set.zip", "size": len(data)}).json()
    one = f"{begun}/{made['id']}"
    send_piece(script, one, data, 0)
    held = script.post(f"{one}/finish", {"sha256": sha256(data).hexdigest()})
    assert (held.status_code, len(held.json()["files"])) == (202, 1), held.content
    taken = script.post(f"{one}/take", {"number": 0})
    assert (taken.status_code, taken.json()["kind"]) == (201, "mask")
    assert script.send("delete", one).status_code == 204


def test_a_token_ends_by_hand_by_time_and_with_its_person(
    script: Script, ada: User, coordinator: Client
) -> None:
    assert script.get("studies").status_code == 200
    stored = AccessToken.objects.get()
    assert script.token not in str(vars(stored))
    coordinator.post(f"/tokens/{stored.pk}/end")
    assert script.get("studies").status_code == 401
    second, third = Script(ada), Script(ada)
    AccessToken.objects.filter(token_sha256=tokens.hash_token(second.token)).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )
    answer = second.get("studies")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    ada.is_active = False
    ada.save()
    assert third.get("studies").status_code == 401


def test_a_token_is_shown_once_and_asks_for_the_password(
    coordinator: Client, rater: Client
) -> None:
    wrong = coordinator.post("/tokens/", {"label": "laptop", "password": "no"})
    assert (wrong.status_code, AccessToken.objects.count()) == (422, 0)
    coordinator.post("/tokens/", {"label": "laptop", "password": PASSWORD})
    shown = re.findall(r"blindfold_[\w-]{43}", coordinator.get("/tokens/").text)
    assert len(set(shown)) == 1
    again = coordinator.get("/tokens/").text
    assert "laptop" in again
    assert shown[0] not in again
    assert rater.get("/tokens/").status_code == 404
    assert rater.post("/tokens/", {"label": "x"}).status_code == 404


def test_somebody_elses_token_and_study_are_not_there(
    script: Script, study: Study
) -> None:
    olaf = make_user("olaf", staff=True)
    other = Script(olaf)
    mine = AccessToken.objects.get(user=olaf)
    assert (
        sign_in(make_user("eve", staff=True)).post(f"/tokens/{mine.pk}/end").status_code
        == 404
    )
    foreign = other.get(f"studies/{study.pk}")
    unknown = other.get(f"studies/{uuid4()}")
    assert (foreign.status_code, foreign.content) == (404, unknown.content)
    assert other.get("studies").json()["count"] == 0


def test_raters_find_no_api_and_no_token_rates(
    rater: Client, script: Script, open_study: Study
) -> None:
    for path in ("schema", "studies", "sources", f"studies/{open_study.pk}"):
        assert rater.get(f"/api/{path}").status_code == 404
    item = Item.objects.first()
    assert item is not None
    by_token = script.client.get(
        f"/api/items/{item.token}/mask", headers=script.headers
    )
    assert by_token.status_code == 403
    assert not Score.objects.exists()


def test_the_published_description_is_not_stale() -> None:
    out = StringIO()
    call_command("spectacular", "--validate", stdout=out)
    stored = (ROOT / "docs" / "openapi.yaml").read_text()
    assert stored.strip() == out.getvalue().strip(), (
        "Run: manage.py spectacular --file docs/openapi.yaml"
    )


def send(client: Client, case: Any, headers: dict[str, str]) -> Any:
    """A generated call through Django's own client, which keeps the test's database."""
    made = case.as_transport_kwargs(base_url="http://testserver")
    asked = requests.Request(
        **{key: value for key, value in made.items() if key in REQUEST}
    ).prepare()
    return client.generic(
        str(asked.method), str(asked.url).removeprefix("http://testserver"),
        cast(Any, asked.body or b""), str(asked.headers.get("Content-Type", "")),
        headers=headers,
    )  # fmt: skip


def try_out(script: Script, operation: Any, told: Any, study: Study) -> int:
    """Some random calls of one operation; every second one on a study that there is."""
    count = 0

    @bounds(
        max_examples=8, deadline=None, database=None, derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def call(case: Any) -> None:
        nonlocal count
        count += 1
        if count % 2 and "study_id" in case.path_parameters:
            case.path_parameters["study_id"] = str(study.pk)
        answer = send(script.client, case, script.headers)
        said = (operation.label, answer.status_code, answer.content)
        assert answer.status_code < 500, said
        assert str(answer.status_code) in told, said

    call()
    return count


@pytest.mark.slow
def test_no_call_fails_or_answers_what_is_not_described(
    script: Script, open_study: Study
) -> None:
    described = script.get("schema", format="json").json()
    tried = []
    for result in schemathesis.openapi.from_dict(described).get_all_operations():
        operation: Any = cast(Any, result).ok()
        told = described["paths"][operation.path][operation.method]["responses"]
        tried.append(try_out(script, operation, told, open_study))
    assert len(tried) > 25
    assert sum(tried) > 150


def find_example() -> str:
    found = re.search(
        r"```python\n(.*?)```", (ROOT / "docs" / "api.md").read_text(), re.DOTALL
    )
    assert found
    return found[1]


def test_every_call_stands_in_the_document() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    described = (ROOT / "docs" / "openapi.yaml").read_text()
    paths = re.findall(r"^  /api/(\S+):$", described, re.MULTILINE)
    assert len(paths) > 20
    ends = {path.replace("{study_id}", "").split("/")[-1] for path in paths}
    assert [end for end in ends if end and "{" not in end and end not in text] == []
