"""The classic way to a position: search of a calculated signal basis, and the bound that no method can beat."""
