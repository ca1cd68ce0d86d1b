"""The audit as one page of HTML that needs nothing beside it."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from discrimen.audit.audit import Audit
from discrimen.audit.finding import Finding, Severity
from discrimen.audit.leaks import LeakTest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DOTS_PER_INCH = 110

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.2rem; }
.finding { border-left: .4rem solid; padding: .4rem .9rem; margin: .9rem 0; background: #f7f7f7; }
.error { border-color: #D55E00; } .warning { border-color: #E69F00; } .note { border-color: #0072B2; }
.finding h3 { margin: 0 0 .3rem; font-size: 1.05rem; } .finding dl { margin: 0; }
.finding dt { float: left; clear: left; width: 7.5rem; color: #555; } .finding dd { margin-left: 7.5rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .25rem .6rem; }
th { border-bottom: 2px solid #555; } td { border-bottom: 1px solid #ddd; } .number { text-align: right; }
figure { margin: 1.2rem 0; } figcaption { color: #555; } img { max-width: 100%; }
"""

_CAPTIONS: Mapping[str, str] = {
    "class_order": "Class order: the share of neutrons along the files. It should be flat within each run.",
    "parts": "Class balance of equal parts of the data set.",
    "leaks": "Leak tests: how well a classifier tells the classes from this alone. Each should hold 0.5.",
    "spectra": "Amplitude spectra: where only one class occurs, the network learns the energy instead of the shape.",
    "pretrigger": "Mean samples before the pulse. Nothing of the pulse reaches back there: the classes should agree.",
}


def audit_page(audit: Audit, pictures: Mapping[str, Figure]) -> str:
    """Return the page.

    Parameters
    ----------
    audit : Audit
        What was found.
    pictures : mapping of str to Figure
        From :func:`discrimen.audit.pictures.figures`; they go into the page as PNG.
    """
    names = ", ".join(str(file["name"]) for file in audit.files)
    body = [
        f"<h1>Audit of {escape(names)}</h1>",
        f"<p>{escape(summary(audit))}</p>",
        "<h2>Findings</h2>",
        *([_finding(finding) for finding in audit.findings] or ["<p>None.</p>"]),
        "<h2>Pictures</h2>",
        *(_picture(name, figure) for name, figure in pictures.items()),
        "<h2>Leak tests</h2>",
        _leak_table(audit.leak_tests),
        "<h2>Runs</h2>",
        _run_table(audit),
        "<h2>Files</h2>",
        _file_table(audit),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Audit of {escape(names)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def summary(audit: Audit) -> str:
    """Return in one sentence what was looked at and what was found."""
    counts = {severity: len(audit.of_severity(severity)) for severity in Severity}
    told = ", ".join(f"{count} {severity}{'' if count == 1 else 's'}" for severity, count in counts.items() if count)
    before = audit.pretrigger
    source = "the settings say" if before.source == "settings" else "the pulses show"
    n_pulses = audit.n_gamma + audit.n_neutron
    part = "" if audit.n_looked_at == n_pulses else f", {audit.n_looked_at} of them measured"
    return (
        f"{audit.n_gamma} gammas and {audit.n_neutron} neutrons{part}; before the pulse, as {source}: samples "
        f"{before.start} to {before.stop - 1}; found: {told or 'nothing'}"
    )


def _finding(finding: Finding) -> str:
    rows = (("how many", finding.how_many), ("where", finding.where), ("what to do", finding.mend))
    listed = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in rows)
    return (
        f'<div class="finding {finding.severity}" id="{escape(finding.check)}">'
        f"<h3>{finding.severity.capitalize()}: {escape(finding.what)}</h3><dl>{listed}</dl></div>"
    )


def _picture(name: str, figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS_PER_INCH)
    encoded = base64.b64encode(buffer.getvalue()).decode("ascii")
    caption = escape(_CAPTIONS[name])
    return (
        f'<figure id="{name}"><img src="data:image/png;base64,{encoded}" alt="{caption}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _leak_table(tests: tuple[LeakTest, ...]) -> str:
    if not tests:
        return "<p>None: that takes four pulses of each class.</p>"
    rows = "".join(
        f'<tr><td>{escape(test.name)}</td><td class="number">{test.auc.value:.3f}</td>'
        f'<td class="number">{test.auc.low:.3f} to {test.auc.high:.3f}</td>'
        f'<td class="number">{test.p_value:.2g}</td><td>{"leaks" if test.leaks else "holds"}</td>'
        f'<td class="number">{test.n_pulses}</td><td>{escape(test.method)}</td></tr>'
        for test in tests
    )
    return (
        "<table><thead><tr><th>seen</th><th>AUC</th><th>interval</th><th>p, corrected</th><th>verdict</th>"
        f"<th>pulses</th><th>method</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _run_table(audit: Audit) -> str:
    rows = "".join(
        f'<tr><td>{escape(str(run["name"]))}</td><td class="number">{run["n_gamma"]}</td>'
        f'<td class="number">{run["n_neutron"]}</td><td>{_shares(run["parts"])}</td></tr>'
        for run in audit.runs
    )
    return (
        '<table><thead><tr><th>run</th><th class="number">gammas</th><th class="number">neutrons</th>'
        f"<th>neutrons in equal parts</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _shares(parts: Sequence[Mapping[str, int]]) -> str:
    return ", ".join(f"{part['n_neutron'] / max(1, sum(part.values())):.0%}" for part in parts)


def _file_table(audit: Audit) -> str:
    rows = "".join(
        f'<tr><td>{escape(str(file["name"]))}</td><td class="number">{file["n_pulses"]}</td>'
        f"<td><code>{escape(str(file['sha256']))}</code></td></tr>"
        for file in audit.files
    )
    return f"<table><thead><tr><th>file</th><th>pulses</th><th>SHA-256</th></tr></thead><tbody>{rows}</tbody></table>"
