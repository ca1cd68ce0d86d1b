"""Run files: one file per digitizer format, what they all offer in `base`, and the one list of them in `table`."""
