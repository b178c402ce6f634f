"""`verify` finds every change that was made behind the site's back, and names it."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F
from django.test import Client

from ratings import audit, files, signing, triggers
from ratings.models import (
    AccessEntry,
    AuditEntry,
    Case,
    Item,
    Mask,
    ProtocolVersion,
    Score,
    ScoreImport,
    Session,
    Signature,
    Study,
    Upload,
)
from ratings.verifying import verify_study
from tests.ratings.conftest import end_collecting
from tests.ratings.test_scoring import body, current, put

PASSWORD = "a long enough password"


@pytest.fixture
def finished(
    open_study: Study, ada: User, rater: Client, other_rater: Client,
    session: Session, other_session: Session,
) -> Study:  # fmt: skip
    """Both raters gave all scores and signed; the study is closed and was read."""
    for client, own in ((rater, session), (other_rater, other_session)):
        for n in range(12):
            put(client, current(own).token, body(1 + n % 5, comment=f"note {n}"))
        signing.sign_session(session=own, user=own.enrolment.user, password=PASSWORD)
    end_collecting(open_study, ada)
    for n in range(8):
        payload = {"number": n}
        audit.note_access(study=open_study, actor=ada, verb="export", payload=payload)
    return Study.objects.get(pk=open_study.pk)


@pytest.fixture
def unguarded(finished: Study) -> Iterator[Study]:
    """The same with the triggers off, as for somebody who owns the file."""
    triggers.remove(connection)
    yield finished
    triggers.install(connection)


def find_faults(study: Study) -> list[str]:
    fresh = Study.objects.get(pk=study.pk)
    return [*verify_study(fresh), *audit.verify_access()]


class Undo(Exception):
    pass


def try_out(study: Study, change: Callable[[], Any]) -> list[str]:
    """What verify says after a change that is then taken back."""
    faults: list[str] = []
    try:
        with transaction.atomic():
            change()
            faults = find_faults(study)
            raise Undo
    except Undo:
        return faults


def test_an_untouched_study_holds(finished: Study) -> None:
    assert find_faults(finished) == []
    out = StringIO()
    call_command("verify", stdout=out)
    assert f"holds, head {audit.head(finished)}" in out.getvalue()


EDITS: dict[type[Any], dict[str, Callable[[Any], Any]]] = {
    Score: {
        "value": lambda s: s.value % 5 + 1,
        "comment": lambda s: s.comment + ".",
        "active_ms": lambda s: s.active_ms + 1,
        "change_reason": lambda s: "none",
        "marks": lambda s: ["missed"],
        "protocol_version": lambda s: 2,
        "question": lambda s: "other",
        "by_id": lambda s: User.objects.exclude(pk=s.by_id)[0].pk,
        "created_at": lambda s: s.created_at.replace(year=2020),
    },
    Item: {
        "token": lambda i: i.token[::-1],
        "slot": lambda i: i.slot + 7,
        "mask_id": lambda i: Mask.objects.exclude(pk=i.mask_id)[0].pk,
    },
    AuditEntry: {
        "actor": lambda e: e.actor + "x",
        "verb": lambda e: e.verb + "x",
        "payload": lambda e: {**e.payload, "more": 1},
        "at": lambda e: e.at.replace("2026", "2025"),
        "hash": lambda e: e.hash[::-1],
        "previous": lambda e: "1" * 64,
    },
    AccessEntry: {
        "actor": lambda e: e.actor + "x",
        "payload": lambda e: {},
        "at": lambda e: e.at.replace("2026", "2025"),
    },
    ProtocolVersion: {
        "sha256": lambda v: v.sha256[::-1],
        "document": lambda v: {**v.document, "title": "Other"},
    },
    Signature: {
        "name": lambda s: s.name + "x",
        "digest": lambda s: s.digest[::-1],
        "by_id": lambda s: User.objects.exclude(pk=s.by_id)[0].pk,
    },
    Study: {
        "protocol_sha256": lambda s: s.protocol_sha256[::-1],
        "state": lambda s: "collecting",
    },
    Mask: {"sha256": lambda m: m.sha256[::-1]},
    Case: {
        "image_sha256": lambda c: c.image_sha256[::-1],
        "strata": lambda c: {**c.strata, "contrast": "other"},
    },
}


def edit(rng: random.Random) -> tuple[str, Callable[[], Any]]:
    model: Any = rng.choice(list(EDITS))
    row = rng.choice(list(model.objects.order_by("pk")))
    column = rng.choice(list(EDITS[model]))
    change = {column: EDITS[model][column](row)}
    return f"{model.__name__}.{column}", lambda: model.objects.filter(pk=row.pk).update(
        **change
    )


def delete(rng: random.Random) -> tuple[str, Callable[[], Any]]:
    """Any row but the last of a chain, whose loss only a kept head shows."""
    model: Any = rng.choice(
        [Score, AuditEntry, AccessEntry, Signature, ProtocolVersion]
    )
    rows = list(model.objects.order_by("pk"))
    row = rng.choice(rows[:-1] if model in (AuditEntry, AccessEntry) else rows)
    query = model.objects.filter(pk=row.pk)
    return f"delete {model.__name__}", lambda: query._raw_delete(query.db)


def insert(rng: random.Random) -> tuple[str, Callable[[], Any]]:
    model: Any = rng.choice([Score, AuditEntry, AccessEntry, Signature])
    row = rng.choice(list(model.objects.order_by("pk")))
    if isinstance(row, Score):
        row.supersedes_id, row.revision = row.pk, row.revision + 1
        row.client_key = f"00000000-0000-4000-8000-{rng.getrandbits(40):012x}"
    elif isinstance(row, Signature):
        row.session, row.meaning = None, "unblind"
    else:
        row.n = model.objects.count() + 1
        row.previous = model.objects.order_by("-n")[0].hash
    row.pk = None
    return f"insert {model.__name__}", lambda: row.save(force_insert=True)


def reorder(rng: random.Random) -> tuple[str, Callable[[], Any]]:
    """Exchange the numbers of two entries of a chain."""
    model: Any = rng.choice([AuditEntry, AccessEntry])
    one, other = rng.sample(list(model.objects.order_by("pk")), 2)

    def swap() -> None:
        far = model.objects.count() + 1000
        for pk, n in ((one.pk, far), (other.pk, one.n), (one.pk, other.n)):
            model.objects.filter(pk=pk).update(n=n)

    return f"reorder {model.__name__}", swap


def test_two_hundred_random_tamperings_are_all_found(unguarded: Study) -> None:
    rng = random.Random(20261125)
    kinds = [edit, edit, edit, edit, delete, insert, reorder]
    missed = []
    for n in range(200):
        name, change = kinds[n % len(kinds)](rng)
        if not try_out(unguarded, change):
            missed.append(name)
    assert missed == []
    assert find_faults(unguarded) == []


def test_the_changed_row_is_named(unguarded: Study) -> None:
    score = Score.objects.order_by("pk")[5]
    faults = try_out(
        unguarded,
        lambda: Score.objects.filter(pk=score.pk).update(value=F("value") - 1),
    )
    assert any(f"Score row {score.pk} (quality, revision 1) was changed" in f
               for f in faults)  # fmt: skip
    entry = AuditEntry.objects.get(n=7)
    faults = try_out(
        unguarded, lambda: AuditEntry.objects.filter(n=7).update(actor="nobody")
    )
    assert any(f"Entry 7 ({entry.verb}, row {entry.pk}) was changed" in f
               for f in faults)  # fmt: skip


@pytest.mark.parametrize("chain", ["record", "access"])
def test_a_cut_off_end_is_found_with_a_kept_head(unguarded: Study, chain: str) -> None:
    model: Any = AuditEntry if chain == "record" else AccessEntry
    for lost in (1, 3):
        head = model.objects.order_by("-n")[0].hash
        keep = model.objects.order_by("-n")[lost].n
        query = model.objects.filter(n__gt=keep)
        query._raw_delete(query.db)
        verify: Callable[..., list[str]] = (
            (lambda kept: audit.verify(unguarded, kept=kept))
            if chain == "record"
            else (lambda kept: audit.verify_access(kept=kept))
        )
        assert any("its end was cut off" in fault for fault in verify(head))
        assert verify(model.objects.order_by("-n")[0].hash) == []


def test_a_changed_score_voids_the_signature_under_it(unguarded: Study) -> None:
    score = Score.objects.order_by("pk")[0]
    Score.objects.filter(pk=score.pk).update(value=score.value % 5 + 1)
    assert any("is void" in fault for fault in find_faults(unguarded))


def test_a_signature_can_not_be_carried_to_another_session(unguarded: Study) -> None:
    one, other = Signature.objects.order_by("pk")
    Signature.objects.filter(pk=other.pk).delete()
    Signature.objects.filter(pk=one.pk).update(session=other.session_id)
    assert any("was changed or moved" in fault for fault in find_faults(unguarded))


@pytest.mark.parametrize("harm", ["flipped", "cut", "gone"])
def test_every_file_is_held_against_its_digest(finished: Study, harm: str) -> None:
    paths = [case.image_path for case in Case.objects.all()]
    paths += [mask.path for mask in Mask.objects.all()]
    for relative in paths:
        path = files.locate(relative)
        data = path.read_bytes()
        if harm == "gone":
            path.unlink()
        else:
            changed = bytearray(data)
            changed[-1] ^= 1
            path.write_bytes(bytes(changed) if harm == "flipped" else data[:-1])
        assert len(find_faults(finished)) == 1
        path.write_bytes(data)
    assert find_faults(finished) == []


def make_old() -> int:
    """As if all that is stored had been there for a day; how many files it is."""
    stored = [path for path in files.locate("").rglob("*") if path.is_file()]
    for path in stored:
        os.utime(path, (time.time() - 86_400,) * 2)
    return len(stored)


def name_strays() -> list[str]:
    errors = StringIO()
    with pytest.raises(CommandError, match="faults found"):
        call_command("verify", stdout=StringIO(), stderr=errors)
    return re.findall(r"No row names the stored file (\S+): ", errors.getvalue())


def test_a_file_that_was_put_in_is_named(finished: Study) -> None:
    study, case = finished.pk, finished.cases.all()[0].pk
    for known in (f"derived/{case}/soft.nii.gz", f"bundles/{study}/a.zip"):
        files.write_durably(files.locate(known), b"computed")
    files.write_durably(files.locate("pictures/a.png"), b"painted")
    assert make_old() > 20
    call_command("verify", stdout=StringIO())
    put_in = ["bundles/0/a.zip", "masks/0.bin", "more/0.nii.gz", "zero"]
    for path in put_in:
        files.write_durably(files.locate(path), b"put in")
    call_command("verify", stdout=StringIO())
    make_old()
    assert name_strays() == put_in


def test_a_file_from_the_future_is_named_at_once(finished: Study) -> None:
    path = files.locate("masks/0.bin")
    files.write_durably(path, b"put in")
    os.utime(path, (time.time() + 86_400,) * 2)
    assert name_strays() == ["masks/0.bin"]


def test_files_of_uploads_and_of_moved_scores_are_known(
    finished: Study, ada: User
) -> None:
    names = ["images/u.nii.gz", "moved/a.upload", "moved/r.csv", "moved/v.csv"]
    for name in names:
        files.write_durably(files.locate(name), b"kept")
    make_old()
    assert name_strays() == names
    Upload.objects.create(study=finished, name="u", path=names[0], uploaded_by=ada)
    ScoreImport.objects.create(
        title="M", created_by=ada, files=[{"path": names[1]}],
        rows_path=names[2], report_path=names[3],
    )  # fmt: skip
    call_command("verify", stdout=StringIO())


def test_the_command_fails_and_names_what_differs(unguarded: Study) -> None:
    Score.objects.filter(pk=Score.objects.order_by("pk")[0].pk).update(comment="!")
    out, errors = StringIO(), StringIO()
    with pytest.raises(CommandError, match=r"\d+ faults found"):
        call_command("verify", str(unguarded.pk), stdout=out, stderr=errors)
    assert re.search(r"Cord lesions: Score row \d+", errors.getvalue())
    assert "trigger blindfold_" in errors.getvalue()


def test_the_command_says_which_study_it_does_not_know(db: None) -> None:
    with pytest.raises(CommandError, match="no study with the id"):
        call_command("verify", "nonsense")
    with pytest.raises(CommandError, match="Name the study"):
        call_command("verify", head="0" * 64)
