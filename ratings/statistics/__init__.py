"""Pure statistics of a blinded rating study: arrays in, frozen dataclasses out."""
