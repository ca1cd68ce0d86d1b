"""A detector that the simulator can run, fitted to an unlabelled run of the user's own."""

from discrimen.detector_fit.fit import N_STEPS, fit_detector
from discrimen.detector_fit.records import Records, read_records
from discrimen.detector_fit.result import DetectorFit

__all__ = ["N_STEPS", "DetectorFit", "Records", "fit_detector", "read_records"]
