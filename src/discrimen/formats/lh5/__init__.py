"""LEGEND's LH5, which is the native format too."""
