"""What a digitizer gives: pulses, charges without waveforms, and the settings of a detector."""

from discrimen.pulses.waveforms import COLUMNS, FAKE_FLAGS, Label, PulseFlag, Pulses, concatenate

__all__ = ["COLUMNS", "FAKE_FLAGS", "Label", "PulseFlag", "Pulses", "concatenate"]
