"""A program of the operator's becomes an arm, within limits and without secrets."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.checks import run_checks
from django.test import Client
from django.urls import reverse

from inference import batches, progress, tools
from inference.models import Prediction, Result
from inference.sources import Source
from inference.tools import ToolsRefused
from ratings import files, images, jobs
from ratings.models import Arm, Job, Mask, Study
from tests.inference.programs import brightest, write_list, write_program
from tests.inference.test_predictions import refusal, run
from tests.ratings.conftest import AddCases

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def listed(settings: Any, tmp_path: Path) -> Path:
    settings.TOOLS_FILE = tmp_path / "tools.toml"
    return tmp_path / "tools.toml"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return write_program(tmp_path)


def submit(study: Study, name: str = "mark", label: str = "Program") -> list[Job]:
    tool = tools.list_tools()[name]
    batch = batches.submit(
        study=study, actor=study.created_by, source=Source(tool=tool), label=label,
        settings={},
    )  # fmt: skip
    return list(batches.list_jobs(batch.arm))


def test_a_program_s_mask_becomes_an_arm(
    study: Study, add_cases: AddCases, listed: Path, program: Path
) -> None:
    add_cases(2)
    write_list(listed, mark=brightest(program, version=[sys.executable, "--version"]))
    for job in submit(study):
        run(job)
    arm = Arm.objects.get(key="program")
    assert (arm.kind, arm.source["tool"]) == (Arm.Kind.TOOL, "mark")
    for mask in Mask.objects.filter(arm=arm).select_related("case"):
        image = images.decode_image(files.locate(mask.case.image_path).read_bytes())
        stored, grid = images.decode_mask(files.locate(mask.path).read_bytes())
        voxels = np.asarray(image.voxels)
        assert np.array_equal(stored, voxels > np.quantile(voxels, 0.9))
        assert grid == image.grid
        assert mask.provenance["version"].startswith("Python 3")
        assert len(mask.provenance["program_sha256"]) == 64
    result = Result.objects.first()
    assert result
    assert "marked" in result.log
    assert "a warning" in result.log


def test_several_engines_give_several_arms_of_one_study(
    study: Study, add_cases: AddCases, listed: Path, program: Path, ensemble: Any
) -> None:
    add_cases(1)
    write_list(
        listed,
        bright=brightest(program),
        brighter=brightest(program, above=0.99),
    )
    run(submit(study, "bright", "Bright")[0])
    run(submit(study, "brighter", "Brighter")[0])
    batch = batches.submit(
        study=study, actor=study.created_by, source=Source(ensemble=ensemble),
        label="Ensemble", settings={"rule": "sct"},
    )  # fmt: skip
    run(batches.list_jobs(batch.arm)[0])
    sizes = [Mask.objects.get(arm__key=k).voxels for k in ("bright", "brighter")]
    assert sizes[0] > sizes[1] > 0
    assert Mask.objects.filter(arm__key="ensemble").exists()
    assert Prediction.objects.filter(tool="bright", ensemble=None).count() == 1
    overviews = {o.arm.key: o.described for o in progress.survey(study)}
    assert overviews["bright"] == "Brightest 0.9, a program of the operator’s"


def test_the_same_program_is_not_run_twice_on_an_image(
    study: Study, add_cases: AddCases, listed: Path, program: Path, tmp_path: Path
) -> None:
    add_cases(1)
    text = program.read_text() + f"\nopen({str(tmp_path / 'ran')!r}, 'a').write('x')"
    write_list(listed, mark=brightest(write_program(tmp_path, text=text)))
    run(submit(study)[0])
    run(submit(study, label="Again")[0])
    assert (tmp_path / "ran").read_text() == "x"
    assert Mask.objects.filter(arm__kind=Arm.Kind.TOOL).count() == 2


SPY = """
import json, os, sys
json.dump([dict(os.environ), os.getcwd(), sys.argv[1:]], open(sys.argv[2], 'w'))
"""


def test_a_program_sees_a_folder_of_its_own_and_no_credentials(
    study: Study,
    add_cases: AddCases,
    listed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_cases(1)
    for name in ("SECRET_KEY", "DATABASE_URL", "EMAIL_URL", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "hush-hush")
    monkeypatch.setenv("SCT_DIR", "/opt/sct")
    spy, seen = write_program(tmp_path, text=SPY, name="spy.py"), tmp_path / "seen"
    odd = "; touch /tmp/$(id) `id` && echo"
    command = [sys.executable, str(spy), "{image}", str(seen), odd, "--out={mask}"]
    write_list(listed, spy={"command": command, "environment": ["SCT_DIR"]})
    assert "wrote 0 files" in refusal(submit(study, "spy")[0])
    environment, folder, arguments = json.loads(seen.read_text())
    assert "hush-hush" not in seen.read_text()
    assert environment["SCT_DIR"] == "/opt/sct"
    assert environment["HOME"] == environment["TMPDIR"] == folder
    assert arguments[0] == f"{folder}/image.nii.gz"
    assert arguments[2:] == [odd, f"--out={folder}/mask.nii.gz"]
    assert not Path(folder).exists()


@pytest.mark.parametrize(
    ("text", "keys", "sentence"),
    [
        ("import sys; print('no GPU here'); sys.exit(3)", {}, "ended with exit code 3"),
        ("import time; time.sleep(60)", {"minutes": 0.01}, "0.6 seconds, its time"),
        ("x = bytearray(3 * 10**8)", {"memory_gib": 0.2}, "ended with exit code 1"),
        ("import os; os.kill(os.getpid(), 9)", {}, "ended by the signal SIGKILL"),
        ("pass", {}, "wrote 0 files"),
        ("import sys; open(sys.argv[2], 'w').write('no')", {}, "can't be used"),
    ],
)
def test_what_goes_wrong_is_said_and_the_log_is_kept(
    study: Study,
    add_cases: AddCases,
    listed: Path,
    tmp_path: Path,
    text: str,
    keys: dict[str, Any],
    sentence: str,
) -> None:
    add_cases(1)
    program = write_program(tmp_path, text=f"print('begun', flush=True)\n{text}")
    write_list(listed, mark=brightest(program, **keys))
    (job,) = submit(study)
    claimed = jobs.claim(job_id=job.pk, worker="me")
    assert claimed
    from inference import predictions

    with pytest.raises(jobs.JobFailed, match=sentence) as failure:
        predictions.run_job(claimed, report=lambda *_: None, cancelled=lambda: False)
    assert "begun" in failure.value.log
    assert not Mask.objects.filter(arm__key="program").exists()
    assert not Result.objects.exists()


WRONG_GRID = """
import sys, nibabel, numpy
mask = nibabel.Nifti1Image(numpy.ones((3, 3, 3), 'uint8'), numpy.eye(4))
nibabel.save(mask, sys.argv[2])
"""


def test_a_program_s_mask_passes_the_gate_of_an_upload(
    study: Study, add_cases: AddCases, listed: Path, tmp_path: Path
) -> None:
    add_cases(1)
    write_list(listed, mark=brightest(write_program(tmp_path, text=WRONG_GRID)))
    said = refusal(submit(study)[0])
    assert "has 3×3×3 voxels, its image 24×20×8" in said


def test_a_cancelled_program_and_its_children_are_gone(
    study: Study, add_cases: AddCases, listed: Path, tmp_path: Path
) -> None:
    add_cases(1)
    beat = tmp_path / "beat"
    loop = f"open({str(beat)!r}, 'a').write('x'); time.sleep(0.05)"
    child = f"import time\nwhile True:\n {loop}"
    text = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])"
    write_list(listed, mark=brightest(write_program(tmp_path, text=text)))
    (job,) = submit(study)
    with pytest.raises(jobs.LeaseLost):
        run(job, cancelled=beat.exists)
    size = beat.stat().st_size
    time.sleep(0.3)
    assert beat.stat().st_size == size


def test_an_output_is_found_by_its_pattern(
    study: Study, add_cases: AddCases, listed: Path, program: Path
) -> None:
    add_cases(1)
    out = "{folder}/image_lesionseg.nii.gz"
    command = [sys.executable, str(program), "{image}", out, "0.9"]
    write_list(listed, mark={"command": command, "output": "*_lesionseg.nii.gz"})
    run(submit(study)[0])
    assert Mask.objects.get(arm__key="program").voxels > 0


def test_a_program_that_left_the_list_or_the_machine_is_named(
    study: Study, add_cases: AddCases, listed: Path, program: Path
) -> None:
    add_cases(1)
    write_list(listed, mark={"command": ["sct_nowhere", "{image}", "{mask}"]})
    (job,) = submit(study)
    assert "sct_nowhere of “mark” is not on this worker's machine" in refusal(job)
    listed.unlink()
    Job.objects.filter(pk=job.pk).update(status=Job.Status.QUEUED)
    assert "No program “mark” is in the operator's list" in refusal(job)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({}, "names no command|must be a list"),
        ({"command": "mark {image}"}, "never names {mask}"),
        ({"command": "mark {mask}"}, "where {image} goes"),
        ({"command": "mark {image} {mask} {case}"}, "uses {case}"),
        ({"command": "mark 'a {image} {mask}"}, "No closing quotation"),
        ({"command": 3}, "must be a list of texts"),
        ({"command": "m {image}", "output": "../x"}, "own folder"),
        ({"command": "m {image} {mask}", "minutes": 0}, "above 0"),
        ({"command": "m {image} {mask}", "memory_gib": "much"}, "must be a number"),
        ({"command": "m {image} {mask}", "shell": "yes"}, "unknown key shell"),
        (
            {"command": "m {image} {mask}", "environment": ["SECRET_KEY"]},
            "holds a password",
        ),
    ],
)
def test_a_fault_in_the_list_is_said_at_the_start(
    listed: Path, keys: dict[str, Any], sentence: str
) -> None:
    write_list(listed, mark=keys)
    with pytest.raises(ToolsRefused, match=sentence):
        tools.list_tools()
    assert "blindfold.E005" in {message.id for message in run_checks()}


def test_a_command_in_one_text_is_split_as_a_shell_would(listed: Path) -> None:
    write_list(listed, lesion={"command": "sct_deepseg lesion_ms -i {image} -o {mask}"})
    assert tools.list_tools()["lesion"].command == (
        "sct_deepseg", "lesion_ms", "-i", "{image}", "-o", "{mask}",
    )  # fmt: skip


def test_the_recipes_of_the_documentation_are_read() -> None:
    from tests.processes import ROOT

    text = (ROOT / "docs/models.md").read_text()
    (block,) = [part for part in text.split("```") if part.startswith("toml")]
    import tomllib

    recipes = tomllib.loads(block.removeprefix("toml"))
    assert len(recipes) == 6
    for name, keys in recipes.items():
        assert tools.read_tool(name, keys).command[0].startswith("sct_deepseg")


def test_a_coordinator_chooses_a_program_and_reads_its_log(
    coordinator: Client, study: Study, add_cases: AddCases, listed: Path, program: Path
) -> None:
    add_cases(1)
    write_list(listed, mark=brightest(program))
    url = reverse("predictions", args=[study.pk])
    form = {"source": "tool:mark", "label": "Bright", "rule": "paper"}
    coordinator.post(url, form)
    arm = Arm.objects.get(key="bright")
    assert arm.source["settings"] == {}
    (job,) = batches.list_jobs(arm)
    run(job)
    page = coordinator.get(url).content.decode()
    assert "Brightest 0.9, a program of the operator’s" in page
    log = coordinator.get(reverse("prediction-log", args=[study.pk, job.pk]))
    assert "marked" in log.content.decode()
