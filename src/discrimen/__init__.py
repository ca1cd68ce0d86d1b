"""Neutron/gamma pulse shape discrimination with neural networks, from the digitizer's file to scores."""
