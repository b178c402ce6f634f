"""Calls that send a large file, or a zip of a whole set, piece by piece."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import IO, Any
from uuid import UUID

from django.http import Http404, UnreadablePostError
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from ratings import archives, repeats, transfers
from ratings.archives import ArchiveRefused
from ratings.desk.bodies import Body
from ratings.desk.calls import (
    DeskCall,
    Refused,
    describe,
    paged,
    send_page,
)
from ratings.desk.shapes import UploadShape
from ratings.models import Study, Transfer, Upload
from ratings.transfers import TransferRefused
from ratings.views.transfers import (
    find_transfer,
    open_archive,
    read_number,
    take_entry,
    take_whole,
)
from ratings.views.uploads import UploadRefused, read_arm

LOCKED = "The study is locked, so its cases are fixed."
OFFSET = OpenApiParameter(
    "offset", OpenApiTypes.INT, required=True, description="Where the piece begins."
)


class Pieces(BaseParser):
    """The bytes as they come, which are read while they are stored."""

    media_type = "application/octet-stream"

    def parse(self, stream: IO[Any], *args: Any, **kwargs: Any) -> Any:
        return {"stream": stream}


class TransferBody(Body):
    """The file's name and length in bytes; a mask also says whose it is."""

    name = serializers.CharField(max_length=255)
    size = serializers.IntegerField(min_value=1, max_value=2**50)
    role = serializers.ChoiceField(("manual", "prediction"), required=False)
    arm = serializers.CharField(
        required=False, allow_blank=True,
        help_text="What made the predictions, in at most 100 characters.",
    )  # fmt: skip


class TransferShape(Serializer[Any]):
    """How far a file has come: the next piece begins at `offset`."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    size = serializers.IntegerField()
    offset = serializers.IntegerField()


class FinishBody(Body):
    sha256 = serializers.RegexField("^[0-9a-fA-F]{64}$")


class EntryShape(Serializer[Any]):
    number = serializers.IntegerField()
    path = serializers.CharField()
    role = serializers.CharField()


class SetShape(Serializer[Any]):
    """What lies in a zip; take in each of its files by its number."""

    layout = serializers.CharField()
    files = EntryShape(many=True)
    passed_over = serializers.ListField(child=serializers.JSONField())
    faults = serializers.ListField(child=serializers.CharField())


class TakeBody(Body):
    number = serializers.IntegerField(min_value=0, max_value=10**9)


class TransferringCall(DeskCall):
    """A call on a draft; a refusal keeps its status but for two that HTTP lacks."""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, TransferRefused):
            exc = Refused({423: 409, 460: 409}.get(exc.status, exc.status), str(exc))
        elif isinstance(exc, ArchiveRefused):
            exc = Refused(422, str(exc))
        elif isinstance(exc, UploadRefused):
            exc = Refused(exc.status, str(exc))
        return super().handle_exception(exc)

    def find(self, study_id: UUID) -> Study:
        study = self.find_study(study_id, "edit")
        if study.state != Study.State.DRAFT:
            raise Refused(409, LOCKED)
        return study

    def find_one(self, study: Study, transfer_id: UUID) -> Transfer:
        return find_transfer(study, transfer_id, self.person)


def spell(transfer: Transfer, offset: int) -> dict[str, Any]:
    return {
        "id": transfer.pk, "name": transfer.name, "size": transfer.size,
        "offset": offset,
    }  # fmt: skip


def tell(transfer: Transfer, status: int = 200) -> Response:
    told = spell(transfer, transfers.find_offset(transfer))
    return Response(TransferShape(told).data, status=status)


def judge(upload: Upload) -> Response:
    if upload.kind == Upload.Kind.REFUSED:
        raise Refused(422, upload.verdict["message"])
    repeats.note_repeats(upload.study, [upload])
    return Response(UploadShape(upload).data, status=201)


class TransfersCall(TransferringCall):
    @describe(
        "Files of which a part has arrived", answer={200: paged(TransferShape)},
        paginated=True,
    )  # fmt: skip
    def get(self, request: Request, study_id: UUID) -> Response:
        study = self.find_study(study_id, "edit")
        found = transfers.list_unfinished(study)
        rows = [spell(row.transfer, row.offset) for row in found]
        return send_page(self, rows, TransferShape)

    @describe(
        "Announce a large file, or a zip of a set", body=TransferBody,
        answer={201: TransferShape}, refusals=(409, 413, 429, 507),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID) -> Response:
        study = self.find(study_id)
        form = TransferBody(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data
        name = PurePosixPath(data["name"].replace("\\", "/")).name
        origin = {"arm_label": read_arm(study, data).label}
        made = transfers.begin(
            study=study, user=self.person, name=name, size=data["size"], origin=origin
        )
        return tell(made, 201)


class TransferCall(TransferringCall):
    parser_classes = (Pieces,)

    @describe("How far a file has come", answer={200: TransferShape}, refusals=(409,))
    def get(self, request: Request, study_id: UUID, transfer_id: UUID) -> Response:
        return tell(self.find_one(self.find(study_id), transfer_id))

    @extend_schema(parameters=[OFFSET])
    @describe(
        "Send the next piece, from the offset on; what breaks off is kept",
        body={"application/octet-stream": OpenApiTypes.BINARY},
        answer={200: TransferShape}, refusals=(409, 413),
    )  # fmt: skip
    def patch(self, request: Request, study_id: UUID, transfer_id: UUID) -> Response:
        transfer = self.find_one(self.find(study_id), transfer_id)
        offset = read_number(request.query_params.get("offset", ""))
        body: Any = request.data
        sent = body.get("stream")
        try:
            transfers.append(
                transfer, offset=offset, read=sent.read if sent else lambda _: b""
            )
        except UnreadablePostError:
            raise Refused(400, f"{transfer.name} broke off.") from None
        return tell(transfer)

    @describe(
        "Let go of an unfinished file, a colleague's too",
        answer={204: None},
        refusals=(409,),
    )
    def delete(self, request: Request, study_id: UUID, transfer_id: UUID) -> Response:
        study = self.find(study_id)
        if not transfers.discard_some(study=study, ids=[transfer_id]):
            raise Http404
        return Response(status=204)


class FinishCall(TransferringCall):
    @describe(
        "The file is whole: its verdict, or for a zip with 202 what lies in it",
        body=FinishBody, answer={201: UploadShape, 202: SetShape}, refusals=(409, 422),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID, transfer_id: UUID) -> Response:
        study = self.find(study_id)
        transfer = self.find_one(study, transfer_id)
        form = FinishBody(data=request.data)
        form.is_valid(raise_exception=True)
        path = transfers.complete(transfer, sha256=form.validated_data["sha256"])
        if archives.is_zip(path):
            held = open_archive(study, self.person, transfer)
            files = [
                {"number": n, "path": one["path"], "role": one["origin"]["role"]}
                for n, one in enumerate(held["files"])
            ]
            return Response(SetShape(held | {"files": files}).data, status=202)
        return judge(take_whole(study, self.person, transfer, path))


class TakeCall(TransferringCall):
    @describe(
        "Take in one file of a zip, by its number", body=TakeBody,
        answer={201: UploadShape}, refusals=(409, 422, 507),
    )  # fmt: skip
    def post(self, request: Request, study_id: UUID, transfer_id: UUID) -> Response:
        study = self.find(study_id)
        transfer = self.find_one(study, transfer_id)
        form = TakeBody(data=request.data)
        form.is_valid(raise_exception=True)
        number = form.validated_data["number"]
        return judge(take_entry(study, self.person, transfer, number))
