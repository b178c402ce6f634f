"""How the rating went: what is missing, order, sessions, carry-over, time, looks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from ratings.statistics.blinding_index import Blinding, blinding
from ratings.statistics.crossed import RATERS, crossed_mean
from ratings.statistics.paired import midranks
from ratings.statistics.result import Result
from ratings.statistics.rows import ScoreRow
from ratings.statistics.table import FloatArray, ScoreTable, natural

BoolArray = npt.NDArray[np.bool_]
HASTY, IDLE = 3.0, 600.0  # seconds
UNEXPLAINED = "no reason given"
UNSURE = ("unsure", "don't know", "dont_know", "unknown")


@dataclass(frozen=True)
class Count:
    """Scores expected and given, by one rater in one arm.

    `n_excluded` more were asked for, of cases that were withdrawn after the lock.
    """

    arm: str
    rater: str
    n_expected: int
    n_given: int
    n_excluded: int = 0


@dataclass(frozen=True)
class Gap:
    """How many of a rater's scores are missing for one reason."""

    rater: str
    reason: str
    n: int


@dataclass(frozen=True)
class Times:
    """Active seconds per item: quartiles, and how many are suspicious."""

    label: str
    n: int
    lower: float | None
    median: float | None
    upper: float | None
    hasty: int
    idle: int


@dataclass(frozen=True)
class ArmConduct:
    """What conduct means for one comparison.

    `carry_over` is the mean difference when the arm was seen first minus when the
    reference was; `without_unlooked` and `unsure_or_wrong` repeat the primary result
    without scores given unlooked, and where raters did not recognise the source;
    `without_own` does so without the pairs of raters who drew, or whose site drew, a
    mask of the case, and is None where the protocol marks no such scores.
    """

    arm: str
    reference: str
    blinding: Blinding | None
    carry_over: Result
    without_unlooked: Result
    unsure_or_wrong: Result
    without_own: Result | None


@dataclass(frozen=True)
class Conduct:
    """How the rating went; `order` is points per 100 positions, within raters.

    `gaps` are `reasons` by rater, only where each score asked for has its row.
    `n_unlooked` and `n_own` count scores, None where nothing was recorded of it.
    """

    counts: tuple[Count, ...]
    reasons: tuple[tuple[str, int], ...]
    gaps: tuple[Gap, ...]
    order: Result
    session: Result
    times: tuple[Times, ...]
    n_unlooked: int | None
    n_own: int | None
    arms: tuple[ArmConduct, ...]


def conduct(table: ScoreTable, *, reference: str, seed: int) -> Conduct:
    """Everything about the conduct that the rows of a table tell."""
    main = [row for row in table.rows if row.rep == 0]
    looks = [row.unlooked for row in main if row.unlooked is not None]
    owns = [row.conflict for row in main if row.conflict is not None]
    lacking = [
        (row.rater, row.reason or UNEXPLAINED) for row in main if row.score is None
    ]
    return Conduct(
        counts=_counts(table),
        reasons=tuple(sorted(Counter(reason for _, reason in lacking).items())),
        gaps=_gaps(lacking) if table.every_place else (),
        order=order_effect(main, table),
        session=session_effect(main, table),
        times=_times(main, table),
        n_unlooked=sum(1 for look in looks if look) if looks else None,
        n_own=sum(1 for own in owns if own) if owns else None,
        arms=tuple(
            _of_arm(table, main, arm, reference, seed)
            for arm in table.arms
            if arm != reference
        ),
    )


def _gaps(lacking: Iterable[tuple[str, str]]) -> tuple[Gap, ...]:
    counts = sorted(Counter(lacking).items(), key=lambda one: natural(one[0][0]))
    return tuple(Gap(rater, reason, n) for (rater, reason), n in counts)


def _counts(table: ScoreTable) -> tuple[Count, ...]:
    given, asked = (~np.isnan(table.scores)).sum(1), table.expected.sum(1)
    apart = Counter((row.rater, row.arm) for row in table.withdrawn if row.rep == 0)
    return tuple(
        Count(arm, rater, int(asked[r, a]), int(given[r, a]), apart[rater, arm])
        for a, arm in enumerate(table.arms)
        for r, rater in enumerate(table.raters)
    )


def order_effect(main: Sequence[ScoreRow], table: ScoreTable) -> Result:
    """Drift along each rater's order: mean of the raters' least-squares slopes."""
    slopes, n = [], 0
    for rows in _by_rater(main, table):
        known = [
            (place, row.score)
            for row in rows
            if row.score is not None and (place := _place(row)) is not None
        ]
        known.sort()  # so that rows in another order give the same sums
        if len(known) < 3:
            continue
        # Masks shown together were seen at one time: they share their mean place.
        order = {place: n for n, place in enumerate(sorted({one[0] for one in known}))}
        position = midranks(np.array([float(order[one[0]]) for one in known])) / 100
        score = np.array([one[1] for one in known], dtype=float)
        centred = position - position.mean()
        if not centred.any():
            continue
        slopes.append(float(centred @ score / (centred @ centred)))
        n += len(known)
    make = partial(
        Result, n=n, method="mean of the raters' slopes, t interval over raters",
        what="drift of the scores per 100 masks seen", scope=RATERS,
    )  # fmt: skip
    return _over_raters(make, slopes, "no_positions")


def session_effect(main: Sequence[ScoreRow], table: ScoreTable) -> Result:
    """Later sessions minus the first, within raters, mean over raters."""
    shifts, n = [], 0
    for rows in _by_rater(main, table):
        first: list[int] = []
        later: list[int] = []
        numbers = {row.session for row in rows if row.session is not None}
        for row in rows:
            if row.score is not None and row.session is not None:
                (first if row.session == min(numbers) else later).append(row.score)
        if first and later:
            shifts.append(float(np.mean(later) - np.mean(first)))
            n += len(first) + len(later)
    make = partial(
        Result, n=n, method="later sessions − first, t interval over raters",
        what="later sessions against the first", scope=RATERS,
    )  # fmt: skip
    known = any(row.session is not None for row in main)
    return _over_raters(make, shifts, "one_session" if known else "no_positions")


def carry_over(
    main: Sequence[ScoreRow], table: ScoreTable, *, arm: str, reference: str
) -> Result:
    """Does it matter which mask of a case is seen first? Within raters, over raters."""
    d = table.difference(arm=arm, reference=reference)
    first = _arm_first(main, table, arm, reference)
    shifts, n = [], 0
    for r in range(len(table.raters)):
        known = ~np.isnan(d[r]) & ~np.isnan(first[r])
        early, late = d[r][known & (first[r] == 1)], d[r][known & (first[r] == 0)]
        if len(early) and len(late):
            shifts.append(float(early.mean() - late.mean()))
            n += int(known.sum())
    make = partial(
        Result, n=n, method="difference by which mask came first, t over raters",
        what=f"{arm} − {reference} when {arm} was seen first, minus when it was second",
        scope=RATERS,
    )  # fmt: skip
    return _over_raters(make, shifts, "no_order_of_arms")


def _over_raters(
    make: Callable[..., Result], values: Sequence[float], reason: str
) -> Result:
    """Mean of one value per rater with its t interval over raters."""
    if not values:
        return make(value=None, reason=reason)
    x = np.sort(np.array(values))
    mean = float(x.mean())
    if len(x) < 3:
        return make(value=mean, reason="too_few_raters")
    se = float(x.std(ddof=1) / np.sqrt(len(x)))
    if se < 1e-12:
        return make(value=mean, se=0.0, reason="zero_variance")
    half = float(stdtrit(len(x) - 1, 0.975)) * se
    return make(
        value=mean,
        se=se,
        ci=(mean - half, mean + half),
        p=float(2 * stdtr(len(x) - 1, -abs(mean) / se)),
        warnings=("few_raters",) if len(x) < 6 else (),
        detail={"n_raters": len(x), "df": float(len(x) - 1)},
    )


def _times(main: Sequence[ScoreRow], table: ScoreTable) -> tuple[Times, ...]:
    """All, each arm, each rater; empty when no time was kept."""
    if not any(row.seconds for row in main):
        return ()
    groups = [("all", list(main))]
    groups += [(arm, [r for r in main if r.arm == arm]) for arm in table.arms]
    groups += zip(table.raters, _by_rater(main, table), strict=True)
    return tuple(_time(label, rows) for label, rows in groups)


def _time(label: str, rows: Iterable[ScoreRow]) -> Times:
    seconds = np.array([row.seconds for row in rows if row.seconds], dtype=float)
    if len(seconds) == 0:
        return Times(label, 0, None, None, None, 0, 0)
    lower, median, upper = (float(q) for q in np.quantile(seconds, [0.25, 0.5, 0.75]))
    hasty, idle = int((seconds < HASTY).sum()), int((seconds > IDLE).sum())
    return Times(label, len(seconds), lower, median, upper, hasty, idle)


def _of_arm(
    table: ScoreTable, main: Sequence[ScoreRow], arm: str, reference: str, seed: int
) -> ArmConduct:
    d = table.difference(arm=arm, reference=reference)
    guesses = guess_table(main, table, arm=arm, reference=reference)
    asked = bool((~np.isnan(guesses)).any())
    placed = [one for one in _placed(main, table) if one[0].arm in (arm, reference)]
    unlooked = _where(((r, c) for row, r, c in placed if row.unlooked), table)
    hidden = np.where(_recognised(guesses), np.nan, d)
    looked = np.where(unlooked, np.nan, d)
    return ArmConduct(
        arm=arm,
        reference=reference,
        blinding=blinding(
            guesses, arm=arm, reference=reference, raters=table.raters, seed=seed
        )
        if asked
        else None,
        carry_over=carry_over(main, table, arm=arm, reference=reference),
        without_unlooked=_again(looked, d, "without scores given unlooked")
        if unlooked.any()
        else _gap(d, "without scores given unlooked", "all_looked"),
        unsure_or_wrong=_again(hidden, d, "where no source was recognised")
        if asked
        else _gap(d, "where no source was recognised", "no_guesses"),
        without_own=_without_own(placed, table, d),
    )


def _without_own(
    placed: Sequence[tuple[ScoreRow, int, int]], table: ScoreTable, d: FloatArray
) -> Result | None:
    """The primary result without raters' own cases; None where none are marked."""
    words = "without raters' own cases"
    if all(row.conflict is None for row, _, _ in placed):
        return None
    own = _where(((r, c) for row, r, c in placed if row.conflict), table)
    if not own.any():
        return _gap(d, words, "no_own_cases")
    return _again(np.where(own, np.nan, d), d, words)


def _again(values: FloatArray, d: FloatArray, words: str) -> Result:
    return crossed_mean(values, what=f"mean difference {words}").both


def _gap(d: FloatArray, words: str, reason: str) -> Result:
    what = f"mean difference {words}"
    n = int((~np.isnan(d)).sum())
    return Result(value=None, n=n, method=what, what=what, scope=RATERS, reason=reason)


def guess_table(
    main: Iterable[ScoreRow], table: ScoreTable, *, arm: str, reference: str
) -> FloatArray:
    """Guesses [R, C, truth]: 0 reference, 1 another source, 2 unsure, NaN not asked."""
    found = np.full((len(table.raters), len(table.cases), 2), np.nan)
    truths = {reference: 0, arm: 1}
    for row, r, c in _placed(main, table):
        if row.arm in truths and row.guess:
            word = row.guess.strip().lower()
            code = 2 if word in UNSURE else int(word != reference.lower())
            found[r, c, truths[row.arm]] = code
    return found


def _recognised(guesses: FloatArray) -> BoolArray:
    """Pairs in which either mask was guessed rightly, or was not guessed."""
    right = (guesses[:, :, 0] == 0) | (guesses[:, :, 1] == 1)
    out: BoolArray = right | np.isnan(guesses).any(2)
    return out


def _where(pairs: Iterable[tuple[int, int]], table: ScoreTable) -> BoolArray:
    found = np.zeros((len(table.raters), len(table.cases)), dtype=bool)
    for pair in pairs:
        found[pair] = True
    return found


def _arm_first(
    main: Iterable[ScoreRow], table: ScoreTable, arm: str, reference: str
) -> FloatArray:
    """1 where the arm was seen first, 0 where second, NaN unknown or at once."""
    place: dict[tuple[int, int, str], tuple[int, int]] = {}
    for row, r, c in _placed(main, table):
        if (where := _place(row)) is not None:
            place[r, c, row.arm] = where
    found = np.full((len(table.raters), len(table.cases)), np.nan)
    for (r, c, label), where in place.items():
        other = place.get((r, c, reference))
        if label == arm and other is not None and other != where:
            found[r, c] = float(where < other)
    return found


def _place(row: ScoreRow) -> tuple[int, int] | None:
    """When a row was rated, within its rater: session, then position."""
    return None if row.position is None else (row.session or 0, row.position)


def _placed(
    rows: Iterable[ScoreRow], table: ScoreTable
) -> Iterable[tuple[ScoreRow, int, int]]:
    raters = {label: i for i, label in enumerate(table.raters)}
    cases = {label: i for i, label in enumerate(table.cases)}
    for row in rows:
        yield row, raters[row.rater], cases[row.case]


def _by_rater(main: Sequence[ScoreRow], table: ScoreTable) -> Iterable[list[ScoreRow]]:
    found: dict[str, list[ScoreRow]] = {rater: [] for rater in table.raters}
    for row in main:
        found[row.rater].append(row)
    yield from found.values()
