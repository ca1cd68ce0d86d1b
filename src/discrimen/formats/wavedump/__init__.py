"""CAEN WaveDump: binary and text files, and the WaveDumpConfig.txt beside them."""
