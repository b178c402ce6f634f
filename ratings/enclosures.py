"""The comparison of the masks as files of a bundle: its tables and its figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ratings import measuring, relating, robustness, sweeping
from ratings.models import Arm, MaskComparison, Study
from ratings.statistics.lesion_table import table_lesions
from ratings.statistics.mask_tables import MaskRow, make_tables, table_cases
from ratings.statistics.segmentation import PUBLISHED, Lesion
from ratings.statistics.sheets import Sheet, sheet_csv, sheet_latex
from ratings.statistics.sweep_tables import make_sweep_tables
from ratings.statistics.sweeps import make_coarser, make_cuts, make_levels
from ratings.statistics.test_set import count_flow
from ratings.strata import list_strata

if TYPE_CHECKING:
    from ratings.figures.canvas import Figure

# These are for whoever computes on, and would fill pages of a paper.
DATA = ("cases", "lesions", "scores_and_dice_cases")


def describe(study: Study) -> dict[str, bytes]:
    """The files by name, once every mask is measured against the study's reference.

    Equal masks, maps and scores give equal bytes.
    """
    reference = study.arms.filter(key=study.reference_arm).first()
    if reference is None or measuring.list_missing(study, reference):
        return {}
    kept = measuring.list_current(study, reference)
    if not kept:
        return {}
    rows = measuring.build_rows(study, reference)
    questions = relating.relate_scores(
        study, rows=rows, arms=measuring.list_arms(study), reference=reference
    )
    sheets = list_sheets(study, reference, rows, kept)
    sheets += list_relations(questions)
    figures = [*draw_figures(study, kept), *draw_relations(study, questions)]
    return {**write_sheets(sheets), **write_figures(figures)}


def list_lesions(
    kept: Sequence[MaskComparison], rule: str
) -> Iterator[tuple[str, str, Lesion]]:
    """Every lesion of what is kept, with its case and arm."""
    for one in kept:
        for told in one.results["rules"][rule]["lesions"]:
            centre: Any = tuple(told["centre"])
            lesion = Lesion(**told | {"centre": centre})
            yield one.case.label, one.arm.label, lesion


def list_sheets(
    study: Study, reference: Arm, rows: list[MaskRow], kept: list[MaskComparison]
) -> list[tuple[str, Sheet]]:
    by = next(iter(list_strata(study)), "set")
    rivals = [arm.label for arm in measuring.list_arms(study) if arm != reference]
    found = [
        measuring.lay_out_test_set(study),
        *make_tables(rows, by=by, baseline=rivals[0]),
        table_cases(rows),
        table_lesions(list_lesions(kept, PUBLISHED.name)),
        *list_robustness(kept),
    ]
    return [(sheet.key, sheet) for sheet in found]


def list_robustness(kept: list[MaskComparison]) -> list[Sheet]:
    return make_sweep_tables(
        levels=make_levels(sweeping.list_parts(kept, "levels")),
        cuts=make_cuts(sweeping.list_parts(kept, "cord")),
        coarser=make_coarser(sweeping.list_coarser(kept)),
    )


def list_relations(questions: list[relating.Question]) -> list[tuple[str, Sheet]]:
    """Of each question what scores say of Dice; a name for each, where several."""
    found = []
    for number, question in enumerate(questions, 1):
        end = f"_{number}" if len(questions) > 1 else ""
        for make in (relating.table_relations, relating.table_points):
            sheet = make(question)
            found.append((sheet.key + end, sheet))
    return found


def draw_figures(
    study: Study, kept: list[MaskComparison]
) -> Iterator[tuple[str, Figure]]:
    # Here and not above: matplotlib takes a second to load.
    from ratings.figures.flow import flow_diagram

    flow = count_flow(measuring.describe_cases(study))
    yield (
        "flow",
        flow_diagram(
            flow, absent=measuring.tell_absent(study), simulated=study.simulated
        ),
    )
    for name in robustness.NAMES:
        if figure := robustness.draw(study, kept, name):
            yield name, figure


def draw_relations(
    study: Study, questions: list[relating.Question]
) -> Iterator[tuple[str, Figure]]:
    from ratings.figures.scatter import scores_against_dice

    for number, question in enumerate(questions, 1):
        relations = (*question.relations, *question.differences)
        if relations:
            figure = scores_against_dice(
                relations, question=question.text, simulated=study.simulated
            )
            end = f"_{number}" if len(questions) > 1 else ""
            yield figure.name + end, figure


def write_sheets(sheets: list[tuple[str, Sheet]]) -> dict[str, bytes]:
    files = {}
    for name, sheet in sheets:
        if sheet.key in DATA:
            files[f"comparison/{name}.csv"] = sheet_csv(sheet).encode()
            continue
        files[f"comparison/tables/{name}.csv"] = sheet_csv(sheet).encode()
        files[f"comparison/tables/{name}.tex"] = sheet_latex(sheet).encode()
    return files


def write_figures(figures: list[tuple[str, Figure]]) -> dict[str, bytes]:
    files = {}
    for name, figure in figures:
        for kind, data in figure.files().items():
            files[f"comparison/figures/{name}.{kind}"] = data
    captions = [f"{name}\n{figure.caption}\n" for name, figure in figures]
    files["comparison/figures/captions.txt"] = "\n".join(captions).encode()
    return files
