"""Run ensembles of nnU-Net networks; the only importer of torch and nnunetv2."""
