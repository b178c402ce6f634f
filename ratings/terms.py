"""Says in a few words what a column of the comparison's tables means."""

from __future__ import annotations

from ratings.statistics.segmentation import CORNERS, ONE_TO_ONE, PUBLISHED

_TOTAL = "Total over cases"
COLUMNS = {
    "n": "Number of cases",
    "n_empty": "Cases in which a mask is empty; their values are conventions",
    "Dice": "Twice the shared volume by the sum of both volumes: 1 is the same mask, 0 "
    "shares nothing",
    "Recall": "The share of the reference’s lesions that were found",
    "PPV": "Positive predictive value: found lesions by found and false ones",
    "F1": "Found lesions by found ones and half of those that are missed or false",
    "HD95 (mm)": "95th percentile of the distance between the two surfaces, the "
    "greater of both directions",
    "n (HD95)": "Cases that have the distance: neither mask is empty",
    "Average distance (mm)": "Mean distance between the two surfaces",
    "Partial volume (mm³)": "Sum of a soft map’s values times the volume of a voxel",
    "Found": f"{_TOTAL}: lesions of the reference that the prediction has",
    "Missed": f"{_TOTAL}: lesions of the reference that it lacks",
    "False": f"{_TOTAL}: lesions of the prediction that the reference lacks",
    "p": "Wilcoxon’s signed-rank test of the two arms over cases",
    "p (Bonferroni)": "The p-value times the number of tests",
    "p (Holm)": "The p-value corrected for the number of tests, step by step",
}
RULES = {
    PUBLISHED.name: "as in the published evaluation: voxels that share a face make one "
    "lesion; it is found when the prediction has 10 % of its voxels, and a predicted "
    "lesion is false when it has no voxel in the reference",
    CORNERS.name: "the same, but voxels that touch by an edge or a corner make one "
    "lesion too",
    ONE_TO_ONE.name: "each lesion is paired with at most one of the other mask, and "
    "is found when half of what both cover together is shared",
}
