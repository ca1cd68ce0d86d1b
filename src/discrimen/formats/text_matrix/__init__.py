"""Text with one pulse a row."""
