"""What a simulated power means and leaves out, in sentences beside the figure."""

from __future__ import annotations

from ratings.statistics.crossed import MIN_CASES
from ratings.statistics.power import LEVEL, Power, PowerPlan

MORE = "Plan more cases or raters, or fewer missing scores."
WIDER = "Look at the standard deviations: what never varies can't be tested."


def list_notes(plan: PowerPlan, found: Power) -> list[str]:
    """Sentences on several comparisons, and on studies that had no test."""
    untested = tell_untested(found)
    return [*tell_several(plan, found), *([untested] if untested else [])]


def tell_several(plan: PowerPlan, found: Power) -> list[str]:
    """What the correction for several comparisons does to the figures, if any."""
    if found.corrected is None:
        return []
    told = [
        f"The results correct {plan.comparisons} comparisons together (Holm), which "
        "finds all that testing each of them at "
        f"{LEVEL:g}/{plan.comparisons} finds. So the corrected figure is the least "
        "power of one of them; it is higher where others differ as well."
    ]
    if found.not_worse is not None:
        told.append(
            "The results do not correct “not worse” for several comparisons, so the "
            "figure for it is of one alone."
        )
    return told


def tell_untested(found: Power) -> str:
    """How many simulated studies had no test and why; empty if all had one."""
    if not found.untested:
        return ""
    counts = {
        f"fewer than {MIN_CASES} cases with scores of both arms": found.few,
        "differences that do not vary": found.flat,
    }
    why = " and ".join(f"{n} for {reason}" for reason, n in counts.items() if n)
    if found.untested < found.studies:
        return (
            f"{found.untested} of the {found.studies} simulated studies had no test "
            f"({why}). They count as not showing anything."
        )
    remedy = " ".join([MORE] * bool(found.few) + [WIDER] * bool(found.flat))
    return (
        f"No power can be given, because none of the {found.studies} simulated studies "
        f"had a test ({why}). {remedy}"
    )
