"""People on the staff register from a page what an operator put on the server."""

from __future__ import annotations

import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from inference import registering, shelf
from inference.models import Ensemble
from inference.registering import RegistrationRefused, Stored
from ratings import jobs
from ratings.models import Job, WorkerBeat
from tests.inference.programs import brightest, write_list, write_program

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def models_dir(settings: Any, tmp_path: Path, ensemble_folder: Path) -> Path:
    """A folder, a zip, and what is neither."""
    home = tmp_path / "models"
    home.mkdir()
    shutil.copytree(ensemble_folder, home / "cord 2026")
    shutil.make_archive(str(home / "packed"), "zip", ensemble_folder)
    (home / "notes.txt").write_text("mine")
    (home / "empty").mkdir()
    settings.MODELS_DIR = home
    settings.ENSEMBLES_DIR = tmp_path / "ensembles"
    return home


@pytest.fixture
def url() -> str:
    return reverse("models")


def page(client: Client, url: str) -> str:
    return client.get(url).content.decode()


def post(client: Client, url: str, **form: str) -> str:
    return client.post(url, form, follow=True).content.decode()


def run(job: Job) -> Job:
    claimed = jobs.claim(job_id=job.pk, worker="me")
    assert claimed
    shelf.run_job(claimed, report=lambda *_: None, cancelled=lambda: False)
    job.refresh_from_db()
    return job


def test_the_page_lists_models_and_nothing_else(
    coordinator: Client, url: str, models_dir: Path
) -> None:
    names = [(entry.name, entry.kind, entry.folds) for entry in shelf.list_entries()]
    assert names == [("cord 2026", "folder", 3), ("packed.zip", "zip", 0)]
    text = page(coordinator, url)
    assert 'value="cord-2026"' in text
    assert "notes.txt" not in text


def test_an_empty_shelf_says_where_to_put_a_model(
    coordinator: Client, url: str, settings: Any, tmp_path: Path
) -> None:
    settings.MODELS_DIR = tmp_path / "none"
    assert f"{tmp_path}/none" in page(coordinator, url)


def test_a_model_is_registered_by_a_job_of_the_worker(
    coordinator: Client, url: str, models_dir: Path
) -> None:
    post(coordinator, url, entry="packed.zip", name="cord", label="Cord lesions")
    job = Job.objects.get(kind=Job.Kind.REGISTER)
    text = page(coordinator, url)
    assert "Being checked" in text
    assert "No worker is running" in text
    assert not Ensemble.objects.exists()
    assert run(job).message == "Registered as cord."
    ensemble = Ensemble.objects.get()
    assert (ensemble.name, ensemble.label, ensemble.folds) == (
        "cord", "Cord lesions", 3,
    )  # fmt: skip
    text = page(coordinator, url)
    assert ensemble.digest in text
    assert 'Registered</span> <span class="soft">as cord' in text


def test_a_refused_model_says_why_and_can_be_tried_again(
    coordinator: Client, url: str, models_dir: Path
) -> None:
    (models_dir / "cord 2026" / "plans.json").write_text("{")
    post(coordinator, url, entry="cord 2026", name="cord")
    job = Job.objects.get()
    with pytest.raises(jobs.JobFailed, match="not valid JSON") as failure:
        run(job)
    jobs.fail(job_id=job.pk, worker="me", error=str(failure.value))
    text = page(coordinator, url)
    assert "plans.json is not valid JSON" in text
    post(coordinator, url, entry="cord 2026", name="cord")
    assert Job.objects.get().pk != job.pk


@pytest.mark.parametrize(
    "entry", ["../../etc", "/etc/passwd", "empty", "notes.txt", ""]
)
def test_only_what_is_listed_can_be_asked_for(
    coordinator: Client, url: str, models_dir: Path, entry: str
) -> None:
    assert "is not in" in post(coordinator, url, entry=entry, name="cord")
    assert not Job.objects.exists()


def test_a_second_request_and_an_odd_name_are_refused(
    coordinator: Client, url: str, models_dir: Path
) -> None:
    assert "can&#x27;t be used" in post(
        coordinator, url, entry="packed.zip", name="two words"
    )
    shelf.submit(entry="packed.zip", name="cord", label="")
    with pytest.raises(RegistrationRefused, match="already"):
        shelf.submit(entry="packed.zip", name="cord", label="")


def test_an_entry_that_the_worker_does_not_see_is_said(models_dir: Path) -> None:
    job = shelf.submit(entry="packed.zip", name="cord", label="")
    (models_dir / "packed.zip").unlink()
    with pytest.raises(jobs.JobFailed, match="share that folder"):
        run(job)


def test_the_list_refreshes_itself_only_while_a_model_is_checked(
    coordinator: Client, models_dir: Path
) -> None:
    part = reverse("models-list")
    assert coordinator.get(part, headers=HTMX).headers["HX-Refresh"] == "true"
    shelf.submit(entry="packed.zip", name="cord", label="")
    WorkerBeat.objects.create(worker="w", beat_at=timezone.now())
    answer = coordinator.get(part, headers=HTMX).content.decode()
    assert 'hx-trigger="every 2s"' in answer
    assert "<html" not in answer
    assert "No worker" not in answer
    assert Client().get(part, headers=HTMX).headers["HX-Refresh"] == "true"


def test_raters_and_strangers_find_no_such_page(
    rater: Client, url: str, models_dir: Path
) -> None:
    assert rater.get(url).status_code == 404
    form = {"entry": "packed.zip", "name": "cord"}
    assert rater.post(url, form).status_code == 404
    assert Client().post(url, form).status_code == 302
    assert not Job.objects.filter(kind=Job.Kind.REGISTER).exists()


def test_programs_and_faults_of_their_list_are_shown(
    coordinator: Client, url: str, settings: Any, tmp_path: Path
) -> None:
    settings.TOOLS_FILE = tmp_path / "tools.toml"
    write_list(settings.TOOLS_FILE, mark=brightest(write_program(tmp_path)))
    assert "Brightest 0.9" in page(coordinator, url)
    settings.TOOLS_FILE.write_text("[mark]\ncommand = 3")
    assert "must be a list of texts" in page(coordinator, url)


def listed(**options: Any) -> str:
    out = StringIO()
    call_command("ensembles", stdout=out, **options)
    return out.getvalue()


def test_the_command_lists_ensembles_and_programs(
    ensemble: Ensemble, settings: Any, tmp_path: Path
) -> None:
    settings.TOOLS_FILE = tmp_path / "tools.toml"
    write_list(settings.TOOLS_FILE, mark=brightest(write_program(tmp_path)))
    text = listed()
    assert "random               Random weights" in text
    assert f"3 folds, ResidualEncoderUNet, {ensemble.digest}" in text
    assert "mark.py" in text
    assert f'"sha256": "{ensemble.digest}"' in listed(json=True)


def test_the_command_says_how_to_begin(settings: Any, tmp_path: Path) -> None:
    settings.TOOLS_FILE = tmp_path / "none"
    assert "register one with" in listed()


def test_the_command_fails_where_files_are_lost(
    stored: Stored, settings: Any, tmp_path: Path
) -> None:
    settings.TOOLS_FILE = tmp_path / "tools.toml"
    settings.TOOLS_FILE.write_text("nonsense")
    registering.enter(name="lost", label="", stored=stored)
    Ensemble.objects.update(folder=str(tmp_path / "gone"))
    with pytest.raises(CommandError, match=r"can't be read(.|\n)*TOML"):
        listed()
