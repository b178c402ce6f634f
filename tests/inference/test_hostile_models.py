"""Models made to do harm: refused with a sentence, and nothing of them is run."""

from __future__ import annotations

import json
import os
import shutil
import stat
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.errors import ModelError
from inference.nnunet import convert, intake
from inference.nnunet.plans import build_network, read_plans
from inference.registering import RegistrationRefused, store
from tests.inference.ensembles import make_plans


@pytest.fixture
def folder(ensemble_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(ensemble_folder, tmp_path / "copy"))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    place = tmp_path / "target"
    place.mkdir()
    return place


def refuse(source: Path, target: Path, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        convert.convert(source=source, target=target)


class Command:
    """A pickle that makes a folder when it is opened."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.place),)


def poison(folder: Path, ran: Path) -> None:
    torch.save(
        {"network_weights": Command(ran)}, folder / "fold_0/checkpoint_final.pth"
    )


@pytest.mark.django_db
def test_a_pickle_that_runs_code_is_refused_by_the_whole_way(
    folder: Path, tmp_path: Path, settings: Any
) -> None:
    settings.ENSEMBLES_DIR = tmp_path / "ensembles"
    poison(folder, tmp_path / "ran")
    with pytest.raises(RegistrationRefused, match="more than weights"):
        store(folder)
    assert not (tmp_path / "ran").exists()
    assert list((tmp_path / "ensembles").iterdir()) == []


def test_a_checkpoint_of_either_kind_is_checked_not_only_the_chosen_one(
    folder: Path, target: Path, tmp_path: Path
) -> None:
    torch.save(Command(tmp_path / "ran"), folder / "fold_0/checkpoint_best.pth")
    refuse(folder, target, "more than weights")
    assert not (tmp_path / "ran").exists()


def test_plans_that_name_a_loader_are_refused(
    folder: Path, target: Path, tmp_path: Path
) -> None:
    (folder / "hubconf.py").write_text(
        f"import os; os.mkdir({str(tmp_path / 'ran')!r})"
    )
    plans = make_plans()
    plans["configurations"]["3d_fullres"]["architecture"] = {
        "network_class_name": "torch.hub.load",
        "arch_kwargs": {"repo_or_dir": str(folder), "source": "local", "model": "m"},
    }
    (folder / "plans.json").write_text(json.dumps(plans))
    refuse(folder, target, r"'torch\.hub\.load'; allowed are PlainConvUNet")
    assert not (tmp_path / "ran").exists()


def test_only_the_wanted_files_are_copied(folder: Path, target: Path) -> None:
    for name in (
        "trainer_class.py",
        "fold_0/evil.py",
        "fold_0/debug.json",
        "__init__.py",
    ):
        (folder / name).write_text("import os; os._exit(1)")
    taken = intake.take(source=folder, target=target)
    assert set(taken) == {
        "dataset.json", "plans.json",
        *(f"fold_{n}/checkpoint_final.pth" for n in range(3)),
    }  # fmt: skip
    assert sum(path.is_file() for path in target.rglob("*")) == len(taken)


def test_a_link_to_a_file_outside_is_not_followed(
    folder: Path, target: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("{}")
    (folder / "dataset.json").unlink()
    (folder / "dataset.json").symlink_to(secret)
    refuse(folder, target, r"dataset\.json is a symbolic link")


def test_a_device_in_place_of_a_file_is_refused(folder: Path, target: Path) -> None:
    (folder / "dataset.json").unlink()
    os.mkfifo(folder / "dataset.json")
    refuse(folder, target, "no ordinary file")


def pack(folder: Path, path: Path, *, top: str = "") -> Path:
    """An honest zip of a model, to which a test adds what it likes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, top + file.relative_to(folder).as_posix())
    return path


def add(path: Path, name: str, data: bytes = b"{}", *, mode: int = 0) -> None:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(entry, data, zipfile.ZIP_DEFLATED)


@pytest.fixture
def archive(folder: Path, tmp_path: Path) -> Path:
    return pack(folder, tmp_path / "model.zip", top="model/")


def test_an_honest_zip_is_taken(archive: Path, folder: Path, target: Path) -> None:
    other = target.with_name("other")
    other.mkdir()
    assert intake.take(source=archive, target=target) == intake.take(
        source=folder, target=other
    )


@pytest.mark.parametrize(
    "name", ["../outside.json", "/etc/cron.d/job", "model/../../x", "C:\\x", "..\\x"]
)
def test_a_path_that_leaves_the_zip_is_refused(
    archive: Path, target: Path, tmp_path: Path, name: str
) -> None:
    add(archive, name)
    before = sorted(tmp_path.iterdir())
    refuse(archive, target, "outside of it")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_a_link_or_device_in_the_zip_is_refused(
    archive: Path, target: Path, kind: int
) -> None:
    add(archive, "model/notes.txt", b"/etc/passwd", mode=kind | 0o644)
    refuse(archive, target, "link or a device")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused(archive: Path, target: Path) -> None:
    add(archive, "model/plans.json")
    refuse(archive, target, r"plans\.json is in the zip 2 times")


def test_a_bomb_is_refused_before_it_is_unpacked(archive: Path, target: Path) -> None:
    add(archive, "model/fold_7/checkpoint_final.pth", bytes(50 * 2**20))
    refuse(archive, target, "no trained model")
    assert sum(path.stat().st_size for path in target.rglob("*.pth")) < 2**20


def test_a_bomb_that_lies_about_its_size_is_refused(
    archive: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The size in the directory says little; what comes out is counted."""
    add(archive, "model/fold_7/checkpoint_final.pth", bytes(50 * 2**20))
    listed = zipfile.ZipFile.infolist

    def lie(self: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
        entries = listed(self)
        entries[-1].file_size = 1000
        return entries

    monkeypatch.setattr(zipfile.ZipFile, "infolist", lie)
    with pytest.raises(ModelError, match="damaged"):
        convert.convert(source=archive, target=target)
    assert sum(path.stat().st_size for path in target.rglob("*.pth")) < 2 * 2**20


def test_more_than_a_file_may_have_is_not_written(
    archive: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "LARGEST_CHECKPOINT", 1000)
    refuse(archive, target, "is larger than")


def test_too_many_entries_are_refused(
    archive: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_MEMBERS", 4)
    refuse(archive, target, "over 4")


def test_an_encrypted_entry_is_refused(archive: Path, target: Path) -> None:
    data = bytearray(archive.read_bytes())
    # Sets the bit in the central directory that says the first file is encrypted.
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(bytes(data))
    refuse(archive, target, "encrypted")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 not a zip", b"hello"])
def test_what_is_no_zip_is_said(tmp_path: Path, target: Path, data: bytes) -> None:
    path = tmp_path / "model.zip"
    path.write_bytes(data)
    refuse(path, target, "neither a folder nor a zip")


def test_a_zip_cut_short_is_said(archive: Path, target: Path) -> None:
    data = archive.read_bytes()
    archive.write_bytes(data[: len(data) // 2] + data[-200:])
    with pytest.raises(ModelError):
        convert.convert(source=archive, target=target)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"w": torch.zeros(2).to_sparse()}, "no plain tensor"),
        ({"w": torch.zeros(2, dtype=torch.int64)}, "no plain tensor"),
        ({"w": torch.tensor([1.0, float("nan")])}, "not numbers"),
        ({"w": 3.0}, "not all are tensors"),
    ],
)
def test_weights_that_are_none_are_refused(
    folder: Path, target: Path, change: dict[str, Any], words: str
) -> None:
    path = folder / "fold_0/checkpoint_final.pth"
    content = torch.load(path, weights_only=True)
    content["network_weights"] |= change
    torch.save(content, path)
    refuse(folder, target, words)


def list_places(content: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value within a JSON document."""
    items: Any = ()
    if isinstance(content, dict):
        items = content.items()
    elif isinstance(content, list):
        items = enumerate(content)
    inner = [way for key, value in items for way in list_places(value, (*at, key))]
    return [at, *inner] if at else inner


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(),
    st.text(max_size=5), st.lists(st.integers(-3, 3), max_size=4),
    st.dictionaries(st.text(max_size=3), st.integers(-3, 3), max_size=2),
    st.just("os.system"), st.just([[[3]]]),
)  # fmt: skip


@given(place=st.sampled_from(list_places(make_plans())), value=ODD)
@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_plans_with_anything_anywhere_are_read_or_refused(
    ensemble_folder: Path, tmp_path: Path, place: tuple[Any, ...], value: Any
) -> None:
    plans = make_plans()
    spot: Any = plans
    for key in place[:-1]:
        spot = spot[key]
    spot[place[-1]] = value
    shutil.copy(ensemble_folder / "dataset.json", tmp_path)
    (tmp_path / "plans.json").write_text(json.dumps(plans))
    with suppress(ModelError):
        build_network(read_plans(folder=tmp_path, configuration="3d_fullres"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 100_000, "nested too deeply|not valid JSON"),
        ("[]", "one JSON object"),
        ('{"a": "' + "x" * 17 * 2**20 + '"}', "larger than 16 MiB"),
    ],
)
def test_json_made_to_choke_is_refused(
    ensemble_folder: Path, tmp_path: Path, text: str, words: str
) -> None:
    shutil.copy(ensemble_folder / "dataset.json", tmp_path)
    (tmp_path / "plans.json").write_text(text)
    with pytest.raises(ModelError, match=words):
        read_plans(folder=tmp_path, configuration="3d_fullres")
