"""The scans and the study open for rating that several benches measure with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from config import demo
from config.scans import Scan, write_phantom
from ratings import invitations, protocol
from ratings.models import Session

SAGITTAL, AXIAL, ISOTROPIC = 9_000, 9_001, 9_002
ARMS = {"manual": 1, "model": 2}


@dataclass(frozen=True)
class Rater:
    """What a signed-in browser holds: the room's key and the session's cookie."""

    key: str
    cookie: str


def write_scan(folder: Path, *, seed: int, arms: dict[str, int] | None = None) -> Scan:
    folder.mkdir(exist_ok=True)
    return write_phantom(folder, seed, ARMS if arms is None else arms)


def enlarge(scan: Scan, *, thin: int, wide: int) -> Scan:
    """Give the scan's files a clinical matrix: `thin` voxels on the shortest axis.

    Voxels are repeated, and the image gets fresh noise, so that it compresses as a
    scan does.
    """
    rng = np.random.default_rng(1)
    for path in (scan.image, *scan.masks.values()):
        file: Any = nib.load(path)
        voxels = np.asanyarray(file.dataobj)
        shape = [wide] * 3
        shape[int(np.argmin(voxels.shape))] = thin
        picks = [
            np.arange(m) * n // m for n, m in zip(voxels.shape, shape, strict=True)
        ]
        affine = file.affine @ np.diag([*np.divide(voxels.shape, shape), 1.0])
        voxels = voxels[np.ix_(*picks)]
        if path == scan.image:
            noise = rng.normal(0, 0.02 * float(voxels.max()), shape)
            voxels = np.rint(np.abs(voxels + noise)).astype(np.int16)
        nib.save(nib.Nifti1Image(voxels, affine), path)
    return scan


def make_coordinator() -> User:
    user, _ = User.objects.get_or_create(
        username="bench@example.org", defaults={"is_staff": True}
    )
    return user


def open_study(*, title: str, scans: list[Scan], raters: int) -> list[Rater]:
    """A study that collects scores, and its raters, each with a session of theirs."""
    user = make_coordinator()
    study = demo.start_study(title=title, user=user, simulated=True)
    for scan in scans:
        demo.add_scan(study=study, scan=scan)
    for n in range(raters):
        invitations.add_rater(
            study=study, actor=user, name=f"Rater {n}", email=f"r{n}@example.org"
        )
    protocol.lock(study=study, actor=user)
    protocol.open_study(study=study, actor=user)
    sessions = Session.objects.filter(enrolment__study=study)
    return [sign_in(one) for one in sessions.select_related("enrolment__user")]


def sign_in(session: Session) -> Rater:
    client = Client()
    client.force_login(
        session.enrolment.user, backend=settings.AUTHENTICATION_BACKENDS[0]
    )
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    return Rater(key=session.key, cookie=cookie)
