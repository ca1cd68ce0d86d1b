"""Frozen networks for other programs, one target a folder."""
