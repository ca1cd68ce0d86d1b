"""A module of ABCD: waveforms come in as its messages, events with the score go out as its messages."""
