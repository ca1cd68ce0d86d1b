"""Evaluation of models that give the clean traces of hits: data, then page and plots."""

from discrimen.evaluation.traces.evaluate import evaluate_traces
from discrimen.evaluation.traces.page import write_trace_report
from discrimen.evaluation.traces.report import TraceReport
from discrimen.evaluation.traces.text import trace_text

__all__ = ["TraceReport", "evaluate_traces", "trace_text", "write_trace_report"]
