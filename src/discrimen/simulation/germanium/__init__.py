"""Signals of segmented germanium detectors with known truth.

crystal -> potentials of all contacts -> drift of electrons and holes -> induced charge -> front end -> digitizer.
"""
