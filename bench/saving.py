"""How long a score takes to be stored while 8, then 64 raters rate on the real site."""

from __future__ import annotations

import json
import random
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from bench.material import Rater, open_study, write_scan
from bench.rows import Row, percentile
from bench.seat import Seat, sit_down
from bench.site import serve
from config.scans import Scan

SCANS, COPIES = 4, 5
PAUSE_SECONDS = 2.0
Stored = tuple[uuid.UUID, str, int | None]


@dataclass(frozen=True)
class Save:
    """A score that the site said it has stored."""

    key: uuid.UUID
    token: str
    value: int
    ms: float

    @property
    def stored(self) -> Stored:
        return self.key, self.token, self.value


@dataclass(frozen=True)
class Load:
    """So many raters; each saves some scores at an even pace, then some at once.

    `paced_goal` and `saturated_goal` are the 95th percentiles to stay below, in ms.
    """

    raters: int
    paced: int
    saturated: int
    paced_goal: float | None
    saturated_goal: float | None


LOADS = (Load(8, 15, 25, 150.0, None), Load(64, 10, 10, None, 1500.0))


class ScoresDiffer(Exception):
    """The site's word and its database are not the same."""


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        scans = write_scans(Path(folder))
        studies = [
            open_study(
                title=f"Saving by {load.raters}", scans=scans * COPIES,
                raters=load.raters,
            )
            for load in LOADS
        ]  # fmt: skip
    with serve(settings.DATA_DIR) as site:
        return [
            row
            for load, raters in zip(LOADS, studies, strict=True)
            for row in measure(site, load, raters)
        ]


def write_scans(folder: Path) -> list[Scan]:
    return [write_scan(folder, seed=9_100 + n) for n in range(SCANS)]


def measure(site: str, load: Load, raters: list[Rater]) -> list[Row]:
    seats = [sit_down(site, rater) for rater in raters]
    paced = rate_together(seats, count=load.paced, pause=PAUSE_SECONDS)
    saturated = rate_together(seats, count=load.saturated, pause=0.0)
    check_stored(paced + saturated, read_stored([rater.key for rater in raters]))
    pace = f"a save about every {PAUSE_SECONDS:g} s each"
    return [
        *make_rows(paced, load.raters, pace, load.paced_goal),
        *make_rows(saturated, load.raters, "without a pause", load.saturated_goal),
    ]


def make_rows(
    saves: list[Save], raters: int, pace: str, goal: float | None
) -> list[Row]:
    waits = [save.ms for save in saves]
    how = f"{raters} raters, {len(saves)} saves, all found in the database"
    what = f"score save {{}}, {raters} raters, {pace}"
    return [
        Row(what.format("p50"), percentile(waits, 50), "ms", how),
        Row(what.format("p95"), percentile(waits, 95), "ms", how, goal=goal),
    ]


def rate_together(seats: list[Seat], *, count: int, pause: float) -> list[Save]:
    def work(seat: Seat) -> list[Save]:
        rng = random.Random(seat.key)
        return [rate_next(seat, rng=rng, pause=pause) for _ in range(count)]

    with ThreadPoolExecutor(len(seats)) as pool:
        return [save for saves in pool.map(work, seats) for save in saves]


def rate_next(seat: Seat, *, rng: random.Random, pause: float) -> Save:
    """What the room does for an item; only the save itself is timed."""
    _, data = seat.ask("GET", f"/api/rate/{seat.key}/next")
    item = json.loads(data)["current"]["items"][0]
    seat.ask("GET", item["image"])
    seat.ask("GET", item["mask"])
    time.sleep(rng.expovariate(1 / pause) if pause else 0.0)
    key, value = uuid.uuid4(), rng.randint(1, 5)
    body = {
        "client_key": str(key), "answers": {"quality": {"value": value}},
        "comment": "", "active_ms": 8000, "conduct": {"slices": 9},
    }  # fmt: skip
    start = time.perf_counter()
    _, data = seat.ask("PUT", f"/api/items/{item['token']}/scores", body)
    ms = (time.perf_counter() - start) * 1000
    if json.loads(data)["saved"] is not True:
        raise ConnectionError(f"A save was answered by {data!r}.")
    return Save(key, item["token"], value, ms)


def read_stored(keys: list[str]) -> list[Stored]:
    from ratings.models import Score

    scores = Score.objects.filter(item__presentation__session__key__in=keys)
    return list(scores.values_list("client_key", "item__token", "value"))


def check_stored(acknowledged: Iterable[Save], stored: Iterable[Stored]) -> None:
    """Refuse figures of a site that lost, doubled, changed or made up a score."""
    said, kept = Counter(save.stored for save in acknowledged), Counter(stored)
    lost, extra = (said - kept).total(), (kept - said).total()
    if lost or extra:
        raise ScoresDiffer(
            f"{lost} acknowledged scores are not stored as sent, and {extra} stored "
            "ones were never acknowledged; the figures of such a site mean nothing."
        )
