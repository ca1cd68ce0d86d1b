"""Who says which pulses are neutrons: one method a file."""

from discrimen.labelling.by_truth import label_by_truth
from discrimen.labelling.one_class import label_all

__all__ = ["label_all", "label_by_truth"]
