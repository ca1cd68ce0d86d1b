"""Pulses as they come: from a card or a file that grows through a model, every pulse once and in order."""
