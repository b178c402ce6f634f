"""What each number is: its formula, why it was chosen, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Explanation:
    """How one number is computed, why this one, and its reference."""

    title: str
    formula: str
    why: str
    reference: str


EXPLANATIONS: dict[str, Explanation] = {
    "difference": Explanation(
        "Mean difference, raters × cases",
        "d̄ over all pairs; Var(d̄) = (MS_rater + MS_case − MS_error)/(RC), t interval "
        "with Satterthwaite's degrees of freedom; with holes, the two-way "
        "cluster-robust variance.",
        "Raters and cases are both samples. Only this form answers for other raters "
        "and other cases, and it keeps its 5 % when either of them differ.",
        "Obuchowski, Rockette 1995; Cameron, Gelbach, Miller 2011",
    ),
    "hillis": Explanation(
        "The same with Hillis' degrees of freedom",
        "Var = [MS_rater + max(MS_case − MS_error, 0)]/(RC); df from the raters.",
        "The usual variant in multi-reader studies; it should agree with the first.",
        "Hillis 2007",
    ),
    "primary": Explanation(
        "The primary test of the protocol",
        "One of the rows of this page, chosen on the design page before the first "
        "score; a rank test takes its interval, and the margin, from t over cases.",
        "Which test answers the question must not depend on what each of them says.",
        "ICH E9, statistical principles for clinical trials, 1998",
    ),
    "one_way": Explanation(
        "One kind of sampling only",
        "Var = MS_case/(RC) or MS_rater/(RC), t interval.",
        "Narrower claims: they hold only for these raters, or only for these cases.",
        "Standard one-way analysis of case or rater means",
    ),
    "net_preference": Explanation(
        "Net preference",
        "P(d > 0) − P(d < 0), with the raters × cases interval of the signs of d.",
        "It uses only which of the two was scored higher, so it does not depend on "
        "the steps of the scale being equal.",
        "As the primary difference, on sign(d)",
    ),
    "non_inferiority": Explanation(
        "Non-inferiority",
        "Not worse if the lower 95 % limit lies above −δ; one-sided p.",
        "“No significant difference” proves nothing; a margin fixed beforehand can.",
        "CONSORT extension, Piaggio and others 2012",
    ),
    "equivalence": Explanation(
        "Equivalence",
        "Two one-sided t tests at 5 %; equivalent if the 90 % interval lies in ±δ.",
        "Answers whether the two are the same for practical purposes.",
        "Schuirmann 1987",
    ),
    "case_flips": Explanation(
        "Signed-rank test, cases as clusters",
        "T = Σ signed ranks of all pairs; the sign of a whole case is flipped, over "
        "all 2^C patterns or 100 000 random ones.",
        "No assumption on the shape of the scores; it answers for these raters only.",
        "Rosner, Glynn, Lee 2006; Pratt 1959",
    ),
    "rater_flips": Explanation(
        "Signed-rank test, raters as clusters",
        "The same with whole raters flipped: 2^R patterns.",
        "Answers for raters like these on these cases; needs six raters, because p is "
        "never below 2/2^R.",
        "Rosner, Glynn, Lee 2006",
    ),
    "rank_free": Explanation(
        "Signed-rank test free of cluster sizes",
        "One pair per case drawn within clusters, averaged in closed form; z.",
        "Keeps its level when the number of pairs per case says something itself.",
        "Datta, Satten 2008",
    ),
    "bootstrap": Explanation(
        "Bootstrap interval",
        "2.5 % and 97.5 % of 10 000 seeded resamples of cases, of raters, or of both.",
        "Checks the t interval without its assumption of normal means.",
        "Efron 1979; Owen 2007 for both at once",
    ),
    "win_probability": Explanation(
        "Chance of being scored higher",
        "P(d > 0) + ½ P(d = 0).",
        "0.5 means no preference; it is what a reader asks.",
        "Vargha, Delaney 2000, for pairs",
    ),
    "model": Explanation(
        "Cumulative-link mixed model",
        "logit P(y ≤ k) = α_k − β·arm − rater − case − rater×arm − case×arm; Laplace.",
        "Treats the scores as ordered words. Without the two interactions it would "
        "repeat the mistake of the pooled test.",
        "Christensen, R package ordinal; Agresti 2010",
    ),
    "friedman": Explanation(
        "Friedman's test",
        "Ranks of the arms within each case (means over raters), χ² with ties.",
        "One test for all arms before any two are compared.",
        "Friedman 1937",
    ),
    "signed_rank": Explanation(
        "Exact signed-rank test of one rater",
        "All 2ⁿ sign patterns of the observed mid-ranks, zeros ranked (Pratt).",
        "Exact under ties, which a five-point scale always has.",
        "Wilcoxon 1945; Pratt 1959; Holm 1979",
    ),
    "missing": Explanation(
        "Missing scores",
        "The primary analysis again with complete raters, complete cases, and every "
        "missing score at the end of the scale that hurts, or helps, the arm.",
        "If the answer survives the worst case, missing scores cannot explain it.",
        "Little, Rubin 2019",
    ),
    "strata": Explanation(
        "Groups of cases",
        "Mean of case means with t interval from five cases on; interaction by "
        "permuting the groups over the cases; p corrected by Benjamini and Hochberg.",
        "Shows whether the answer differs between groups; no group is judged alone.",
        "Benjamini, Hochberg 1995",
    ),
    "kappa": Explanation(
        "Kappa",
        "1 − Σ w·observed / Σ w·expected, mean over pairs of raters; interval by the "
        "infinitesimal jackknife over cases.",
        "Quadratic weights count near misses as near; the published ones had none.",
        "Cohen 1968; Fleiss, Cohen, Everitt 1969; Light 1971",
    ),
    "ac": Explanation(
        "Gwet's AC1 and AC2",
        "(p_o − p_e)/(1 − p_e), p_e = T_w Σ π(1 − π)/(K(K − 1)), SE over cases.",
        "Stays steady where one score dominates and kappa collapses.",
        "Gwet 2008, 2014",
    ),
    "alpha": Explanation(
        "Krippendorff's alpha",
        "1 − observed/expected disagreement with the ordinal metric.",
        "Takes missing scores as they are, for any number of raters.",
        "Krippendorff 2004; Hayes, Krippendorff 2007",
    ),
    "fleiss": Explanation(
        "Fleiss' kappa",
        "Mean pairwise agreement against π², unweighted.",
        "For comparison with older studies.",
        "Fleiss 1971",
    ),
    "kendall": Explanation(
        "Kendall's W",
        "12 S/(R²(C³ − C) − R ΣT), ranks within raters, corrected for ties.",
        "Do raters order the cases alike, whatever their level?",
        "Kendall, Babington Smith 1939",
    ),
    "icc": Explanation(
        "Intraclass correlation",
        "Two-way random effects, absolute agreement; interval of McGraw and Wong.",
        "ICC(2,1): one rater; ICC(2,k): the mean of this panel.",
        "Shrout, Fleiss 1979; McGraw, Wong 1996",
    ),
    "repeats": Explanation(
        "Agreement with oneself",
        "Quadratic kappa and share of equal scores of hidden repeats.",
        "No rater can agree with others better than with themselves.",
        "Cohen 1968",
    ),
    "bang": Explanation(
        "Bang's blinding index",
        "(right − wrong)/n per arm, “unsure” counting 0.",
        "0 is chance, 1 everybody unblinded, −1 everybody the wrong way round.",
        "Bang, Ni, Davis 2004",
    ),
    "james": Explanation(
        "James' blinding index",
        "[1 + P_unsure + (1 − P_unsure) K]/2.",
        "1 is blinded, 0.5 random guessing, 0 unblinded.",
        "James and others 1996",
    ),
    "recognised": Explanation(
        "Where no source was recognised",
        "The primary analysis over pairs in which neither mask was guessed rightly.",
        "If the difference is gone there, it may have come from knowing the source.",
        "As the primary difference",
    ),
    "order": Explanation(
        "Order, session and carry-over",
        "One slope or shift per rater, t interval over raters.",
        "Tiredness, learning, or the first mask colouring the second.",
        "Summary measures, Matthews and others 1990",
    ),
    "unlooked": Explanation(
        "Scores given unlooked",
        "The primary analysis without pairs in which a mask was scored without looking "
        "through its slices.",
        "A score given without looking is not evidence.",
        "As the primary difference",
    ),
    "own": Explanation(
        "Scores of one's own cases",
        "The primary analysis without pairs of a rater and a case of which the rater, "
        "or somebody of the same site, drew a mask.",
        "Who drew a mask may know it again; the protocol has such scores marked.",
        "As the primary difference",
    ),
    "mean": Explanation(
        "Mean of one arm",
        "As the primary difference, on the scores themselves.",
        "Describes an arm; it is no comparison.",
        "Obuchowski, Rockette 1995",
    ),
    "published": Explanation(
        "As published",
        "scipy.stats.wilcoxon on all ratings as if independent; unweighted kappas with "
        "their SD over pairs.",
        "Only to compare with the published table; it overstates what is known.",
        "The reading study's own script",
    ),
}
