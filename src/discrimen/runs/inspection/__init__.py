"""What is in a run file: counts, rate, baseline, saturation, spectrum and mean pulse of each channel."""

from discrimen.runs.inspection.inspect import Inspection, inspect_run
from discrimen.runs.inspection.summary import ChannelSummary

__all__ = ["ChannelSummary", "Inspection", "inspect_run"]
