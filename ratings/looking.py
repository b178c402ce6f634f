"""What the desk's viewer and its wall of cases show of a study's masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ratings import measuring
from ratings.models import Arm, Case, Mask, Study

STRATA = ("contrast", "site", "acquisition")
# How cases can be ordered: the key, the words, and whether much of it is good.
ORDERS = (
    ("case", "case", True),
    ("volume", "volume of the mask", True),
    ("dice", "Dice", True),
    ("recall", "lesion-wise recall", True),
    ("ppv", "lesion-wise PPV", True),
    ("f1", "lesion-wise F1", True),
    ("hd95", "95 % Hausdorff distance", False),
)


@dataclass(frozen=True)
class Tile:
    """One case with one arm's mask; `rank` is worst, median or best, if any of them."""

    case: Case
    mask: Mask
    value: float | None
    rank: str = ""


def list_tiles(
    study: Study, arm: Arm, *, order: str, chosen: Mapping[str, str]
) -> list[Tile]:
    """The arm's masks of the cases in the chosen strata, by case or the worst first."""
    masks = (
        Mask.objects.filter(arm=arm, case__in=study.compared_cases())
        .select_related("case", "arm")
        .order_by("case__label")
    )
    wanted = [
        mask
        for mask in masks
        if all(
            mask.case.strata.get(name, "") == value for name, value in chosen.items()
        )
    ]
    values = find_values(study, arm, order)
    tiles = [
        Tile(m.case, m, m.volume_mm3 if order == "volume" else values.get(m.case.label))
        for m in wanted
    ]
    return tiles if order == "case" else rank(tiles, upward=is_good(order))


def is_good(order: str) -> bool:
    return next(good for key, _, good in ORDERS if key == order)


def find_values(study: Study, arm: Arm, order: str) -> dict[str, float]:
    """What was measured of the arm against the study's reference, by case."""
    reference = study.arms.filter(key=study.reference_arm).first()
    if order in ("case", "volume") or reference is None:
        return {}
    rows = measuring.build_rows(study, reference)
    told = {row.case: getattr(row, order) for row in rows if row.arm == arm.label}
    return {case: value for case, value in told.items() if value is not None}


def rank(tiles: Sequence[Tile], *, upward: bool) -> list[Tile]:
    """The worst first, those without a value last; three of them named.

    Of an even number the median is the upper of the two in the middle.
    """
    known = [tile for tile in tiles if tile.value is not None]
    known.sort(key=lambda tile: tile.value or 0.0, reverse=not upward)
    names = {0: "worst", len(known) // 2: "median", len(known) - 1: "best"}
    ranked = [
        Tile(
            tile.case,
            tile.mask,
            tile.value,
            names.get(at, "") if len(known) > 2 else "",
        )
        for at, tile in enumerate(known)
    ]
    return ranked + [tile for tile in tiles if tile.value is None]


def list_choices(study: Study) -> dict[str, list[str]]:
    """The values of each stratum that can be filtered by, where there are several."""
    told = [case.strata for case in study.compared_cases()]
    values = {n: sorted({s[n] for s in told if s.get(n)}) for n in STRATA}
    return {name: found for name, found in values.items() if len(found) > 1}


def find_neighbours(study: Study, case: Case) -> tuple[Case | None, Case | None]:
    """The cases before and after it by label."""
    cases = study.compared_cases()
    before = cases.filter(label__lt=case.label).order_by("-label").first()
    return before, cases.filter(label__gt=case.label).order_by("label").first()
