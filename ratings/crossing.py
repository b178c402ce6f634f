"""Names the strata that cases fall into when several are crossed, no two alike."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

# what a case has of each stratum that is crossed, in their order; empty: not given
Values = tuple[str, ...]
NOT_GIVEN = "not given"


def name_strata(strata: Iterable[Values]) -> dict[Values, str]:
    """ "T2w, Lyon"; in quotes where two would read the same.

    A plain name stays plain where it can: by it earlier draws are repeated.
    """
    names = {values: spell(values) for values in strata}
    names |= {values: quote(values) for values in list_alike(names)}
    # somebody may have called a site as the quotes spell another
    return {values: quote(values) for values in names} if list_alike(names) else names


def list_alike(names: Mapping[Values, str]) -> list[Values]:
    counts = Counter(names.values())
    return [values for values, name in names.items() if counts[name] > 1]


def spell(values: Values) -> str:
    """Without strata all cases are one."""
    return ", ".join(value or NOT_GIVEN for value in values) or "all"


def quote(values: Values) -> str:
    """No two spell alike: only a value that is not given stands without quotes."""
    spelt = (json.dumps(v, ensure_ascii=False) if v else NOT_GIVEN for v in values)
    return ", ".join(spelt)


def name_as_before(name: str) -> str:
    """By this name seeds and ties are drawn, so that earlier draws are repeated."""
    return name.replace(NOT_GIVEN, "unknown")


def find_name(typed: str, names: Collection[str]) -> str:
    """The name that is meant: a line of a form can't hold a line break of a name."""
    if typed in names:
        return typed
    near = [name for name in names if name.split() == typed.split()]
    return near[0] if len(near) == 1 else typed
