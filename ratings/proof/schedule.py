"""The draw: balanced, and after the lock stored and committed to as it was drawn."""

from __future__ import annotations

from ratings import blinding, drawing, protocol
from ratings.models import Study


def check_schedule(study: Study) -> list[str]:
    """Faults of the balance, and of the stored order against draw and commitment."""
    drawn = protocol.draw(study)
    faults = []
    for spread, line in (
        (drawn.spread_raters, "rater"), (drawn.spread_cases, "case"),
    ):  # fmt: skip
        if spread > 1:
            faults.append(
                f"The draw is not balanced: within a {line} one arm comes first "
                f"{spread} times more often than another."
            )
    if study.state == Study.State.DRAFT:
        return faults
    return faults + compare_with_record(study)


def compare_with_record(study: Study) -> list[str]:
    """Every stored item against the draw, and the draw against its commitment."""
    faults: list[str] = []
    drawn = protocol.draw(study).placements
    everything = list(drawn)
    for own, fault in drawing.draw_latecomers(
        protocol=study.protocol or {}, seed=study.seed,
        protocol_sha256=study.protocol_sha256,
        late=study.allocation_report.get("late", []), earlier=drawn,
    ):  # fmt: skip
        faults += [fault] * bool(fault)
        everything += own
    stored = blinding.list_placements(study)
    wrong = set(drawing.list_lines(everything)) ^ set(drawing.list_lines(stored))
    for rater, position in sorted(
        {(line.split("/")[0], line.split("/")[2]) for line in wrong}
    ):
        faults.append(
            f"{rater}, position {position}: what is stored is not what was drawn."
        )
    entry = study.audit.filter(verb=Study.State.LOCKED).last()
    commitment = drawing.commit_to(
        seed=study.seed, protocol_sha256=study.protocol_sha256, placements=drawn
    )
    if entry is None or entry.payload.get("commitment") != commitment:
        faults.append("The draw does not fit the commitment in the record.")
    return faults
