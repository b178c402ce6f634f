"""Checks, on a study's own data, that nothing a rater receives tells the arms apart."""
