"""Trained models to the frozen file: one target a file."""
