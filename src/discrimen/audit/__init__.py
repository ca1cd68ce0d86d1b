"""The audit of a data set before anything is trained on it."""

from discrimen.audit.audit import Audit, audit_dataset, require_sound
from discrimen.audit.finding import Finding, Severity
from discrimen.audit.give_aways import GiveAwayTest
from discrimen.audit.page import write_audit

__all__ = ["Audit", "Finding", "GiveAwayTest", "Severity", "audit_dataset", "require_sound", "write_audit"]
