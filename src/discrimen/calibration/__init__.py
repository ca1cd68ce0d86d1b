"""Light of a detector's pulses: Compton edges of gamma sources, and the line from charge to keVee through them."""
