"""ROOT files: trees and RNTuples with one waveform an entry."""
