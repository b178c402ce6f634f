"""Names of persons, dates and numbers are noticed (P4); those of data sets pass."""

from __future__ import annotations

import pytest

from ratings.suspicions import is_numbered_alone, looks_personal, states_person


@pytest.mark.parametrize(
    "name",
    [
        "MRN1234567_T2w", "PAT0012345678", "T2w_mrn0012345.nii.gz", "sub-KH1234567",
        "12345678_T2w", "P07191961_T2",
    ],
)  # fmt: skip
def test_a_number_that_hospitals_give_is_noticed_behind_letters_too(name: str) -> None:
    assert looks_personal(name)


@pytest.mark.parametrize(
    "name",
    [
        "Smith-Anna_T2", "DOE-JANE_T2w", "Smith.Anna", "müller-hans.nii.gz",
        "Smith - Anna", "sub-01_Smith-Anna_T2w", "Łuczak-Zoë.nii.gz", "T2w_Anne-Marie",
        "Brain-Smith-Anna",
    ],
)  # fmt: skip
def test_a_hyphen_or_a_dot_between_two_names_hides_nobody(name: str) -> None:
    assert looks_personal(name)


@pytest.mark.parametrize(
    "name",
    [
        "P1_07-19-1961_T2", "1961-7-19", "P1_1961Jul19", "19Jul1961_T2", "7.19.1961",
        "19-JUL-1961", "July_19_1961", "P1_Jul19_1961", "07_19_1961", "Jul 3rd, 1961",
        "1961_juillet_19", "19.März.1961_T2", "1961-Dez-19", "3-dic-1961", "20190719",
    ],
)  # fmt: skip
def test_a_date_is_noticed_in_any_order_and_with_the_name_of_its_month(
    name: str,
) -> None:
    assert looks_personal(name)


@pytest.mark.parametrize(
    "name",
    [
        # as their files are called
        "sub-01_ses-02_acq-sag_T2w", "BraTS20_Training_001_flair", "TCGA-02-0001",
        "BraTS-GLI-00001-000",
        "BraTS-MEN-00004-000-t1c", "BraTS-PED-00001-000", "BraTS19_2013_10_1_flair",
        "Brats18_CBICA_AQN_1_t1", "sub-amu01_T2w", "MSLesSeg P1_T1_FLAIR", "P1_T1_MASK",
        "Dataset501_Foo", "case_00012_0000", "ISBI training01_01_mask1",
        "UCSF-PDGM-0004_FLAIR_bias", "UPENN-GBM-00001_11_FLAIR", "CPTAC-GBM-C3L-00016",
        "IXI002-Guys-0828-T1", "IXI012-HH-1211-T2", "OAS1_0001_MR1",
        "OAS30001_MR_d0129",
        "ADNI_002_S_0295_MR_MPR", "WMH_Amsterdam_100_FLAIR", "1-LesionSeg-Flair",
        "MSSEG_Center01_Patient03_FLAIR", "sub-strokecase0001_ses-0001_dwi",
        "sub-CC110033_T1w", "sub-NDARINV003RTV85_ses-baselineYear1Arm1_T1w",
        "Yale-Brain-Mets-0001_PRE", "LUMIERE_Patient-001_week-000-1_CT1",
        "sub-nottwil01_acq-MTon_MTS", "sub-beijingPrisma01_T2w", "10_t2_SPACE",
        "canproco_sub-cal056_ses-M0_STIR", "013_flair_time01_on_middle_space",
        # as people and tools call theirs
        "Siemens-Prisma", "Philips_Achieva", "GE_Signa_HDxt", "Lesion-Mask_07", "T1-Gd",
        "FLAIR-Fat-Sat", "Post-Contrast_T1", "Pre-Op_T2", "Brain.Mask", "T2w.Mask",
        "White-Matter-Hyperintensities_12", "Relapsing-Remitting", "Group-Control",
        "Expert-Consensus_07", "T2-TSE-Sagittal", "nnUNet-Pred", "SCT-DeepSeg",
        "Skull-Stripped", "N4-Corrected", "ACR-Phantom", "RRMS-CIS-07", "T1.FS.norm",
        # words that begin as months do
        "MSD2021_Decathlon01", "BraTS2019_Mask01", "2015_Martin12", "MAR_12", "1_MAR_2",
        "2019_Augmented_01", "Sept",
    ],
)  # fmt: skip
def test_names_of_data_sets_pass(name: str) -> None:
    assert not looks_personal(f"{name}.nii.gz")


@pytest.mark.parametrize("subject", ["100307", "A00008326", "MRN1234567"])
def test_a_subject_that_is_a_number_alone_can_be_confirmed(subject: str) -> None:
    assert looks_personal(subject)
    assert is_numbered_alone(subject)


@pytest.mark.parametrize("subject", ["1961-7-19", "P1_1961Jul19", "Smith-Anna1234567"])
def test_a_subject_with_a_date_or_a_name_is_no_mere_number(subject: str) -> None:
    assert not is_numbered_alone(f"{subject} 1234567")


@pytest.mark.parametrize(
    "cell", ["7-19-1961", "19 July 1961", "Smith-Anna", "K1234567"]
)
def test_a_cell_of_a_table_is_held_to_the_same(cell: str) -> None:
    assert states_person(cell, column="remark")
