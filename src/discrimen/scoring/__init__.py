"""Scores beside the input, never into it: run files of any readable format, in constant memory."""
