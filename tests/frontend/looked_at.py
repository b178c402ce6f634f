"""Makes a study that nobody rates, with a soft map, for the test of the viewer.

python -m tests.frontend.looked_at > seat.json
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import django
import numpy as np

from tests.volumes import make_affine, make_image, save

SHAPE = (24, 20, 8)


def make_study(folder: Path) -> dict[str, str]:
    from django.contrib.auth.models import User

    from inference import results
    from inference.models import Prediction
    from ratings import importing
    from ratings.models import Enrolment, Job, Study
    from tests.frontend.rated_studies import sign_in

    ada = User.objects.create_user("ada@example.org", is_staff=True)
    study = Study.objects.create(title="Looked at", created_by=ada)
    Enrolment.objects.create(study=study, user=ada, role=Enrolment.Role.COORDINATOR)
    affine = make_affine((1.0, 1.0, 3.0))
    image = make_image(SHAPE, np.random.default_rng(0))
    path = save(folder / "image.nii.gz", image, affine)
    case = importing.add_image(study=study, path=path, name=path.name, strata={})
    lesion = np.zeros(SHAPE, np.uint8)
    lesion[10:14, 8:12, 6] = 1
    for key in ("manual", "model"):
        arm = importing.ensure_arm(study=study, key=key)
        path = save(folder / f"{key}.nii.gz", lesion, affine)
        mask = importing.add_mask(case=case, arm=arm, path=path, name=path.name)
    soft = np.where(lesion > 0, np.float32(0.6), np.float32(0))
    soft[16, 10, 6] = 0.2
    maps = {"soft_path": soft, "mask_path": lesion}
    result = results.keep(case=case, key="k" * 64, maps=maps, provenance={})
    job = Job.objects.create(study=study, kind=Job.Kind.PREDICT, status=Job.Status.DONE)
    Prediction.objects.create(case=case, job=job, result=result, mask=mask)
    return {"path": f"/studies/{study.pk}/masks/", "cookie": sign_in(ada)}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        json.dump(make_study(Path(folder)), sys.stdout)


if __name__ == "__main__":
    main()
