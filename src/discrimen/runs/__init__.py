"""Runs as a whole: data sets in memory, conversion, inspection, simulated runs."""
