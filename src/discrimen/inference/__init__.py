"""Trained models behind one small protocol, one backend a file."""
