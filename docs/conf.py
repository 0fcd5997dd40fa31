"""Sphinx configuration: every page is executed, nothing is fetched."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

import xr_dip

# Pages draw into themselves, whatever backend the shell asks for; fits use one thread each.
os.environ.pop("MPLBACKEND", None)
os.environ.setdefault("OMP_NUM_THREADS", "1")

project = "xr_dip"
author = "The xr_dip developers"
copyright = author
release = version = xr_dip.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "myst_nb",
    "sphinx_gallery.gen_gallery",
    "mathml",
    "family_table",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "generated/gallery/*.ipynb"]

html_theme = "furo"
html_title = f"xr_dip {release}"
html_static_path = ["_static"]
html_css_files = ["style.css"]
html_math_renderer = "mathml"
numfig = True
math_numfig = False

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 180
nb_merge_streams = True
# No script of another site for widgets that no page has.
nb_ipywidgets_js = {}

default_role = "py:obj"
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autosummary_generate = True
# One file per name, also where upper and lower case are the same to a file system.
autosummary_filename_map = {"xr_dip.verification.Sums": "xr_dip.verification.Sums-class"}
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style")]

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "generated/gallery",
    "filename_pattern": r"\.py$",
    "ignore_pattern": r"demo\.py$",
    "within_subsection_order": "gallery_order.StoryOrder",
    "abort_on_example_error": True,
    # As many stories at once as sphinx-build has processes (-j).
    "parallel": True,
    # Each page and the whole gallery are offered as scripts and as notebooks, which begin with what they need.
    "download_all_examples": True,
    "first_notebook_cell": '# Needs the extras plot and verify of xr_dip: pip install -e ".[plot,verify]" in a clone',
    # Comments that are for the gallery, such as which picture stands for a page, are for nobody else.
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
}


def leave_words_alone(app: Sphinx, doctree: nodes.document) -> None:
    """Types in docstrings are words, "array, shape (ny, nx)": only names of classes become links."""
    for reference in list(doctree.findall(addnodes.pending_xref)):
        if reference.get("refspecific") and not reference["reftarget"][:1].isupper():
            reference.replace_self(reference.children)


def setup(app: Sphinx) -> None:
    app.connect("doctree-read", leave_words_alone)
