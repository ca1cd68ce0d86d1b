"""Folders of piled-up traces as text, with the clean waveforms that each trace is the sum of."""
