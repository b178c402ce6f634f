"""Files that arrive in pieces: cut anywhere, resumed, held to their digest."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ratings import archives, files, transfers
from ratings.archives import ArchiveRefused
from ratings.models import Study, Transfer
from tests.ratings import hostile, sets

pytestmark = pytest.mark.django_db
MIB = 2**20


class Sender:
    """A client of the protocol, as scripts and the page have one."""

    def __init__(self, client: Client, study: Study) -> None:
        self.client, self.study = client, study

    def begin(self, name: str, size: int, **origin: Any) -> HttpResponse:
        told = {"filename": name, "origin": json.dumps(origin)}
        pairs = (f"{k} {b64encode(v.encode()).decode()}" for k, v in told.items())
        return self.client.post(
            reverse("transfers", args=[self.study.pk]),
            headers={"Upload-Length": str(size), "Upload-Metadata": ",".join(pairs)},
        )  # type: ignore[return-value]

    def piece(self, place: str, offset: int, data: bytes, **more: str) -> HttpResponse:
        return self.client.patch(
            place,
            data,
            content_type="application/offset+octet-stream",
            headers={"Upload-Offset": str(offset), **more},
        )  # type: ignore[return-value]

    def offset(self, place: str) -> int:
        return int(self.client.head(place)["Upload-Offset"])

    def finish(self, place: str, sha256: str) -> HttpResponse:
        return self.client.post(f"{place}/finish", {"sha256": sha256})  # type: ignore[return-value]

    def send(self, name: str, data: bytes, **origin: Any) -> HttpResponse:
        place = self.begin(name, len(data), **origin)["Location"]
        self.piece(place, 0, data)
        return self.finish(place, hashlib.sha256(data).hexdigest())


@pytest.fixture
def sender(coordinator: Client, study: Study) -> Sender:
    return Sender(coordinator, study)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def parts_left() -> list[Path]:
    return list(files.locate("quarantine").glob("*"))


@pytest.mark.slow
def test_an_upload_cut_at_twenty_random_points_arrives_whole(
    sender: Sender, study: Study
) -> None:
    data = hostile.image()
    cuts = sorted(Random(4).sample(range(1, len(data)), 20))
    place = sender.begin("sub-01_T2w.nii", len(data), role="image")["Location"]
    for cut in cuts:
        at = sender.offset(place)
        answer = sender.piece(place, at, data[at:cut])
        assert (answer.status_code, answer["Upload-Offset"]) == (204, str(cut))
        # a piece that is sent once more, and one from the wrong place, change nothing
        assert sender.piece(place, at, data[at:cut]).status_code == 409
        assert sender.piece(place, cut + 1, b"x").status_code == 409
        assert sender.finish(place, digest(data)).status_code == 409
    sender.piece(place, sender.offset(place), data[cuts[-1] :])
    answer = sender.finish(place, digest(data))
    assert answer.status_code == 201, answer.content
    assert study.uploads.get().facts["shape"] == list(hostile.SHAPE)
    assert parts_left() == []
    assert not Transfer.objects.exists()


def test_a_line_that_breaks_within_a_piece_keeps_what_came(
    sender: Sender, study: Study
) -> None:
    sender.begin("a.nii", 1000)
    transfer = Transfer.objects.get()
    pieces = [b"x" * 300]

    def read(most: int) -> bytes:
        if not pieces:
            raise OSError("gone")
        return pieces.pop()

    with pytest.raises(OSError, match="gone"):
        transfers.append(transfer, offset=0, read=read)
    assert transfers.find_offset(transfer) == 300


def test_a_file_that_differs_from_what_was_sent_is_refused_and_gone(
    sender: Sender, study: Study
) -> None:
    data = hostile.image()
    place = sender.begin("a.nii", len(data))["Location"]
    sender.piece(place, 0, data[:-1] + b"?")
    answer = sender.finish(place, digest(data))
    assert answer.status_code == 422
    assert "SHA-256" in json.loads(answer.content)["detail"]
    assert parts_left() == []


def test_a_damaged_piece_is_taken_back(sender: Sender) -> None:
    place = sender.begin("a.nii", 10)["Location"]
    right = b64encode(hashlib.sha256(b"12345").digest()).decode()
    for data, status, offset in ((b"12x45", 460, 0), (b"12345", 204, 5)):
        told = {"Upload-Checksum": f"sha256 {right}"}
        assert sender.piece(place, 0, data, **told).status_code == status
        assert sender.offset(place) == offset


def test_two_windows_cannot_write_one_file_at_once(sender: Sender) -> None:
    place = sender.begin("a.nii", 10)["Location"]
    with transfers.hold(Transfer.objects.get()):
        assert sender.piece(place, 0, b"12345").status_code == 423
    assert sender.piece(place, 0, b"12345").status_code == 204


def test_more_than_announced_or_allowed_is_not_taken(
    sender: Sender, settings: Any
) -> None:
    place = sender.begin("a.nii", 4)["Location"]
    assert sender.piece(place, 0, b"12345").status_code == 413
    settings.UPLOAD_LIMIT_BYTES = 10
    assert sender.begin("b.nii", 11).status_code == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"Upload-Length": "many"},
        {"Upload-Length": "-1"},
        {"Upload-Length": "5", "Upload-Metadata": "filename ???"},
        {"Upload-Length": "5", "Upload-Metadata": "origin W10="},
    ],
)
def test_a_beginning_that_makes_no_sense_is_a_sentence(
    sender: Sender, headers: dict[str, str]
) -> None:
    address = reverse("transfers", args=[sender.study.pk])
    assert sender.client.post(address, headers=headers).status_code == 400


def test_strangers_do_not_find_a_transfer(
    sender: Sender, outsider: Client, study: Study
) -> None:
    place = sender.begin("a.nii", 10)["Location"]
    other = Sender(outsider, study)
    assert other.piece(place, 0, b"12345").status_code == 404
    assert outsider.delete(place).status_code == 404
    assert other.finish(place, "").status_code == 404
    assert sender.offset(place) == 0


def test_what_nobody_goes_on_with_for_a_week_is_let_go(sender: Sender) -> None:
    sender.begin("old.nii", 10)
    week = timezone.now() - timedelta(days=8)
    Transfer.objects.update(touched_at=week)
    sender.begin("new.nii", 10)
    assert [t.name for t in Transfer.objects.all()] == ["new.nii"]
    assert len(parts_left()) == 1


def test_a_locked_study_takes_nothing(open_study: Study, coordinator: Client) -> None:
    assert Sender(coordinator, open_study).begin("a.nii", 10).status_code == 409


@pytest.mark.slow
def test_two_gibibytes_pass_in_little_memory(sender: Sender, study: Study) -> None:
    """A volume too large to unpack: received whole, hashed, refused by its header."""
    size = 2**31
    head = hostile.patch(hostile.image()[:352], ("<3h", 42, (1024, 1024, 1024)))
    block = bytes(64 * MIB)
    place = sender.begin("large.nii", size)["Location"]
    transfer = Transfer.objects.get()
    transfers.append(transfer, offset=0, read=io.BytesIO(head).read)
    path = files.locate(transfer.path)
    with path.open("r+b") as stream:
        # a sparse middle: the disk need not hold two gibibytes of zeros
        stream.truncate(size - len(block))
    Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmRSS")
    transfers.append(transfer, offset=size - len(block), read=io.BytesIO(block).read)
    seen = hashlib.sha256(head)
    left = size - len(head)
    while left:
        seen.update(block[: min(left, len(block))])
        left -= min(left, len(block))
    answer = sender.finish(place, seen.hexdigest())
    assert json.loads(answer.content)["code"] == "too_large"
    assert memory("VmHWM") - before < 200 * MIB
    assert parts_left() == []


def memory(key: str) -> int:
    line = next(
        line
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith(key)
    )
    return int(line.split()[1]) * 1024


# A folder's plan, and zips


def test_a_folder_is_planned_from_its_paths(sender: Sender) -> None:
    told = sender.client.post(
        reverse("plan", args=[sender.study.pk]),
        {"paths": json.dumps(["set/imagesTs/a_0000.nii.gz", "set/labelsTs/a.nii.gz"])},
    ).json()
    assert told["layout"] == "nnunet"
    assert [f["origin"]["role"] for f in told["files"]] == ["image", "mask"]
    answer = sender.client.post(
        reverse("plan", args=[sender.study.pk]), {"paths": "no list"}
    )
    assert answer.status_code == 400


def test_each_sidecar_goes_with_its_own_image_whatever_its_name_is(
    sender: Sender,
) -> None:
    paths, texts = [], []
    for n in range(150):
        paths += [f"set/sub-{n}/sub-{n}_T2w.nii.gz"]
        texts += [
            f"set/sub-{n}/sub-{n}_T2w.json",
            f"set/sub-{n}/dataset_description.json",
        ]
    files = [
        SimpleUploadedFile(
            text.rpartition("/")[2],
            json.dumps({"MagneticFieldStrength": n // 2 % 7 + 0.5}).encode(),
        )
        for n, text in enumerate(texts)
    ]
    told = sender.client.post(
        reverse("plan", args=[sender.study.pk]),
        {"paths": json.dumps(paths + texts), "text": files, "text-path": texts},
    ).json()
    read = {f["path"]: f["origin"]["sidecar"] for f in told["files"]}
    assert read == {
        path: {"MagneticFieldStrength": n % 7 + 0.5} for n, path in enumerate(paths)
    }
    short = {"paths": json.dumps(paths), "text": files[:2], "text-path": texts[:1]}
    answer = sender.client.post(reverse("plan", args=[sender.study.pk]), short)
    assert answer.status_code == 400


def test_one_sidecar_at_the_top_is_read_for_every_image(sender: Sender) -> None:
    paths = [f"set/sub-{n}/sub-{n}_T2w.nii.gz" for n in range(3)]
    told = sender.client.post(
        reverse("plan", args=[sender.study.pk]),
        {
            "paths": json.dumps([*paths, "set/T2w.json"]),
            "text": [SimpleUploadedFile("T2w.json", b'{"EchoTime": 0.1}')],
            "text-path": ["set/T2w.json"],
        },
    ).json()
    read = [f["origin"]["sidecar"] for f in told["files"]]
    assert read == [{"EchoTime": 0.1}] * 3


def test_what_lies_beside_images_and_is_none_is_named_with_the_remedy(
    sender: Sender,
) -> None:
    dicoms = [f"set/dicom/{n}.dcm" for n in range(20)]
    told = sender.client.post(
        reverse("plan", args=[sender.study.pk]),
        {"paths": json.dumps(["set/a.nii.gz", "set/b.mha", *dicoms, "c.mha"])},
    ).json()
    said = {one["path"]: one["reason"] for one in told["passed_over"]}
    assert set(said) == {"set/b.mha", "set/dicom/0.dcm"}
    assert "nor are 19 like it" in said["set/dicom/0.dcm"]
    assert "dcm2niix" in said["set/dicom/0.dcm"]


def make_zip(fill: Callable[[zipfile.ZipFile], None]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        fill(archive)
    return stream.getvalue()


def test_a_zip_is_taken_in_file_by_file_and_one_bad_file_stops_no_other(
    sender: Sender, study: Study, tmp_path: Path
) -> None:
    sets.write_nnunet(tmp_path / "set", 3)
    bad = tmp_path / "set/labelsTs/case_001_T2star.nii.gz"
    bad.write_bytes(b"not a mask")

    def fill(archive: zipfile.ZipFile) -> None:
        for path in sorted((tmp_path / "set").rglob("*.nii.gz")):
            archive.write(path, path.relative_to(tmp_path))

    data = make_zip(fill)
    place = sender.begin("set.zip", len(data))["Location"]
    sender.piece(place, 0, data)
    told = json.loads(sender.finish(place, digest(data)).content)
    assert (told["layout"], len(told["files"])) == ("nnunet", 9)
    answers = [
        sender.client.post(f"{place}/take", {"number": n}).status_code for n in range(9)
    ]
    assert sorted(answers) == [201] * 8 + [422]
    assert study.uploads.exclude(kind="refused").count() == 8
    assert sender.client.delete(place).status_code == 204
    assert parts_left() == []


def add_link(archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("a.nii")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(info, "/etc/passwd")


def add_twice(archive: zipfile.ZipFile) -> None:
    archive.writestr("a.nii", b"1")
    with pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a.nii", b"2")


def add_many(archive: zipfile.ZipFile) -> None:
    for n in range(5001):
        archive.writestr(f"{n}.nii", b"")


BAD_ZIPS: dict[str, Callable[[zipfile.ZipFile], None]] = {
    "traversal": lambda z: z.writestr("../../a.nii", b"x"),
    "absolute": lambda z: z.writestr("/etc/a.nii", b"x"),
    "backslash": lambda z: z.writestr("..\\a.nii", b"x"),
    "drive": lambda z: z.writestr("C:/a.nii", b"x"),
    "link": add_link,
    "twice": add_twice,
    "ratio": lambda z: z.writestr("a.nii", bytes(64 * MIB)),
    "many": add_many,
}


@pytest.mark.parametrize("kind", BAD_ZIPS)
def test_a_zip_that_means_harm_is_refused_whole(
    sender: Sender, study: Study, kind: str
) -> None:
    answer = sender.send("set.zip", make_zip(BAD_ZIPS[kind]))
    assert answer.status_code == 422
    detail = json.loads(answer.content)["detail"]
    assert detail.startswith("set.zip: ")
    assert ("backslashes" in detail) is (kind == "backslash")
    assert parts_left() == []
    assert not study.uploads.exists()


def test_a_damaged_or_lying_zip_is_a_sentence(sender: Sender, tmp_path: Path) -> None:
    data = make_zip(lambda z: z.writestr("a.nii", hostile.image()))
    assert sender.send("cut.zip", data[:-40]).status_code == 422
    path = tmp_path / "bent.zip"
    path.write_bytes(hostile.flip(data, 60, 0xFF))
    with pytest.raises(ArchiveRefused, match="can't be unpacked"):
        list(archives.read_file(path, "a.nii", name="bent.zip"))


def test_unfinished_files_are_listed_and_let_go_of_by_any_coordinator(
    sender: Sender, other_coordinator: Client, outsider: Client, study: Study
) -> None:
    place = sender.begin("half.nii", 10)["Location"]
    sender.piece(place, 0, b"12345")
    sender.begin("none.nii", 10)
    page = other_coordinator.get(reverse("cases", args=[study.pk])).text
    assert "half.nii" in page
    assert "(50 %)" in page
    # a colleague may be sending them just now
    assert "Discard all" not in page
    assert "Discard all 2" in sender.client.get(reverse("cases", args=[study.pk])).text
    url = reverse("transfers-discard", args=[study.pk])
    half = Transfer.objects.get(name="half.nii")
    assert outsider.post(url, {"transfer": half.pk}).status_code == 404
    assert Transfer.objects.count() == 2
    told = other_coordinator.post(url, {"transfer": half.pk}, follow=True).text
    assert "What had arrived of half.nii was discarded." in told
    assert [t.name for t in Transfer.objects.all()] == ["none.nii"]
    assert len(parts_left()) == 1
    again = other_coordinator.post(url, {"transfer": half.pk}, follow=True).text
    assert "Nothing was discarded" in again


def test_the_most_that_may_be_unfinished_is_made_room_for_on_the_page(
    sender: Sender, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "MOST_OPEN", 2)
    for name in ("a.nii", "b.nii"):
        sender.begin(name, 10)
    assert "discard them" in sender.begin("c.nii", 10).json()["detail"]  # type: ignore[attr-defined]
    ids = [str(pk) for pk in Transfer.objects.values_list("pk", flat=True)]
    url = reverse("transfers-discard", args=[study.pk])
    told = sender.client.post(url, {"transfer": [*ids, "nonsense"]}, follow=True)
    assert "2 unfinished files were discarded." in told.text
    assert sender.begin("c.nii", 10).status_code == 201


def test_a_file_discarded_while_its_piece_arrives_leaves_nothing(
    sender: Sender,
) -> None:
    sender.begin("a.nii", 10)
    held = Transfer.objects.get()
    sent = [b"12345", b""]

    def read(most: int) -> bytes:
        transfers.discard_some(study=held.study, ids=[held.pk])
        return sent.pop(0)

    with pytest.raises(transfers.TransferRefused, match="was discarded meanwhile"):
        transfers.append(held, offset=0, read=read)
    assert parts_left() == []
    # a piece that comes later still, for a row that was read before
    with pytest.raises(transfers.TransferRefused, match="was discarded meanwhile"):
        transfers.append(held, offset=0, read=io.BytesIO(b"12345").read)
    assert parts_left() == []
    assert not Transfer.objects.exists()


def test_a_script_lists_unfinished_files_and_lets_go_of_them(
    sender: Sender, other_coordinator: Client, study: Study
) -> None:
    place = sender.begin("half.nii", 10)["Location"]
    sender.piece(place, 0, b"12345")
    url = reverse("api-transfers", args=[study.pk])
    (row,) = other_coordinator.get(url).json()["results"]
    assert (row["name"], row["size"], row["offset"]) == ("half.nii", 10, 5)
    one = reverse("api-transfer", args=[study.pk, row["id"]])
    assert other_coordinator.delete(one).status_code == 204
    assert other_coordinator.delete(one).status_code == 404
    assert parts_left() == []
