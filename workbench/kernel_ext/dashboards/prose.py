"""Words of a text tile: a small part of Markdown, escaped first, so that nothing else can come in."""

from __future__ import annotations

import re
from html import escape

_STRONG = re.compile(r"\*\*(.+?)\*\*")
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^\s)]+)\)")


def prose(text: str) -> str:
    """Paragraphs, `- ` lists, `## ` headings, **strong**, `code` and [links](https://…).

    Examples
    --------
    >>> prose("**a** <b>")
    '<p><strong>a</strong> &lt;b&gt;</p>'
    """
    made = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = block.strip().split("\n")
        if all(line.lstrip().startswith("- ") for line in lines):
            made.append(
                "<ul>" + "".join(f"<li>{_inline(line.lstrip()[2:])}</li>" for line in lines) + "</ul>"
            )
        elif lines[0].startswith("#"):
            made.append(f"<h4>{_inline(lines[0].lstrip('# '))}</h4>")
            made += [f"<p>{_inline(' '.join(lines[1:]))}</p>"] if lines[1:] else []
        else:
            made.append(f"<p>{_inline(' '.join(lines))}</p>")
    return "".join(made)


def _inline(text: str) -> str:
    safe = escape(text, quote=True)
    safe = _CODE.sub(r"<code>\1</code>", safe)
    safe = _STRONG.sub(r"<strong>\1</strong>", safe)
    return _LINK.sub(r'<a href="\2" rel="noreferrer noopener">\1</a>', safe)
