"""Builds a study through the coordinator's own pages, and crawls it as its rater."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from django.contrib.auth.models import User
from django.contrib.staticfiles.finders import get_finders
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.resolvers import RegexPattern

from ratings.models import Session, Study
from tests.ratings.conftest import sign_in
from tests.ratings.writers import WRITERS
from tests.volumes import make_affine, make_image, make_lesion, save

SHAPE = (18, 16, 6)
AFFINE = make_affine((0.6, 0.6, 3.0))
RANDOM = re.compile(
    b"|".join(
        (
            rb"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])",
            rb"(?<=name=.csrfmiddlewaretoken. value=.)\w{64}",
            rb"(?<=name=.csrf-token. content=.)\w{64}",
            rb"csrftoken=\w+|sessionid=\w+|eve[0-9a-f]{6}@example\.org",
            rb"expires=[^;]+|\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT",
            rb"\d{4}-\d\d-\d\dT[\d:.+]+|\d\d? \w{3} \d{4}, \d\d:\d\d UTC",
            rb"(?<=.seconds_left.:)\d+",
            rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        )
    )
)
# What is made up for one person's second factor, and the picture of it.
FACTOR = re.compile(rb'<svg width="\d+mm".*?</svg>|\b[A-Z2-7]{32}\b', re.DOTALL)
SEED = "5" * 64
PASSWORD = "a long enough password"


@dataclass
class Twin:
    """A study built from files; `originals` are those, by case and arm."""

    study: Study
    originals: dict[tuple[str, str], Path] = field(default_factory=dict)


def write_files(
    folder: Path, cases: int, *, turned: bool = False
) -> list[tuple[Path, Path, Path]]:
    """An image and two rival masks a case, the writers taking turns.

    `turned` gives each mask to the writer that otherwise writes its rival.
    """
    folder.mkdir(exist_ok=True)
    writers = list(WRITERS.values())
    written = []
    for n in range(cases):
        rng = np.random.default_rng(n)
        image = save(
            folder / f"CANARY_PHI_{n:02d}.nii.gz", make_image(SHAPE, rng), AFFINE,
            descrip=b"CANARY_PHI Jane Doe 19700101", intent_name=b"CANARY_PHI",
        )  # fmt: skip
        masks = []
        for m, side in enumerate("XY"):
            path = folder / f"CANARY_ARM_{n:02d}_{side}_mask.nii.gz"
            marks = make_lesion(SHAPE, rng)
            turn = 2 * n + (1 - m if turned else m)
            writers[turn % len(writers)](path, marks, AFFINE, "CANARY_ARM")
            masks.append(path)
        written.append((image, masks[0], masks[1]))
    return written


def upload(client: Client, study_id: str, path: Path, **words: str) -> str:
    file = SimpleUploadedFile(path.name, path.read_bytes())
    url = reverse("uploads", args=[study_id])
    answer = client.post(url, {"file": file, **words})
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def build_twin(
    coordinator: Client,
    files: list[tuple[Path, Path, Path]],
    *,
    swapped: bool,
    design: dict[str, str],
    keep: bool = False,
) -> Twin:
    """New study, uploads, pairing, design, rater, lock: all by the public pages."""
    title = {"title": "Twin", "contact": "Ada", "instructions": "Look well."}
    known = set(Study.objects.values_list("pk", flat=True))
    coordinator.post(reverse("study-new"), title)
    study = Study.objects.exclude(pk__in=known).get()
    if keep:
        coordinator.post(reverse("originals-choice", args=[study.pk]), {"keep": "yes"})
    # The files are named like a person to see that no rater gets the name.
    pairs: dict[str, Any] = {"image": [], "names_confirmed": "on"}
    originals = {}
    for n, (image, x, y) in enumerate(files, 1):
        drawn, predicted = (y, x) if swapped else (x, y)
        found = upload(coordinator, str(study.pk), image)
        pairs["image"].append(found)
        pairs[f"mask:{found}:manual"] = upload(
            coordinator, str(study.pk), drawn, role="manual"
        )
        pairs[f"mask:{found}:canary_arm-net"] = upload(
            coordinator,
            str(study.pk),
            predicted,
            role="prediction",
            arm="CANARY_ARM net",
        )
        label = f"C{n:03d}"
        originals[label, "manual"] = drawn
        originals[label, "canary_arm-net"] = predicted
    coordinator.post(reverse("cases-import", args=[study.pk]), pairs)
    assert study.cases.count() == len(files)
    coordinator.post(reverse("design", args=[study.pk]), {**title, **design})
    person = {"name": "Eve", "email": f"eve{uuid4().hex[:6]}@example.org"}
    coordinator.post(reverse("raters", args=[study.pk]), person)
    # The same chance for both, so that only the roles differ.
    Study.objects.filter(pk=study.pk).update(seed=SEED)
    coordinator.post(reverse("faces", args=[study.pk]), {"faces": "none"})
    url = reverse("lock", args=[study.pk])
    coordinator.post(
        url, {"typed_title": "Twin", "open_now": "on", "password": PASSWORD}
    )
    study.refresh_from_db()
    assert study.state == "collecting"
    assert study.originals.exists() == keep
    return Twin(study, originals)


Seen = tuple[str, int, tuple[tuple[str, str], ...], str]
METHODS = ("get", "head", "options", "post", "put", "delete")
GUESSES = ("arm=manual", "source=model", "ordering=source", "format=api", "fields=arm")
NOWHERE = (
    "/admin/", "/api/", "/api/schema", "/api/schema/", "/openapi.json", "/swagger/",
    "/media/masks/", "/files/masks/", "/static/dist/", "/static/dist/room.js.map",
    "/static/dist/desk.js.map", "/api/items/", "/no/such/page",
)  # fmt: skip


class Crawler:
    """Fetches everything a rater can reach and notes what came, random parts masked."""

    def __init__(self, study: Study) -> None:
        session = Session.objects.filter(enrolment__study=study).order_by("number")[0]
        self.study, self.key = study, session.key
        user = User.objects.get(enrolments=session.enrolment)
        self.client = sign_in(user)
        self.client.raise_request_exception = False
        self.seen: list[Seen] = []
        self.text: list[bytes] = []
        self.files: list[bytes] = []
        self.data: list[bytes] = []

    def fetch(self, url: str, method: str = "get", **headers: str) -> Any:
        call = getattr(self.client, method)
        answer = call(url, headers=headers or None)
        self.note(f"{method} {headers}", answer)
        return answer

    def note(self, what: str, answer: Any) -> None:
        body = b"".join(answer) if answer.streaming else answer.content
        shown = FACTOR.sub(b"*", body)
        plain = RANDOM.sub(b"*", shown.replace(self.key.encode(), b"*"))
        headers = dict(answer.headers)
        varies = "json" in headers.get("Content-Type", "") or shown != body
        if varies and "Content-Length" in headers:
            # The seconds that are left have as many digits as they happen to need,
            # and the picture of a second factor as many squares.
            if body:
                assert headers["Content-Length"] == str(len(body))
            headers["Content-Length"] = str(len(plain))
        masked = tuple(
            sorted(
                (k, RANDOM.sub(b"*", str(v).encode()).decode())
                for k, v in headers.items()
                if k not in ("X-Request-ID", "Date")
            )
        )
        digest = hashlib.sha256(plain).hexdigest()
        self.seen.append((what, answer.status_code, masked, digest))
        self.text.append(repr(masked).encode())
        if answer.headers.get("Content-Type") == "application/octet-stream":
            whole = body.startswith(b"\x1f\x8b") and answer.status_code == 200
            self.files.append(gzip.decompress(body) if whole else body)
        else:
            self.text.append(plain)
        if "json" in answer.headers.get("Content-Type", ""):
            self.data.append(plain)

    def crawl(self) -> list[Seen]:
        cache.clear()
        self.crawl_items()
        self.crawl_pages()
        self.crawl_static()
        return sorted(self.seen)

    def crawl_items(self) -> None:
        """Each item in its turn, with every way of asking for its bytes."""
        base = f"/api/rate/{self.key}/"
        for guess in GUESSES:
            self.fetch(f"{base}?{guess}")
        while True:
            self.fetch(base)
            place = self.fetch(f"{base}next").json()
            if not place["current"]:
                return
            for item in place["current"]["items"]:
                self.crawl_item(item)

    def crawl_item(self, item: dict[str, Any]) -> None:
        for part in ("image", "mask"):
            self.fetch(item[part])
            self.fetch(item[part], "head")
            self.fetch(item[part], Range="bytes=0-99")
        self.fetch(item["mask"], **{"Accept-Encoding": "gzip, br, zstd"})
        self.fetch(item["mask"], **{"If-None-Match": "*"})
        self.fetch(f"{item['mask']}?{GUESSES[0]}")
        self.fetch(item["mask"], "options")
        body = {
            "client_key": str(uuid4()),
            "answers": {q["key"]: {"value": 3} for q in self.study.questions},
        }
        url = f"/api/items/{item['token']}/scores"
        self.note("score", self.client.put(url, body, "application/json"))

    def crawl_pages(self) -> None:
        """Every route of the site with every method, and addresses that are none."""
        for name, kwargs in list_routes(self.study, self.key):
            # Posts to the pages of the account would sign out or use up its tries.
            account = name.startswith(("account", "mfa"))
            methods = METHODS[:3] if account else METHODS
            # HEAD tells nothing of it but a length, which its picture makes random.
            for method in METHODS[:1] if name == "mfa_activate_totp" else methods:
                self.fetch(reverse(name, kwargs=kwargs), method)
        for url in NOWHERE:
            self.fetch(url)

    def crawl_static(self) -> None:
        for finder in get_finders():
            for path, _ in finder.list([]):
                self.fetch(f"/static/{path}")


def list_routes(study: Study, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every named route, with the rater's own key and otherwise unknown things."""
    unknown = "00000000-0000-4000-8000-000000000000"
    for pattern in walk(get_resolver()):
        if not pattern.name:
            continue
        values: dict[str, Any] = {
            name: 7 if "Int" in type(converter).__name__ else unknown
            for name, converter in pattern.pattern.converters.items()
        }
        if "study_id" in values:
            values["study_id"] = study.pk
        figure = {"name": "violin", "kind": "svg"}
        values |= {part: figure[part] for part in values if part in figure}
        for name in ("key", "token"):
            if name in values:
                values[name] = key if name == "key" else "x" * 43
        if isinstance(pattern.pattern, RegexPattern):
            values = dict.fromkeys(pattern.pattern.regex.groupindex, "x")
        yield pattern.name, values


def walk(resolver: URLResolver) -> Iterator[URLPattern]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from walk(entry)
        else:
            yield entry
