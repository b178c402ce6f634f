"""How long an upload takes from its bytes to the stored canonical pair."""

from __future__ import annotations

import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from django.contrib.auth.models import User

from bench.material import (
    ISOTROPIC,
    SAGITTAL,
    enlarge,
    make_coordinator,
    write_scan,
)
from bench.rows import Row
from config import demo
from config.scans import Scan
from ratings import committing, filenames, images, importing
from ratings.models import Study, Upload
from ratings.pairing import Pair

SIZES = {
    "18×512×512 int16": (SAGITTAL, 18, 512),
    "64×320×320 int16": (ISOTROPIC, 64, 320),
}
TIMES = 7
CHUNK = 2**16
# real scans and masks, where they are at hand
REAL = Path(__file__).parents[2] / "shared/data"


def run() -> list[Row]:
    user = make_coordinator()
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for name, size in SIZES.items():
            scan = prepare(Path(folder), *size)
            rows += [measure(name, scan, user), measure_verdict(name, scan.image)]
        return rows + [measure_verdict(p.name, p) for p in sorted(REAL.rglob("*.gz"))]


def prepare(folder: Path, seed: int, thin: int, wide: int) -> Scan:
    scan = write_scan(folder / str(seed), seed=seed, arms={"manual": 1})
    return enlarge(scan, thin=thin, wide=wide)


def measure(name: str, scan: Scan, user: User) -> Row:
    study = demo.start_study(title=f"Upload {name}", user=user, simulated=True)
    ours, theirs = [], []
    for _ in range(TIMES):
        theirs.append(time_reading(scan))
        ours.append(time_upload(scan, study=study, user=user))
    megabytes = scan.image.stat().st_size / 1e6
    return Row(
        f"upload to stored pair, {name}",
        statistics.median(ours),
        "s",
        f"image of {megabytes:.1f} MB and its mask, median of {TIMES}, fsync included",
        peer="nibabel only reads both",
        peer_value=statistics.median(theirs),
    )


def measure_verdict(name: str, path: Path) -> Row:
    """Processor seconds of one verdict, beside those of gunzip on the same file."""
    kind = "mask" if filenames.names_mask(path.name) else "image"
    ours, theirs = [], []
    for _ in range(TIMES):
        start = time.process_time()
        images.judge(path=path, name=path.name, kind=kind)
        ours.append(time.process_time() - start)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            ["gunzip", "-c", str(path)], stdout=subprocess.DEVNULL, check=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        theirs.append(sum(after[:2]) - sum(before[:2]))
    peer = statistics.median(theirs)
    return Row(
        f"verdict as {kind}, {name}", statistics.median(ours), "s",
        f"processor seconds, median of {TIMES}", goal=1.5 * peer,
        peer="gunzip", peer_value=peer,
    )  # fmt: skip


def time_reading(scan: Scan) -> float:
    start = time.perf_counter()
    for path in (scan.image, scan.masks["manual"]):
        file: Any = nib.load(path)
        np.asanyarray(file.dataobj)
    return time.perf_counter() - start


def time_upload(scan: Scan, *, study: Study, user: User) -> float:
    start = time.perf_counter()
    image = receive(scan.image, study=study, user=user)
    mask = receive(scan.masks["manual"], study=study, user=user)
    pair = Pair(str(image.id), {"manual": str(mask.id)})
    committing.commit_pairs(study=study, user=user, pairs=[pair])
    return time.perf_counter() - start


def receive(path: Path, *, study: Study, user: User) -> Upload:
    return importing.receive(
        study=study, user=user, name=path.name, chunks=read_chunks(path)
    )


def read_chunks(path: Path) -> Iterator[bytes]:
    """The file as the web server hands it over."""
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk
