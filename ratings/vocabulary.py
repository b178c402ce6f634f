"""Words by which a name or a value is told from that of a person."""

from __future__ import annotations

from ratings import filenames

KNOWN = filenames.MASK_WORDS | set(filenames.CONTRASTS) | {
    "axial", "sagittal", "coronal", "brain", "cord", "spine", "spinal", "scan", "image",
    "patient", "subject", "control", "mri", "gre", "tse", "fse", "mpr", "ref", "dir",
    "cervical", "thoracic", "lumbar", "tumor", "tumour", "segmentation", "dataset",
    "task", "case", "study", "site", "session", "visit", "baseline", "followup",
    "training", "test", "validation", "sag", "cor", "axi", "tra", "pre", "post",
    "contrast", "multiple", "sclerosis", "healthy", "head", "neck", "left", "right",
    # entities of BIDS, and what releases and files are called
    "sub", "ses", "acq", "run", "space", "res", "den", "part", "rec", "inv", "version",
    "group", "centre", "center", "expert", "reader", "original", "final", "reg",
    "registered", "corrected", "resampled", "native", "standard", "auto", "automatic",
    # of sequences, tissues and courses of disease
    "echo", "spin", "gradient", "recovery", "turbo", "fat", "sat", "enhanced",
    "enhancing", "weighted", "density", "diffusion", "planar", "matter", "fluid",
    "vibe", "mprage", "dixon", "swi", "dwi", "adc", "dti", "relapsing", "remitting",
    "progressive", "primary", "secondary", "isolated", "syndrome", "stroke", "glioma",
    "glioblastoma", "metastasis", "metastases", "hyperintensity", "hyperintensities",
    "mton", "mtoff", "mts", "mtr", "skull", "stripped", "map", "maps", "phantom",
    "rrms", "ppms", "spms", "nmosd", "mogad",
    # what predicts
    "nnunet", "unet", "network", "model", "fold", "ensemble", "sct", "deepseg", "lst",
    "lpa", "lga", "samseg", "freesurfer", "aseg",
    # data sets, challenges and who gave them
    "brats", "gli", "men", "met", "mets", "ped", "ssa", "gbm", "lgg", "hgg", "pdgm",
    "tcga", "tcia", "cptac", "acrin", "rembrandt", "upenn", "ucsf", "isbi", "isles",
    "miccai", "msseg", "mslesseg", "adni", "ixi", "oasis", "hcp", "camcan",
    "abide", "openms", "wmh", "atlas", "spider", "ukb", "openneuro", "zenodo",
    "cbica", "example", "data",
    # scanners and their makers
    "siemens", "magnetom", "prisma", "skyra", "trio", "verio", "aera", "avanto",
    "espree", "allegra", "achieva", "ingenia", "intera", "elition", "signa", "toshiba",
    "hitachi", "bruker", "mec", "gmbh", "inc", "international", "medical", "imaging",
    "healthcare", "healthineers", "systems",
    # the same words, and those of French, Spanish, Portuguese and German sets
    "lésion", "lésions", "lesión", "lesiones", "lesão", "läsion", "läsionen", "moelle",
    "épinière", "médullaire", "médula", "medula", "cérébral", "cérébrale", "cerveau",
    "encéfalo", "rückenmark", "wirbelsäule", "schädel", "gehirn", "témoin", "témoins",
    "contrôle", "données", "étude", "séquence", "série", "séance", "résultat", "für",
    "modèle", "référence", "vérité", "prédiction", "prédictions", "sclérose",
}  # fmt: skip
# a number or a name of these is none of a person's, and two capitals are no surname
THINGS = {
    "site", "centre", "center", "scanner", "manufacturer", "vendor", "model", "coil",
    "sequence", "protocol", "series", "contrast", "acquisition", "software", "file",
    "diagnosis", "device", "country", "cohort", "dataset", "source", "hospital",
    "institution", "clinic",
}  # fmt: skip
TELLING = {
    "birth", "birthday", "birthdate", "born", "dob", "mrn", "address", "street",
    "phone", "telephone", "mobile", "fax", "mail", "email", "accession", "ssn", "nhs",
    "passport", "initials", "surname", "postcode", "zip", "zipcode", "date", "datetime",
    "insurance", "patient", "patientid", "person", "pid", "datum", "contact",
    "physician",
}  # fmt: skip
