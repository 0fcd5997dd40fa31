"""HTML of the page: small functions from texts to elements, each escaping what it is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files

from xr_dip.report.pictures import Picture

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""What a browser may load for the page: nothing but what is in it."""


def document(title: str, lead: str, sections: Sequence[tuple[str, str, str]], footer: str) -> str:
    """Put the page together.

    Parameters
    ----------
    title : str
        Plain text.
    lead : str
        Plain text below the title.
    sections : sequence of (str, str, str)
        Identifier, heading as plain text, and content as HTML.
    footer : str
        Plain text.

    Returns
    -------
    str

    Examples
    --------
    >>> page = document("A & B", "What it is.", [("maps", "Maps", "<p>...</p>")], "the end")
    >>> "<h1>A &amp; B</h1>" in page, '<a href="#maps">Maps</a>' in page, "<script" in page
    (True, True, False)
    """
    style = files("xr_dip.report").joinpath("style.css").read_text(encoding="utf-8")
    links = "".join(f'<li><a href="#{key}">{escape(heading)}</a></li>' for key, heading, _ in sections)
    body = "\n".join(
        f'<section id="{key}" aria-labelledby="{key}-title"><h2 id="{key}-title">{escape(heading)}</h2>\n'
        f"{content}\n</section>"
        for key, heading, content in sections
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{escape(title)}</title>
<style>
{style}</style>
</head>
<body>
<header><h1>{escape(title)}</h1><p class="lead">{escape(lead)}</p>
<nav aria-label="On this page"><ul>{links}</ul></nav></header>
<main>
{body}
</main>
<footer><p>{escape(footer)}</p></footer>
</body>
</html>
"""


def tiles(numbers: Iterable[tuple[str, str, str]]) -> str:
    """Lay out a few numbers that matter most.

    Parameters
    ----------
    numbers : iterable of (str, str, str)
        Label, value with unit, and a remark.

    Returns
    -------
    str

    Examples
    --------
    >>> tiles([("error", "3 mm", "predicted")])
    '<dl class="tiles"><div><dt>error</dt><dd>3 mm<small>predicted</small></dd></div></dl>'
    """
    cells = "".join(
        f"<div><dt>{escape(label)}</dt><dd>{escape(value)}<small>{escape(remark)}</small></dd></div>"
        for label, value, remark in numbers
    )
    return f'<dl class="tiles">{cells}</dl>'


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table; the first cell of a row names it.

    Parameters
    ----------
    caption : str
    head : sequence of str
        Names of the columns.
    rows : iterable of sequence of str

    Returns
    -------
    str

    Examples
    --------
    >>> "<td role='cell' data-label='value'>3 mm</td>" in table("Scores", ["score", "value"], [["rmse", "3 mm"]])
    True
    """
    # The roles stay where a narrow page shows cells as blocks, which would no longer be a table to a screen reader.
    columns = "".join(f"<th scope='col' role='columnheader'>{escape(name)}</th>" for name in head)
    lines = "".join(
        f"<tr role='row'><th scope='row' role='rowheader'>{escape(first)}</th>"
        + "".join(
            f"<td role='cell' data-label='{escape(name)}'>{escape(cell)}</td>"
            for name, cell in zip(head[1:], rest, strict=True)
        )
        + "</tr>\n"
        for first, *rest in rows
    )
    return (
        f"<table role='table'><caption>{escape(caption)}</caption><thead role='rowgroup'><tr role='row'>{columns}</tr>"
        f"</thead>\n<tbody role='rowgroup'>{lines}</tbody></table>"
    )


def gallery(pictures: Iterable[Picture], *, wide: bool = False) -> str:
    """Lay out pictures side by side, as many as the page is wide.

    Parameters
    ----------
    pictures : iterable of Picture
    wide : bool
        Two at most in a row, not three: for diagrams.

    Returns
    -------
    str

    Examples
    --------
    >>> gallery([Picture("A line.", "It rises.", "AAAA", "BBBB", (20, 10))])[:51]
    '<div class="gallery"><figure><picture><source media'
    """
    figures = "".join(
        "<figure><picture>"
        f'<source media="screen and (prefers-color-scheme: dark)" srcset="data:image/png;base64,{picture.dark}">'
        f'<img src="data:image/png;base64,{picture.light}" width="{picture.size[0]}" height="{picture.size[1]}" '
        f'alt="{escape(picture.alternative)}"></picture><figcaption>{escape(picture.caption)}</figcaption></figure>\n'
        for picture in pictures
    )
    return f'<div class="gallery{" wide" * wide}">{figures}</div>'


def paragraphs(*texts: str) -> str:
    """Write paragraphs of plain text.

    Parameters
    ----------
    *texts : str

    Returns
    -------
    str

    Examples
    --------
    >>> paragraphs("1 < 2", "")
    '<p>1 &lt; 2</p>'
    """
    return "\n".join(f"<p>{escape(text)}</p>" for text in texts if text)


def points(entries: Mapping[str, str]) -> str:
    """Write a list of things and what to know of each.

    Parameters
    ----------
    entries : mapping of str to str

    Returns
    -------
    str

    Examples
    --------
    >>> points({"Members": "are plausible."})
    '<dl class="points"><dt>Members</dt><dd>are plausible.</dd></dl>'
    """
    cells = "".join(f"<dt>{escape(key)}</dt><dd>{escape(text)}</dd>" for key, text in entries.items())
    return f'<dl class="points">{cells}</dl>'
