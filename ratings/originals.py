"""Keeps files as they were uploaded where a study asks for it; erases them (P2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from ratings import audit, files
from ratings.models import Arm, Case, Original, Study, Upload

PIECE = 2**20
SEALED = (
    "Which source a mask is from stays out of sight until the study is unblinded; its "
    "original can be downloaded then."
)


class OriginalsRefused(Exception):
    """Why the choice stays as it is; a sentence."""


@dataclass(frozen=True)
class Kept:
    """The bytes of an original, stored and not yet named by a row."""

    path: str
    size: int
    sha256: str


def choose(*, study: Study, actor: User, keep: bool) -> None:
    """Whether what comes in from now on is also kept as it came."""
    with transaction.atomic():
        current = Study.objects.select_for_update().get(pk=study.pk)
        if current.state != Study.State.DRAFT:
            raise OriginalsRefused("The study is locked, so no more files come in.")
        if current.keep_originals != keep:
            current.keep_originals = keep
            current.save(update_fields=["keep_originals"])
            payload = {"keep": keep}
            audit.record(study=study, actor=actor, verb="originals", payload=payload)
    study.keep_originals = keep


def store(*, study: Study, path: Path) -> Kept | None:
    """A copy of a received file in private storage, if the study keeps originals."""
    if not study.keep_originals:
        return None
    relative = files.new_name(folder="originals", suffix=".bin")
    with path.open("rb") as stream:
        pieces = iter(lambda: stream.read(PIECE), b"")
        digest = files.write_durably(files.locate(relative), pieces)
    return Kept(relative, path.stat().st_size, digest)


def note_upload(upload: Upload, kept: Kept | None) -> None:
    if kept:
        Original.objects.create(
            study=upload.study, upload=upload, kind=upload.kind, **vars(kept)
        )


def note_companion(case: Case, kind: str, kept: Kept | None) -> None:
    """An original takes the place of that of the map before it."""
    drop(case.originals.filter(kind=kind))
    if kept:
        Original.objects.create(study=case.study, case=case, kind=kind, **vars(kept))


def adopt(*, case: Case, upload: Upload, arm: Arm | None = None) -> None:
    """An import uses an upload for a case: its original is that case's from now on."""
    drop(case.originals.filter(kind=upload.kind, arm=arm))
    for one in upload.originals.all():
        Original.objects.create(
            study=upload.study, case=case, arm=arm, kind=upload.kind,
            path=one.path, size=one.size, sha256=one.sha256,
        )  # fmt: skip


def drop(rows: QuerySet[Original]) -> None:
    """Erase rows, and their files once the transaction holds and no row needs them."""
    paths = set(rows.values_list("path", flat=True))
    rows.delete()
    if paths:
        transaction.on_commit(lambda: remove_unneeded(paths))


def remove_unneeded(paths: Iterable[str]) -> None:
    for path in paths:
        if not Original.objects.filter(path=path).exists():
            files.remove(path)


def count(study: Study) -> tuple[int, int]:
    """How many files are kept, and their bytes."""
    sizes = dict(study.originals.values_list("path", "size"))
    return len(sizes), sum(sizes.values())


def erase_all(*, study: Study, actor: User) -> int:
    """Erase every original, in any state of the study; how many there were."""
    with transaction.atomic():
        audit.hold(study.pk)
        number, size = count(study)
        drop(study.originals.all())
        if number:
            audit.record(
                study=study, actor=actor, verb="erase_originals",
                payload={"files": number, "bytes": size},
            )  # fmt: skip
    return number


def is_sealed(original: Original) -> bool:
    """Masks are handed out after unblinding only, whoever uploaded them."""
    mask = original.kind == Upload.Kind.MASK
    return mask and original.study.state != Study.State.UNBLINDED


def name_part(original: Original) -> str:
    return original.arm.key if original.arm else original.kind


def name_file(original: Original) -> str:
    """A name of the study's own words: what the file was called stays unsaid."""
    with files.locate(original.path).open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    label = original.case.label if original.case else "waiting"
    return f"{label}_{name_part(original)}.nii{'.gz' if packed else ''}"
