"""What is in a run file: counts, rate, baseline, saturation, spectrum and mean pulse of each channel."""

from discrimen.runs.inspection.inspect import ChannelSummary, Inspection, inspect_run

__all__ = ["ChannelSummary", "Inspection", "inspect_run"]
