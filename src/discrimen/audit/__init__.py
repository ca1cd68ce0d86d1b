"""The audit of a data set before anything is trained on it."""

from discrimen.audit.audit import Audit, audit_dataset, require_sound
from discrimen.audit.finding import Finding, Severity
from discrimen.audit.leaks import LeakTest
from discrimen.audit.page import write_audit

__all__ = ["Audit", "Finding", "LeakTest", "Severity", "audit_dataset", "require_sound", "write_audit"]
