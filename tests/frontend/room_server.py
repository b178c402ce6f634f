"""A small real HTTP server that keeps the rater API's contract for browser tests."""

from __future__ import annotations

import gzip
import json
import re
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from django.template.loader import render_to_string
from numpy.typing import NDArray

STATIC = Path(__file__).resolve().parents[2] / "static"
KINDS = {"uint8": (2, 8), "int16": (4, 16), "uint16": (512, 16), "float32": (16, 32)}
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
WITHDRAWN = "This case was withdrawn; go on with the next."
TOO_LATE = "It was not stored because its case was withdrawn for all raters."
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Case:
    """One mask on one image, canonical, as the rater's browser gets them."""

    image: NDArray[Any]
    mask: NDArray[np.uint8]
    affine: NDArray[np.float64]
    plane: str = "auto"
    zoom_mm: int = 0
    second: Case | None = None


@dataclass
class Study:
    """What the server holds: cases in order, scores as they came, and its moods."""

    cases: list[Case]
    state: str = "collecting"
    instructions: str = "Judge how well the mask follows what you see."
    scores: list[dict[str, Any]] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    signed_in: bool = True
    someone_else: bool = False
    missing: bool = False
    withdrawn: set[int] = field(default_factory=set)
    truncated: bool = False
    answer_lost: bool = False
    reports: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    bytes_per_second: float | None = None
    signed_in_for: int = 12 * 3600
    served: dict[tuple[int, str], bytes] = field(default_factory=dict)

    def token(self, position: int) -> str:
        return f"token-{position:037d}"

    def progress(self) -> dict[str, Any]:
        left = len(self.cases) - len(self.scores)
        return {
            "done": len(self.scores),
            "total": len(self.cases),
            "practice": {"done": 0, "total": 0},
            "seconds_left": 40 * left if self.scores else None,
        }

    def waiting(self) -> list[int]:
        """The cases still to be rated, in order."""
        over = self.withdrawn | {score["position"] for score in self.scores}
        return [n for n in range(len(self.cases)) if n not in over]

    def list_words(self) -> list[dict[str, Any]]:
        """What was written about the first item; every answer is to the last of it."""
        last = len(self.problems) - 1
        return [
            {
                "session": 1,
                "position": 1,
                "practice": False,
                "kind": sent["kind"],
                "text": sent["text"],
                "answers": self.answers if n == last else [],
            }
            for n, sent in enumerate(self.problems)
        ]

    def presentation(self, position: int | None) -> dict[str, Any] | None:
        if position is None:
            return None
        token = self.token(position)
        item = {
            "token": token,
            "image": f"/api/items/{token}/image",
            "mask": f"/api/items/{token}/mask",
            "context": (
                f"/api/items/{token}/context" if self.cases[position].second else None
            ),
            "done": False,
        }
        plane = self.cases[position].plane
        number = position + 1
        return {
            "position": number,
            "practice": False,
            "items": [item],
            "plane": plane,
            "zoom_mm": self.cases[position].zoom_mm,
        }


def canonical_case(
    image: nib.Nifti1Image, mask: nib.Nifti1Image, plane: str = "auto"
) -> Case:
    """Bring a pair onto closest-canonical axes, as the server does at upload."""
    image = nib.as_closest_canonical(image)
    mask = nib.as_closest_canonical(mask)
    data = np.asanyarray(image.dataobj)
    if data.dtype.name not in KINDS:
        data = data.astype(np.float32)
    marked = (np.asanyarray(mask.dataobj) > 0).astype(np.uint8)
    return Case(data, marked, np.asarray(image.affine), plane)


def header_bytes(case: Case, datatype: int, bitpix: int) -> bytes:
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 3, *case.image.shape, 1, 1, 1, 1)
    struct.pack_into("<2h", head, 70, datatype, bitpix)
    zooms = np.sqrt((case.affine[:3, :3] ** 2).sum(axis=0))
    struct.pack_into("<8f", head, 76, 1, *zooms, 1, 1, 1, 1)
    struct.pack_into("<3f", head, 108, 352, 1, 0)
    head[123] = 2
    struct.pack_into("<2h", head, 252, 0, 1)
    struct.pack_into("<12f", head, 280, *case.affine[:3].ravel())
    head[344:348] = b"n+1\0"
    return bytes(head)


def image_bytes(case: Case) -> bytes:
    kind = KINDS[case.image.dtype.name]
    body = case.image.astype(case.image.dtype.newbyteorder("<")).tobytes(order="F")
    return gzip.compress(header_bytes(case, *kind) + body, 1, mtime=0)


def mask_bytes(case: Case) -> bytes:
    bits = np.packbits(case.mask.ravel(order="F"), bitorder="little")
    return header_bytes(case, 1, 1) + bits.tobytes()


class Handler(BaseHTTPRequestHandler):
    """Routes of the contract; `study` is set on the subclass of each server."""

    study: Study
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Tests read `study.requests` instead."""

    def parse_request(self) -> bool:
        understood = super().parse_request()
        if understood:
            self.study.requests.append(self.path)
        return understood

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/rate/room-key/":
            page = {"key": "room-key", "sign_in_url": "/accounts/login/"}
            body = render_to_string("ratings/rate.html", page | {"csrf_token": "T"})
            return self.send(200, body.encode(), "text/html")
        if path.startswith("/static/"):
            file = STATIC / path.removeprefix("/static/")
            return self.send(200, file.read_bytes(), TYPES[file.suffix])
        if not self.study.signed_in:
            return self.refuse(403, "Authentication credentials were not provided.")
        if path == "/api/rate/room-key/":
            return self.send_json(self.describe())
        if path == "/api/rate/room-key/next":
            return self.send_json(self.next_item())
        if path == "/api/rate/room-key/stay":
            return self.send_json({"seconds_left": self.study.signed_in_for})
        if path == "/api/rate/room-key/questions":
            return self.send_json({"questions": self.study.list_words()})
        return self.send_volume(path)

    def do_PUT(self) -> None:
        match = re.fullmatch(r"/api/items/token-(\d+)/scores", self.path)
        body = self.read_json()
        if not self.study.signed_in:
            return self.refuse(403, "Authentication credentials were not provided.")
        if self.study.state != "collecting":
            return self.refuse(409, "The study is closed.")
        if match is None or self.study.someone_else:
            return self.refuse(404, "There is no such item.")
        return self.record(int(match[1]), body)

    def do_POST(self) -> None:
        body = self.read_json()
        if self.path == "/csp":
            self.study.reports.append(json.dumps(body))
        elif self.path == "/api/rate/room-key/stay":
            self.study.signed_in_for = 12 * 3600
            return self.send_json({"seconds_left": self.study.signed_in_for})
        else:
            self.study.problems.append(body)
        self.send_json({})

    def describe(self) -> dict[str, Any]:
        anchors = ["very poor", "poor", "acceptable", "good", "excellent"]
        question = {"key": "quality", "text": "How good is this segmentation?"}
        return {
            "title": "Spinal cord lesions, six contrasts",
            "instructions": self.study.instructions,
            "scale": [
                {"value": value, "anchor": anchor}
                for value, anchor in enumerate(anchors, start=1)
            ],
            "questions": [question],
            "reasons": ["image unusable", "anatomy not covered", "other"],
            "mode": "single",
            "contact": "ada@example.org",
            "marks": [],
            "signed": True,
            "revisable": False,
            "change_reason": False,
            "session": {
                "number": 1,
                "of": 1,
                "next": "",
                "before": "",
                "unsigned": None,
            },
            "guess": "off",
            "guess_left": 0,
            "learned": [],
            "words": self.study.list_words(),
            "deadline": None,
            "state": self.study.state,
            **self.study.progress(),
        }

    def next_item(self) -> dict[str, Any]:
        current, ahead = [*self.study.waiting(), None, None][:2]
        return {
            **self.study.progress(),
            "current": self.study.presentation(current),
            "ahead": self.study.presentation(ahead),
            "answers": len(self.study.answers),
        }

    def record(self, position: int, body: dict[str, Any]) -> None:
        kept = [one for one in self.study.scores if one["key"] == body["client_key"]]
        if position in self.study.withdrawn:
            return self.refuse(409, TOO_LATE)
        if not kept and position not in self.study.waiting()[:1]:
            return self.refuse(409, "This item is not the current one.")
        if kept and kept[0]["body"] != body:
            return self.refuse(422, "The same key came with another answer.")
        if not kept:
            entry = {"key": body["client_key"], "position": position, "body": body}
            self.study.scores.append(entry)
        if self.study.answer_lost:
            self.close_connection = True
            return None
        receipt = {"saved": True, "replay": bool(kept), "reference": None}
        return self.send_json(receipt | self.study.progress())

    def send_volume(self, path: str) -> None:
        match = re.fullmatch(r"/api/items/token-(\d+)/(image|mask|context)", path)
        if match is None or self.study.missing:
            return self.refuse(404, "There is no such item.")
        if int(match[1]) in self.study.withdrawn:
            return self.refuse(409, WITHDRAWN)
        body = self.encode(self.study.cases[int(match[1])], match[2])
        if self.study.truncated:
            body = body[: len(body) * 2 // 3]
        return self.send(200, body, "application/octet-stream")

    def encode(self, case: Case, part: str) -> bytes:
        """Each case once, however often it is asked for."""
        known = self.study.served
        if (id(case), part) not in known:
            shown = (case.second or case) if part == "context" else case
            known[id(case), part] = (mask_bytes if part == "mask" else image_bytes)(
                shown
            )
        return known[id(case), part]

    def read_json(self) -> Any:
        length = int(self.headers.get("Content-Length", 0))
        return json.loads(self.rfile.read(length) or b"{}")

    def send_json(self, body: object, status: int = 200) -> None:
        kind = "application/json" if status < 400 else "application/problem+json"
        self.send(status, json.dumps(body).encode(), kind)

    def refuse(self, status: int, detail: str) -> None:
        title = "Refused"
        self.send_json({"title": title, "detail": detail, "status": status}, status)

    def send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", f"{CSP}; report-uri /csp")
        self.end_headers()
        self.write_slowly(body) if "octet" in kind else self.wfile.write(body)

    def write_slowly(self, body: bytes) -> None:
        rate = self.study.bytes_per_second
        step = len(body) if rate is None else max(1, int(rate / 20))
        for start in range(0, len(body), step):
            self.wfile.write(body[start : start + step])
            if rate is not None:
                threading.Event().wait(0.05)


@contextmanager
def serve(study: Study) -> Iterator[str]:
    """Run the server in a thread; gives the address of the rating page."""
    handler = type("RoomHandler", (Handler,), {"study": study})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/rate/room-key/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
