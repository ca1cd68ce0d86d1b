"""Simulated pulses with known truth, from the energy deposit to the digitizer's record.

energy deposit -> light -> scintillation decay -> photoelectrons -> charges -> front end -> sampling, noise, clipping.
"""
