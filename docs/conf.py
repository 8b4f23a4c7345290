"""The documentation's site: `make docs`. Options of Sphinx: https://www.sphinx-doc.org/en/master/usage/configuration.html"""

import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "Durable conversations"
version = release = metadata.version("durable-conversations")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "_site.access",
    "_site.commands",
    "_site.docstrings",
    "_site.elsewhere",
    "_site.mermaid",
    "_site.rest",
    "_site.settings",
]
exclude_patterns = ["_site"]
# GitHub knows languages that Pygments does not; and two rooms may have a class of the same name.
suppress_warnings = ["misc.highlighting_failure", "ref.python"]

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid"]

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
# In our docstrings `so` means code.
default_role = "literal"
napoleon_numpy_docstring = False

html_theme = "furo"
html_static_path = ["_site/static"]
html_css_files = ["site.css"]
html_title = "Durable conversations"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
