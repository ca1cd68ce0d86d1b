"""Whether the signals of each channel still are what they were: anomaly scores without labels, and names of faults."""
