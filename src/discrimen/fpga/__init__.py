"""A network in an FPGA: the front end on chip, training for few bits, and what both look like in hardware."""
