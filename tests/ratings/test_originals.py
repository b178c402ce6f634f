"""Files as they were uploaded: gone by default, kept on request, erased at any time."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from config import backup
from ratings import companions, files, originals, protocol, results, verifying
from ratings.models import AccessEntry, AuditEntry, Original, Study
from tests.ratings import sets
from tests.ratings.conftest import end_collecting
from tests.ratings.script import Script
from tests.ratings.test_case_pages import read_form
from tests.ratings.test_results import run, score_all
from tests.volumes import make_affine, make_image, make_lesion, save

pytestmark = pytest.mark.any_database

SHAPE = (16, 14, 6)
CANARY = b"CANARY^ANNA"


def write(folder: Path, name: str, *, mask: bool = False, seed: int = 5) -> Path:
    """A volume whose header holds a person's name."""
    rng = np.random.default_rng(seed)
    voxels = make_lesion(SHAPE, rng) if mask else make_image(SHAPE, rng)
    path = save(folder / f"{name}.nii", voxels, make_affine((0.6, 0.6, 3.0)))
    data = bytearray(path.read_bytes())
    data[148 : 148 + len(CANARY)] = CANARY
    path.write_bytes(data)
    return path


def address(name: str, study: Study, *more: object) -> str:
    return reverse(name, args=[study.pk, *more])


Send = Callable[..., None]
Settled = Callable[[], AbstractContextManager[Any]]


@pytest.fixture
def settled(django_capture_on_commit_callbacks: Any) -> Settled:
    """Within it, what waits for a transaction's end is done."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def send(study: Study, coordinator: Client, tmp_path: Path) -> Send:
    def send(name: str, *, mask: bool = False, seed: int = 5) -> None:
        path = write(tmp_path, name, mask=mask, seed=seed)
        file = SimpleUploadedFile(path.name, path.read_bytes())
        assert coordinator.post(address("uploads", study), {"file": file}).status_code

    return send


def choose(study: Study, coordinator: Client, keep: str = "yes") -> None:
    coordinator.post(address("originals-choice", study), {"keep": keep})


def bring_in(study: Study, coordinator: Client, send: Send) -> None:
    """Two images of a person and the one mask that serves both."""
    for contrast in ("T1w", "T2w"):
        send(f"sub-07_{contrast}")
    send("sub-07_lesion", mask=True)
    form = read_form(study, coordinator)
    answer = coordinator.post(address("cases-import", study), form, follow=True)
    assert study.cases.count() == 2, answer.text


def list_kept() -> list[Path]:
    return [path for path in files.locate("originals").rglob("*") if path.is_file()]


def list_all() -> list[Path]:
    return [path for path in files.locate("").rglob("*") if path.is_file()]


def test_by_default_nothing_of_an_original_stays_on_the_disk(
    study: Study, coordinator: Client, send: Send
) -> None:
    bring_in(study, coordinator, send)
    assert not study.originals.exists()
    assert list_kept() == []
    assert not any(CANARY in path.read_bytes() for path in list_all())
    page = coordinator.get(address("originals", study)).text
    assert "No original is kept" in page
    assert "not the uploaded files" in coordinator.get(address("cases", study)).text


def test_on_request_the_bytes_are_kept_as_they_came(
    study: Study, coordinator: Client, send: Send, tmp_path: Path
) -> None:
    choose(study, coordinator)
    bring_in(study, coordinator, send)
    assert {path.read_bytes() for path in list_kept()} == {
        (tmp_path / f"sub-07_{name}.nii").read_bytes()
        for name in ("T1w", "T2w", "lesion")
    }
    assert originals.count(study) == (3, sum(p.stat().st_size for p in list_kept()))
    told = {(o.case and o.case.label, originals.name_part(o)) for o in list_rows(study)}
    assert told == {(c, p) for c in ("C001", "C002") for p in ("image", "manual")}
    page = coordinator.get(address("originals", study)).text
    assert "3 originals kept" in page
    assert "sub-07" not in page
    assert AuditEntry.objects.get(study=study, verb="originals").payload["keep"]


def list_rows(study: Study) -> list[Original]:
    return list(study.originals.select_related("case", "arm"))


def test_a_refused_file_is_not_kept_and_what_waits_goes_with_its_row(
    study: Study, coordinator: Client, send: Send, settled: Settled
) -> None:
    choose(study, coordinator)
    bad = SimpleUploadedFile("bad.nii", b"Dear colleague, " * 50)
    coordinator.post(address("uploads", study), {"file": bad})
    assert list_kept() == []
    send("sub-07_T2w")
    assert len(list_kept()) == 1
    assert "waits for import" in coordinator.get(address("originals", study)).text
    upload = study.uploads.exclude(kind="refused").get()
    with settled():
        coordinator.post(address("upload-remove", study, upload.pk))
    assert list_kept() == []


def test_what_comes_to_nothing_leaves_no_copy(
    study: Study,
    coordinator: Client,
    ada: User,
    send: Send,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    choose(study, coordinator)
    bring_in(study, coordinator, send)
    before, case = sorted(list_all()), study.cases.all()[0]
    study.refresh_from_db()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(originals, "note_upload", fail)
    monkeypatch.setattr(originals, "note_companion", fail)
    path = write(tmp_path, "cord", mask=True, seed=3)
    with pytest.raises(OSError, match="No space"):
        companions.replace_companion(
            study=study, user=ada, case_id=case.pk, kind="cord",
            name=path.name, chunks=[path.read_bytes()],
        )  # fmt: skip
    monkeypatch.setattr(originals, "note_companion", lambda *_: None)
    image = SimpleUploadedFile("sub-08_T2w.nii", path.read_bytes())
    assert (
        coordinator.post(address("uploads", study), {"file": image}).status_code == 503
    )
    left = [p for p in list_all() if p not in before and p.parent.name != "masks"]
    assert left == []


def test_a_removed_case_takes_its_originals_along_but_no_shared_one(
    study: Study,
    coordinator: Client,
    send: Send,
    settled: Settled,
) -> None:
    choose(study, coordinator)
    bring_in(study, coordinator, send)
    first, second = study.cases.all()
    remove(study, coordinator, first.pk, settled)
    assert len(list_kept()) == 2, "its image is gone; the mask serves another case"
    with settled():
        coordinator.post(address("arm-remove", study, "manual"))
    assert len(list_kept()) == 1
    remove(study, coordinator, second.pk, settled)
    assert list_kept() == []
    assert not Original.objects.exists()


def remove(study: Study, coordinator: Client, case: object, settled: Settled) -> None:
    with settled():
        coordinator.post(address("cases-remove", study), {"case": [case]})


def test_a_companion_s_original_goes_with_it(
    study: Study,
    coordinator: Client,
    ada: User,
    send: Send,
    tmp_path: Path,
    settled: Settled,
) -> None:
    choose(study, coordinator)
    bring_in(study, coordinator, send)
    study.refresh_from_db()
    case = study.cases.all()[0]
    for seed in (1, 2):
        path = write(tmp_path, f"cord_{seed}", mask=True, seed=seed)
        with settled():
            companions.replace_companion(
                study=study, user=ada, case_id=case.pk, kind="cord",
                name=path.name, chunks=[path.read_bytes()],
            )  # fmt: skip
        assert path.read_bytes() in [one.read_bytes() for one in list_kept()]
        assert len(list_kept()) == 4
    with settled():
        companions.remove_companion(study=study, user=ada, case_id=case.pk, kind="cord")
    assert len(list_kept()) == 3


def test_a_locked_study_does_not_change_its_choice(
    open_study: Study, coordinator: Client
) -> None:
    choose(open_study, coordinator)
    open_study.refresh_from_db()
    assert not open_study.keep_originals


def test_verify_notices_a_changed_original(
    study: Study, coordinator: Client, send: Send
) -> None:
    choose(study, coordinator)
    bring_in(study, coordinator, send)
    assert verifying.verify_study(study) == []
    list_kept()[0].write_bytes(b"something else")
    assert any("original" in fault for fault in verifying.verify_study(study))


# In a study that is being rated


@pytest.fixture
def kept(open_study: Study, ada: User) -> tuple[Original, Original]:
    """An image's and a mask's original of a study that is being rated."""
    open_study.keep_originals = True
    case = open_study.cases.all()[0]
    arm = open_study.arms.get(key="model")
    path = files.locate("received.bin")
    path.write_bytes(CANARY * 9)
    made = []
    for kind, its in (("image", None), ("mask", arm)):
        one = originals.store(study=open_study, path=path)
        assert one
        made.append(
            Original.objects.create(
                study=open_study, case=case, kind=kind, arm=its, **vars(one)
            )
        )
    path.unlink()
    return made[0], made[1]


def test_all_are_erased_at_any_time_once_the_study_is_named(
    kept: tuple[Original, Original],
    open_study: Study,
    coordinator: Client,
    settled: Settled,
) -> None:
    erase = address("originals-erase", open_study)
    assert coordinator.post(erase, {"title": "Cords"}).status_code == 422
    assert len(list_kept()) == 2
    with settled():
        coordinator.post(erase, {"title": open_study.title})
    assert list_kept() == []
    told = AuditEntry.objects.get(study=open_study, verb="erase_originals").payload
    assert told["files"] == 2
    assert verifying.verify_study(open_study) == []
    assert open_study.cases.count() == 6


def test_a_coordinator_downloads_an_image_under_a_name_of_the_study(
    kept: tuple[Original, Original], open_study: Study, coordinator: Client
) -> None:
    answer = coordinator.get(address("original", open_study, kept[0].pk))
    assert b"".join(answer) == CANARY * 9
    assert 'filename="C001_image.nii"' in answer["Content-Disposition"]
    assert AccessEntry.objects.filter(verb="read_original").count() == 1


def test_a_mask_s_original_stays_sealed_until_the_key_is_opened(
    kept: tuple[Original, Original], open_study: Study, coordinator: Client, ada: User
) -> None:
    url = address("original", open_study, kept[1].pk)
    assert coordinator.get(url).status_code == 423
    script = Script(ada)
    call = f"studies/{open_study.pk}/originals/{kept[1].pk}"
    assert script.get(call).status_code == 423
    end_collecting(open_study, ada)
    protocol.unblind(study=open_study, actor=ada, typed_title=open_study.title)
    assert b"".join(coordinator.get(url)) == CANARY * 9
    assert b"".join(script.get(call)) == CANARY * 9


def test_raters_and_strangers_find_none(
    kept: tuple[Original, Original], open_study: Study, rater: Client, outsider: Client
) -> None:
    for one in kept:
        for who in (rater, outsider):
            for name in ("original", "api-original"):
                url = address(name, open_study, one.pk)
                assert who.get(url).status_code == 404
    for who in (rater, outsider):
        for name in ("originals-choice", "originals-erase"):
            body = {"title": open_study.title, "keep": "yes"}
            assert who.post(address(name, open_study), body).status_code == 404
        erase = address("api-originals-erase", open_study)
        assert who.post(erase, {"title": open_study.title}).status_code in (403, 404)
    assert len(list_kept()) == 2


def test_no_export_holds_an_original(
    kept: tuple[Original, Original], open_study: Study, ada: User
) -> None:
    score_all(open_study)
    end_collecting(open_study, ada)
    protocol.unblind(study=open_study, actor=ada, typed_title=open_study.title)
    run(open_study)
    bundle = files.locate("bundle.zip")
    bundle.write_bytes(results.read_bundle(open_study))
    with ZipFile(bundle) as archive:
        held = b"".join(archive.read(name) for name in archive.namelist())
        assert not any("original" in name for name in archive.namelist())
    assert CANARY not in held
    assert kept[0].sha256.encode() not in held


def test_a_script_chooses_lists_and_erases(
    study: Study,
    ada: User,
    tmp_path: Path,
    settled: Settled,
) -> None:
    script, base = Script(ada), f"studies/{study.pk}/originals"
    assert script.send("put", base, {"keep": True}).json() == {"keep": True}
    path = write(tmp_path, "sub-07_T2w")
    assert script.upload(str(study.pk), path).status_code == 201
    page = script.get(base).json()
    assert page["count"] == 1
    assert (page["results"][0]["case"], page["results"][0]["kind"]) == ("", "image")
    assert "name" not in page["results"][0]
    got = script.get(f"{base}/{page['results'][0]['id']}")
    assert b"".join(got) == path.read_bytes()
    assert script.post(f"{base}/erase", {"title": "no"}).status_code == 400
    with settled():
        done = script.post(f"{base}/erase", {"title": study.title})
    assert done.status_code == 204
    assert list_kept() == []


def test_the_command_keeps_them_when_asked(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "set"
    sets.write_nnunet(folder, 2)
    words = (str(study.pk), str(folder), "--json", "--keep-originals")
    call_command("import_cases", *words)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told[-1]["message"] == "2 cases imported."
    sent = {path.read_bytes() for path in folder.rglob("*.nii.gz")}
    assert {path.read_bytes() for path in list_kept()} == sent


def test_a_backup_carries_them(
    study: Study, coordinator: Client, send: Send, tmp_path: Path
) -> None:
    choose(study, coordinator)
    bring_in(study, coordinator, send)
    named = [name for name, _ in backup.list_files() if "/originals/" in name]
    assert len(named) == 3
