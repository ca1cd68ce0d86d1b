"""How Sphinx builds the site; ``site_maker.build`` calls it. Nothing on a page comes from another machine."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

project = "discrimen"
author = "The discrimen developers"
copyright = "the discrimen developers, BSD 3-Clause licence"
_version = re.search(r'DISCRIMEN_VERSION "(.+?)"', (ROOT / "cpp/include/discrimen/version.h").read_text("utf-8"))
release = version = _version[1] if _version else ""

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "site_maker.docstrings"]
root_doc = "index"
smartquotes = False  # "--" is part of an option
highlight_language = "text"

myst_disable_syntax = ["myst_line_comment"]  # a line may begin with "% of the gammas"
myst_enable_extensions = ["deflist"]
nb_execution_mode = "off"  # notebooks are stored as executed, and the tests execute them
myst_heading_anchors = 4  # `page.md#heading`, as the places where the sources are read make them

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_use_type_comments = False
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_param = False  # types are words of people, no names to be looked up
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
cpp_maximum_signature_line_length = c_maximum_signature_line_length = 100
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = f"discrimen {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"footer_icons": []}
