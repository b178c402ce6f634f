"""A backup is whole and of one moment; restored, the site is what it was."""

from __future__ import annotations

import hashlib
import json
import random
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection

from config import backup, rows
from config.backup import BackupRefused
from ratings import results
from ratings.models import Score, Study
from tests import services, upgrades
from tests.processes import ROOT, environment

VERSIONS = re.findall(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
KEPT = upgrades.FOLDER / f"{VERSIONS[0]}.zip"
EXPORT = """
import django, hashlib
django.setup()
from ratings import results
from ratings.models import Study
study = Study.objects.get()
job = results.request(study)
results.run_job(job, report=lambda share, text: None, cancelled=lambda: False)
print(hashlib.sha256(results.read_bundle(study)).hexdigest())
"""


def silent(text: str) -> None:
    """Says nothing."""


class Elsewhere:
    """An empty site in a folder of its own, on the database that the tests run on."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder = folder
        more = {"DATABASE_URL": database} if database else {}
        self.env = environment(folder, **more)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words], cwd=ROOT, capture_output=True, text=True,
            env=self.env | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        )  # fmt: skip

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("manage.py", *words)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    if not services.on_postgres():
        yield Elsewhere(tmp_path / "elsewhere", "")
        return
    server, name = services.address("PostgreSQL"), "blindfold_elsewhere"
    with psycopg.connect(server, autocommit=True) as asked:
        asked.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        asked.execute(f"CREATE DATABASE {name}")
        yield Elsewhere(
            tmp_path / "elsewhere", urlunsplit(urlsplit(server)._replace(path=name))
        )
        asked.execute(f"DROP DATABASE {name} WITH (FORCE)")


def rewrite(source: Path, target: Path, changes: dict[str, bytes | None]) -> Path:
    """A zip that is whole as a zip, with entries changed, added or left out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if name not in changes:
                new.writestr(name, old.read(name))
        for name, data in changes.items():
            if data is not None:
                new.writestr(name, data)
    return target


def change_table(table: str, old: bytes, new: bytes, target: Path) -> Path:
    """A backup whose sums are right, and whose rows are not."""
    name = f"database/{table}.jsonl"
    with zipfile.ZipFile(KEPT) as archive:
        data = archive.read(name).replace(old, new, 1)
        manifest = json.loads(archive.read("manifest.json"))
    manifest["sha256"][name] = hashlib.sha256(data).hexdigest()
    changes = {name: data, "manifest.json": json.dumps(manifest).encode()}
    return rewrite(KEPT, target, {**changes})


@pytest.mark.slow
@pytest.mark.audited
@pytest.mark.django_db(transaction=True)
def test_after_a_restore_the_export_is_the_same_to_the_byte(
    settings: object, tmp_path: Path, elsewhere: Elsewhere
) -> None:
    settings.FILES_DIR = tmp_path / "files"  # type: ignore[attr-defined]
    study = upgrades.make_study()
    job = results.request(study)
    results.run_job(job, report=lambda share, text: None, cancelled=lambda: False)
    before = results.read_bundle(study)
    written = backup.write_backup(tmp_path, say=silent)
    assert written.stat().st_mode & 0o077 == 0
    done = elsewhere.manage("restore", str(written))
    assert done.returncode == 0, done.stderr
    assert "holds" in done.stdout
    stored = next((elsewhere.folder / "files" / "bundles").rglob("*.zip"))
    assert stored.read_bytes() == before
    stored.unlink()
    again = elsewhere.run("-c", EXPORT)
    assert again.stdout.strip() == hashlib.sha256(before).hexdigest(), again.stderr
    second = elsewhere.manage("restore", str(written))
    assert (second.returncode, "has tables already" in second.stderr) == (1, True)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_of_the_change_log_can_be_upgraded(
    version: str, elsewhere: Elsewhere
) -> None:
    done = elsewhere.manage("restore", str(upgrades.FOLDER / f"{version}.zip"))
    assert done.returncode == 0, done.stderr
    assert "An upgrade" in done.stdout
    checked = elsewhere.manage(
        "check", "--database", "default", "--fail-level", "WARNING"
    )
    assert checked.returncode == 0, checked.stderr
    # New rows get numbers of their own, and the guard is up again.
    script = (
        "import django; django.setup()\n"
        "from django.contrib.auth.models import User\n"
        "from ratings.models import Score\n"
        "User.objects.create_user('new@example.org')\n"
        "print(Score.objects.count())\n"
        "Score.objects.all().delete()"
    )
    refused = elsewhere.run("-c", script)
    assert refused.stdout.strip() == str(2 * upgrades.CASES * upgrades.RATERS)
    assert "append-only" in refused.stderr


@pytest.mark.slow
@pytest.mark.django_db
def test_a_restore_that_fails_leaves_the_place_empty(
    tmp_path: Path, elsewhere: Elsewhere
) -> None:
    bad = change_table(
        "ratings_score", b'"revision": 1', b'"revision": null', tmp_path / "b"
    )
    for _ in range(2):
        done = elsewhere.manage("restore", str(bad))
        assert (done.returncode, "tables already" in done.stderr) == (1, False)
        assert not (elsewhere.folder / "files").exists()


@pytest.mark.django_db(transaction=True)
def test_a_backup_is_of_one_moment_while_others_write() -> None:
    def write() -> None:
        User.objects.create_user("late@example.org")
        connection.close()

    with rows.hold_snapshot():
        before = User.objects.count()
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(timeout=30)
        assert not writer.is_alive()
        assert User.objects.count() == before
    assert User.objects.count() == before + 1


@pytest.mark.django_db(transaction=True)
def test_nothing_is_written_over_and_no_half_stays(
    settings: object, tmp_path: Path
) -> None:
    settings.FILES_DIR = tmp_path / "files"  # type: ignore[attr-defined]
    (tmp_path / "files" / "quarantine").mkdir(parents=True)
    (tmp_path / "files" / "quarantine" / "x.bin").write_bytes(b"not judged yet")
    taken = tmp_path / "taken.zip"
    taken.write_bytes(b"precious")
    with pytest.raises(BackupRefused, match="exists already"):
        backup.write_backup(taken, say=silent)
    with pytest.raises(BackupRefused, match="no folder"):
        backup.write_backup(tmp_path / "none" / "b.zip", say=silent)
    assert taken.read_bytes() == b"precious"
    written = backup.write_backup(tmp_path / "new.zip", say=silent)
    names = backup.check_archive(written)["sha256"]
    assert "database/auth_user.jsonl" in names
    assert not any("quarantine" in name or "django_session" in name for name in names)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "files",
        "new.zip",
        "taken.zip",
    ]


class Remover:
    """Takes a stored file away whenever the rows were written and it was not yet."""

    def __init__(self, files: list[Path]) -> None:
        self.files = files

    def __call__(self, text: str) -> None:
        if text.startswith("Database:") and self.files:
            self.files.pop().unlink()


@pytest.mark.django_db(transaction=True)
def test_a_file_that_goes_while_it_is_written_begins_it_again(
    settings: object, tmp_path: Path
) -> None:
    settings.FILES_DIR = tmp_path / "files"  # type: ignore[attr-defined]
    (tmp_path / "files").mkdir()
    files = [tmp_path / "files" / f"{n}.bin" for n in range(9)]
    for file in files:
        file.write_bytes(b"\1" * 99)
    written = backup.write_backup(tmp_path / "b.zip", say=Remover(files[:2]))
    assert (
        sum("files/" in name for name in backup.check_archive(written)["sha256"]) == 7
    )
    with pytest.raises(BackupRefused, match="Run it again"):
        backup.write_backup(tmp_path / "c.zip", say=Remover(files[2:]))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.zip", "files"]


@pytest.mark.slow
@pytest.mark.django_db
def test_a_site_that_is_not_there_is_not_backed_up(
    tmp_path: Path, elsewhere: Elsewhere
) -> None:
    done = elsewhere.manage("backup", str(tmp_path / "b.zip"))
    assert done.returncode == 1
    assert "has no tables" in done.stderr
    assert not (tmp_path / "b.zip").exists()
    elsewhere.env["DATABASE_URL"] = "postgres://nobody@127.0.0.1:1/none"
    for words in (("backup", str(tmp_path)), ("restore", str(KEPT))):
        away = elsewhere.manage(*words)
        assert "The database does not answer" in away.stderr
        assert "Traceback" not in away.stderr


@pytest.mark.slow
@pytest.mark.django_db
def test_a_disk_that_gets_full_is_named_and_left_empty(
    tmp_path: Path, elsewhere: Elsewhere
) -> None:
    # A file may not get larger: the database's own on SQLite, else a stored one.
    most = 1_000 if services.on_postgres() else 200_000
    script = (
        "import resource\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))\n"
        "from django.core.management import execute_from_command_line\n"
        f"execute_from_command_line(['manage.py', 'restore', {str(KEPT)!r}])"
    )
    done = elsewhere.run("-c", script)
    assert done.returncode == 1
    assert "The place is empty again." in done.stderr
    assert not (elsewhere.folder / "files").exists()


def test_no_flipped_bit_ends_in_a_fault_of_the_program(tmp_path: Path) -> None:
    whole, target = KEPT.read_bytes(), tmp_path / "flipped.zip"
    dice, refused = random.Random(8), 0
    for _ in range(200):
        harmed = bytearray(whole)
        harmed[dice.randrange(len(whole))] ^= 1 << dice.randrange(8)
        target.write_bytes(harmed)
        try:
            backup.check_archive(target)
        except BackupRefused:
            refused += 1
    # the others are in what no reader looks at, as the time of an entry
    assert refused > 100


@pytest.mark.parametrize("harm", ["changed", "missing", "added", "cut", "no zip"])
def test_a_damaged_backup_is_refused(tmp_path: Path, harm: str) -> None:
    name, target = "database/ratings_score.jsonl", tmp_path / "damaged.zip"
    changes: dict[str, dict[str, bytes | None]] = {
        "changed": {name: b"{}\n"},
        "missing": {name: None},
        "added": {"files/more": b"more"},
    }
    if harm in changes:
        rewrite(KEPT, target, changes[harm])
    else:
        target.write_bytes(KEPT.read_bytes()[:-200] if harm == "cut" else b"hello")
    with pytest.raises(BackupRefused, match=r"damaged|lacks|whole"):
        backup.check_archive(target)


@pytest.mark.django_db
def test_a_backup_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(KEPT) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    manifest["migrations"].append(["ratings", "9999_of_the_future"])
    later = rewrite(
        KEPT, tmp_path / "later.zip", {"manifest.json": json.dumps(manifest).encode()}
    )
    with pytest.raises(BackupRefused, match="newer version"):
        backup.restore_backup(later, say=silent)


@pytest.mark.django_db
def test_a_site_that_is_in_use_is_never_restored_over(ada_study: Study) -> None:
    with pytest.raises(BackupRefused, match="has tables already"):
        backup.restore_backup(KEPT, say=silent)
    assert Study.objects.get() == ada_study
    assert not Score.objects.exists()


@pytest.fixture
def ada_study(db: None) -> Study:
    ada = User.objects.create_user("ada@example.org")
    return Study.objects.create(title="In use", created_by=ada)


@pytest.mark.parametrize(
    "name", ["files/../../out", "files//etc/out", "other/x", "files/"]
)
def test_no_name_leads_out_of_the_data_folder(
    settings: object, tmp_path: Path, name: str
) -> None:
    settings.FILES_DIR = tmp_path / "files"  # type: ignore[attr-defined]
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr(name, b"x")
        with pytest.raises(BackupRefused, match="outside"):
            backup.put_file(archive, name)
