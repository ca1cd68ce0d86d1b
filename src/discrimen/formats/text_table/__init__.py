"""Tables of text, one event a row."""
