"""The coordinators' part of the API: what the pages do, by the same functions."""
