"""A hundred and fifty hostile files, by the web route and by command: one verdict."""

from __future__ import annotations

import ast
import io
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, TestCase
from django.urls import reverse

from ratings import files, images, streams
from ratings.images import WARNINGS
from ratings.models import Study, Upload
from tests.processes import ROOT, environment
from tests.ratings import hostile
from tests.volumes import make_affine

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
MIB = 2**20
PEAK = """
import json, resource, sys, time
import django
django.setup()
from pathlib import Path
from ratings import importing
start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name in sys.argv[1:]:
    begin = time.process_time()
    verdict = importing.examine(path=Path(name), name=name).verdict
    print(json.dumps([verdict.code, time.process_time() - begin]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start)
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, hostile.Awkward]:
    folder = tmp_path_factory.mktemp("hostile")
    found = {folder / awkward.name: awkward for awkward in hostile.list_files()}
    for path, awkward in found.items():
        path.write_bytes(awkward.data())
    return found


@pytest.fixture
def temporary_files_in_tmp(settings: Any, tmp_path: Path) -> Path:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    return tmp_path


def list_places(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def read_memory(key: str) -> int:
    """A figure of this process in bytes, such as VmHWM, the most it ever held."""
    text = Path("/proc/self/status").read_text()
    found = re.search(rf"^{key}:\s+(\d+) kB", text, re.MULTILINE)
    assert found
    return int(found[1]) * 1024


def test_there_are_more_than_a_hundred_with_names_of_their_own(
    corpus: dict[Path, hostile.Awkward],
) -> None:
    assert len(corpus) > 140


def test_each_file_gets_its_verdict_by_the_web_and_nothing_is_left_behind(
    corpus: dict[Path, hostile.Awkward],
    study: Study,
    coordinator: Client,
    temporary_files_in_tmp: Path,
) -> None:
    address = reverse("uploads", args=[study.pk])
    outside = list_places(ROOT / "static") | list_places(ROOT / "ratings")
    Path("/proc/self/clear_refs").write_text("5")
    before = read_memory("VmRSS")
    wrong: list[tuple[str, int, tuple[str, str]]] = []
    stored: dict[str, set[str]] = {"image": set(), "mask": set()}
    for path, awkward in corpus.items():
        start = time.monotonic()
        with path.open("rb") as stream:
            file = SimpleUploadedFile(awkward.name, stream.read())
        answer = coordinator.post(address, {"file": file})
        told = json.loads(answer.content)
        upload = Upload.objects.get(pk=told["id"])
        # many of them are one image, which is remarked on beside what is stored
        own, said = upload.verdict, (told["verdict"], told["code"])
        assert said in ((own["verdict"], own["code"]), ("warn", "duplicate_image"))
        got = (own["verdict"], own["code"])
        status = 422 if awkward.verdict == "reject" else 201
        fast = time.monotonic() - start < 20
        if got != (awkward.verdict, awkward.code) or answer.status_code != status:
            wrong.append((awkward.name, answer.status_code, got))
        assert fast
        assert awkward.name in told["message"]
        assert bool(upload.path) is (awkward.verdict != "reject")
        if awkward.group:
            stored[awkward.group].add(upload.facts["sha256"])
    assert wrong == []
    assert {group: len(digests) for group, digests in stored.items()} == {
        "image": 1,
        "mask": 1,
    }
    assert read_memory("VmHWM") - before < 200 * MIB
    kept = {files.locate(u.path) for u in study.uploads.exclude(path="")}
    assert list_places(Path(files.locate(""))) == kept
    assert outside == list_places(ROOT / "static") | list_places(ROOT / "ratings")
    with TestCase.captureOnCommitCallbacks(execute=True):
        coordinator.post(reverse("uploads-clear", args=[study.pk]))
    assert list_places(Path(files.locate(""))) == set()


def test_the_command_says_the_same_as_the_web(
    corpus: dict[Path, hostile.Awkward], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "validate", "--json", *map(str, corpus)],
        cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    told = {Path(one["file"]): (one["verdict"], one["code"]) for one in lines}
    assert told == {path: (a.verdict, a.code) for path, a in corpus.items()}
    assert all(
        set(one) == {"file", "verdict", "code", "message", "warnings"} for one in lines
    )
    assert "Traceback" not in done.stderr


def test_bombs_are_refused_in_a_tenth_of_a_second_and_a_hundred_megabytes(
    corpus: dict[Path, hostile.Awkward], tmp_path: Path
) -> None:
    bombs = [str(path) for path in corpus if path.name.startswith("bomb")]
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *bombs],
        cwd=ROOT, capture_output=True, text=True, check=True,
        env=environment(tmp_path, DJANGO_SETTINGS_MODULE="config.settings"),
    )  # fmt: skip
    *told, grown = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == 3
    assert all(seconds < 0.1 for _, seconds in told), told
    assert grown * 1024 < 100 * MIB


def test_an_image_without_orientation_takes_a_mask_without_one(tmp_path: Path) -> None:
    unplaced = (("<h", 252, 0), ("<h", 254, 0))
    image, mask = tmp_path / "i.nii", tmp_path / "m.nii"
    image.write_bytes(hostile.patch(hostile.image(), *unplaced))
    mask.write_bytes(hostile.patch(hostile.mask(), *unplaced))
    free = images.read_image(path=image, name="i").grid
    assert images.judge(path=mask, name="m", kind="mask", grid=free).verdict == "warn"
    image.write_bytes(hostile.image())
    placed = images.read_image(path=image, name="i").grid
    verdict = images.judge(path=mask, name="m", kind="mask", grid=placed)
    assert verdict.verdict == "reject"


@pytest.mark.parametrize("step", [0.001, 0.005, 0.0099, 0.0101, 0.02, 0.1, 0.5])
@pytest.mark.parametrize("degrees", [0.0, 20.0, 44.9999, 45.0001])
def test_a_shift_is_accepted_up_to_a_hundredth_of_a_voxel_on_any_oblique_grid(
    tmp_path: Path, step: float, degrees: float
) -> None:
    affine = make_affine((0.7, 0.7, 3.0), degrees=degrees)
    moved = affine.copy()
    moved[:3, 3] += step * affine[:3, 0]
    image, mask = tmp_path / "i.nii", tmp_path / "m.nii"
    image.write_bytes(hostile.write(hostile.image_voxels(), affine))
    mask.write_bytes(hostile.write(hostile.mask_voxels(), moved))
    grid = images.read_image(path=image, name="i").grid
    verdict = images.judge(path=mask, name="m", kind="mask", grid=grid)
    assert (verdict.verdict == "accept") is (step <= 0.01), verdict
    if step > 0.01:
        assert f"{step:.2f} voxels away" in verdict.message


def test_where_two_axes_are_as_near_each_may_be_stored_first(tmp_path: Path) -> None:
    """At 45° the image and its mask may be turned differently by a rounding error."""
    ours = make_affine((0.7, 0.7, 0.7), degrees=45 - 1e-4)
    theirs = make_affine((0.7, 0.7, 0.7), degrees=45 + 1e-4)
    image, mask = tmp_path / "i.nii", tmp_path / "m.nii"
    image.write_bytes(hostile.write(hostile.image_voxels(), ours))
    mask.write_bytes(hostile.write(hostile.mask_voxels(), theirs))
    grid = images.read_image(path=image, name="i").grid
    volume = images.read_mask(path=mask, name="m")
    placed = images.place_mask(mask=volume, grid=grid, name="m")
    original = images.read_image(path=image, name="i")
    assert placed.shape == original.voxels.shape
    assert int(placed.sum()) == int(hostile.mask_voxels().sum())


def list_codes() -> set[str]:
    """Every code that the source can give, read from the calls themselves."""
    found = set(WARNINGS) | {"ok"}
    for path in (ROOT / "ratings").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
                "ImageRefused",
            ):
                code = node.args[0]
                assert isinstance(code, ast.Constant), path
                found.add(str(code.value))
    return found


def test_every_code_is_documented_and_no_other() -> None:
    text = (ROOT / "docs/validation.md").read_text()
    documented = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    assert documented == list_codes()


def test_a_stream_of_many_empty_members_costs_no_more_than_its_length() -> None:
    """Two megabytes of them, each of which zlib once copied to the end of the chunk."""
    stream = io.BytesIO(hostile.packed(b"") * 100_000)
    start = time.process_time()
    assert b"".join(streams.inflate(stream)) == b""
    assert time.process_time() - start < 1


@pytest.mark.parametrize("size", [1, 63, 255, 256, 257, 5000, 2**18 + 1])
def test_members_of_any_length_with_padding_between_give_all_their_bytes(
    size: int,
) -> None:
    parts = [bytes([n]) * size for n in range(1, 6)]
    stream = io.BytesIO(b"".join(hostile.packed(p) + bytes(size % 7) for p in parts))
    assert b"".join(streams.inflate(stream)) == b"".join(parts)
