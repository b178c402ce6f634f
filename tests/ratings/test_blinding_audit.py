"""The blinding audit finds nothing in a sound study, and every planted leak."""

from __future__ import annotations

import gzip
import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from ratings import api, blinding, files, invitations
from ratings.models import AuditEntry, Item, Mask, Session, Study, make_token
from ratings.proof import schedule
from ratings.proof.auditing import audit_blinding, list_faults
from ratings.proof.signs import find_leaks, sign_test
from tests.ratings.conftest import AddCases

pytestmark = pytest.mark.any_database

PASSWORD = "a long enough password"


@pytest.fixture
def draft(study: Study, ada: User, add_cases: AddCases) -> Study:
    add_cases(4)
    for name in ("rhea", "otto"):
        invitations.add_rater(
            study=study, actor=ada, name=name, email=f"{name}@example.org"
        )
    return study


def find_faults(study: Study) -> list[str]:
    return list_faults(audit_blinding(study))


def test_a_sound_draft_passes_and_nothing_is_left_behind(draft: Study) -> None:
    counts = [
        model.objects.count() for model in (Study, User, Item, Session, AuditEntry)
    ]
    assert find_faults(draft) == []
    assert counts == [
        model.objects.count() for model in (Study, User, Item, Session, AuditEntry)
    ]
    draft.refresh_from_db()
    assert draft.state == "draft"


@pytest.mark.parametrize("mode", ["single", "side_by_side"])
def test_a_sound_study_passes_while_it_is_rated(open_study: Study, mode: str) -> None:
    assert find_faults(open_study) == []


def tamper(mask: Mask, change: Callable[[bytearray], None], *, digest: bool) -> None:
    path = files.locate(mask.path)
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(data)
    if digest:
        mask.sha256 = hashlib.sha256(data).hexdigest()
        mask.save()


def set_text(data: bytearray) -> None:
    data[148:152] = b"SCT6"


def add_bit(data: bytearray) -> None:
    data[-1] ^= 1


def lengthen(data: bytearray) -> None:
    data += b"\0"


@pytest.mark.parametrize("change", [set_text, add_bit, lengthen])
def test_one_edited_canonical_file_is_named(
    draft: Study, change: Callable[[bytearray], None]
) -> None:
    mask = Mask.objects.get(case__study=draft, case__label="C002", arm__key="model")
    tamper(mask, change, digest=False)
    faults = [fault for fault in find_faults(draft) if "changed after" in fault]
    assert len(faults) == 1
    assert faults[0].startswith("C002, mask of “model”: the stored file was changed")


@pytest.mark.parametrize("change", [set_text, lengthen])
def test_a_file_that_was_never_canonical_is_named_though_its_digest_fits(
    draft: Study, change: Callable[[bytearray], None]
) -> None:
    mask = Mask.objects.get(case__study=draft, case__label="C003", arm__key="manual")
    tamper(mask, change, digest=True)
    assert any(
        fault.startswith("C003, mask of “Manual”: the file is not canonical")
        for fault in find_faults(draft)
    )


def test_a_missing_file_is_named(draft: Study) -> None:
    case = draft.cases.get(label="C001")
    files.locate(case.image_path).unlink()
    assert any(
        fault.startswith("C001, image: the stored file can't be read")
        for fault in find_faults(draft)
    )


def test_text_in_an_image_is_found(draft: Study) -> None:
    case = draft.cases.get(label="C001")
    plain = bytearray(gzip.decompress(files.locate(case.image_path).read_bytes()))
    plain[148:155] = b"Mr Jones"[:7]
    data = gzip.compress(bytes(plain), 6, mtime=0)
    files.locate(case.image_path).write_bytes(data)
    case.image_sha256 = hashlib.sha256(data).hexdigest()
    case.save()
    assert "C001, image: its header holds more than geometry" in " ".join(
        find_faults(draft)
    )


def test_one_extra_header_is_named(
    draft: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = api.send_bytes

    def with_header(data: bytes) -> HttpResponse:
        response = send(data)
        response["X-Backend"] = "cache"
        return response

    monkeypatch.setattr(api, "send_bytes", with_header)
    assert "The header X-Backend is sent with a case's mask." in find_faults(draft)


def test_a_header_that_follows_the_arm_is_seen_by_the_exchange(
    draft: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = blinding.read_mask

    def lengthened(item: Item) -> bytes:
        return read(item) + b"\0" * (item.mask.arm.key == "model")

    monkeypatch.setattr(blinding, "read_mask", lengthened)
    faults = find_faults(draft)
    assert "C001, mask: exchanging the arms changes what is served." in faults


def plant(monkeypatch: pytest.MonkeyPatch, make: Callable[[], str]) -> None:
    monkeypatch.setattr(Item._meta.get_field("token"), "default", make)
    monkeypatch.setattr(Item._meta.get_field("token"), "_get_default", make)


def make_timed_token() -> str:
    """Like UUIDv7: the time in front, 43 signs long all the same."""
    return f"{time.time_ns():020x}" + make_token()[20:]


def test_a_token_in_order_of_time_is_caught_before_the_lock(
    draft: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, make_timed_token)
    faults = " ".join(find_faults(draft))
    assert "New tokens of items" in faults
    assert "goes with the time of making" in faults


def test_short_and_repeated_tokens_are_caught(
    draft: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = iter(range(10**6))
    plant(monkeypatch, lambda: str(next(numbers)))
    assert "are not 43 random signs" in " ".join(find_faults(draft))


def test_an_order_that_is_not_the_drawn_one_is_named(
    open_study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = blinding.list_placements(open_study)
    other = {"manual": "model", "model": "manual"}
    wrong = [
        replace(p, arm=other[p.arm]) if (p.rater, p.case) == ("R01", "C001") else p
        for p in stored
    ]
    monkeypatch.setattr(blinding, "list_placements", lambda study: wrong)
    faults = schedule.check_schedule(open_study)
    assert len(faults) == 2
    assert all(fault.startswith("R01, position") for fault in faults)


def test_another_seed_does_not_fit_the_commitment(open_study: Study) -> None:
    open_study.seed = "0" * 64
    faults = schedule.check_schedule(open_study)
    assert "The draw does not fit the commitment in the record." in faults


@pytest.mark.audited
def test_a_leak_blocks_the_lock_and_names_the_item(
    draft: Study, coordinator: Client
) -> None:
    mask = Mask.objects.get(case__study=draft, case__label="C002", arm__key="model")
    tamper(mask, add_bit, digest=False)
    url = reverse("lock", args=[draft.pk])
    answer = coordinator.post(url, {"typed_title": draft.title, "password": PASSWORD})
    assert answer.status_code == 422
    assert "C002, mask of “model”: the stored file was changed" in answer.text
    draft.refresh_from_db()
    assert (draft.state, Item.objects.count()) == ("draft", 0)


@pytest.mark.audited
def test_a_sound_study_is_locked_and_the_record_says_it_was_audited(
    draft: Study, coordinator: Client
) -> None:
    url = reverse("lock", args=[draft.pk])
    coordinator.post(url, {"typed_title": draft.title, "password": PASSWORD})
    draft.refresh_from_db()
    assert draft.state == "locked"
    entry = draft.audit.get(verb="locked")
    assert entry.payload["blinding_audit"] == "passed"


def test_the_check_can_be_run_in_the_browser_before_and_after_the_lock(
    draft: Study, coordinator: Client
) -> None:
    url = reverse("blinding-audit", args=[draft.pk])
    lock = reverse("lock", args=[draft.pk])
    assert url in coordinator.get(lock).text
    answer = coordinator.post(url)
    assert answer.status_code == 200
    assert "Nothing that a rater receives tells" in answer.text
    coordinator.post(lock, {"typed_title": draft.title, "password": PASSWORD})
    assert url in coordinator.get(lock).text
    mask = Mask.objects.get(case__study=draft, case__label="C001", arm__key="manual")
    tamper(mask, add_bit, digest=False)
    answer = coordinator.post(url)
    assert answer.status_code == 422
    assert "C001, mask of “Manual”" in answer.text
    entries = draft.audit.filter(verb="audit_blinding")
    assert [entry.payload["faults"] > 0 for entry in entries] == [False, True]


def run(*words: str) -> str:
    out = StringIO()
    call_command("blinding_audit", *words, stdout=out)
    return out.getvalue()


def test_the_command_says_what_it_checked(draft: Study) -> None:
    lines = run(str(draft.pk)).splitlines()
    assert len(lines) == 4
    assert all(line.startswith("ok ") for line in lines)
    assert run(draft.title).splitlines() == lines


def test_the_command_fails_and_names_the_item(draft: Study) -> None:
    mask = Mask.objects.get(case__study=draft, case__label="C002", arm__key="model")
    tamper(mask, add_bit, digest=False)
    out = StringIO()
    with pytest.raises(CommandError, match="The blind does not hold"):
        call_command("blinding_audit", str(draft.pk), stdout=out)
    assert "FAULT Every stored file is canonical and unchanged" in out.getvalue()
    assert "C002, mask of “model”" in out.getvalue()


@pytest.mark.parametrize("name", ["nothing", "00000000-0000-4000-8000-000000000000"])
def test_the_command_knows_no_such_study(db: Any, name: str) -> None:
    with pytest.raises(CommandError, match="There is no study"):
        run(name)


def test_the_sign_test_is_exact() -> None:
    assert sign_test(0, 0) == 1
    assert sign_test(5, 5) == 1
    assert sign_test(0, 10) == pytest.approx(2 / 1024)
    assert sign_test(1, 9) == pytest.approx(22 / 1024)


def test_a_feature_that_leans_is_found_and_an_even_one_is_not() -> None:
    even = [(0.0, 1.0), (1.0, 0.0)] * 200
    leaning = [(0.0, 1.0)] * 260 + [(1.0, 0.0)] * 140
    found = find_leaks({"length": even, "place": leaning, "tie": [(1.0, 1.0)] * 400})
    assert list(found) == ["place"]
