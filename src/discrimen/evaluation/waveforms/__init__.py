"""Evaluation of models that give a waveform: data, then page and plots."""

from discrimen.evaluation.waveforms.evaluate import evaluate_waveforms, judged_by_waveform
from discrimen.evaluation.waveforms.of_runs import evaluate_runs, report_on_runs
from discrimen.evaluation.waveforms.page import write_waveform_report
from discrimen.evaluation.waveforms.report import WaveformReport
from discrimen.evaluation.waveforms.text import waveform_text

__all__ = [
    "WaveformReport",
    "evaluate_runs",
    "evaluate_waveforms",
    "judged_by_waveform",
    "report_on_runs",
    "waveform_text",
    "write_waveform_report",
]
