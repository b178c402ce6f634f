"""Train the folds of a small ensemble with nnU-Net's own planning and data loading."""
