"""`parse_xml`: XML text as a dynamic value."""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

from workbench.query.functions._card import DYNAMIC, STRING, Naming, scalar

NO_SQL = "SQL has no reader for this kind of text"

_MOST_BYTES = 1024 * 1024


class _DocumentType(Exception):
    """The text declares a document type, which is where entity attacks start."""


class _Element:
    """An element that is being read."""

    __slots__ = ("bag", "texts")

    def __init__(self, attributes: dict[str, str]) -> None:
        self.bag: dict[str, Any] = {f"@{name}": value for name, value in attributes.items()}
        self.texts: list[str] = [""]

    def add(self, name: str, value: Any) -> None:
        """A child; a name that is there already becomes an array."""
        if name not in self.bag:
            self.bag[name] = value
        elif isinstance(self.bag[name], list):
            self.bag[name].append(value)
        else:
            self.bag[name] = [self.bag[name], value]

    def value(self) -> Any:
        """Null, a text, or a bag with the text as `#text`."""
        texts = [t for t in self.texts if t.strip()]
        if not self.bag:
            return texts[0] if texts else None
        if texts:
            trimmed = [t.strip() for t in texts]
            self.bag["#text"] = trimmed[0] if len(trimmed) == 1 else trimmed
        return self.bag


def parsed(text: str) -> dict[str, Any] | None:
    """XML as a bag of its root element, None where it is not well-formed or longer than 1 MB.

    Examples
    --------
    >>> parsed('<e n="1"><a>x</a><a/></e>')
    {'e': {'@n': '1', 'a': ['x', None]}}
    """
    if len(text.encode()) > _MOST_BYTES:
        return None
    root = _Element({})
    open_elements = [root]
    parser = expat.ParserCreate(encoding="utf-8")

    def start(name: str, attributes: dict[str, str]) -> None:
        open_elements.append(_Element(attributes))

    def end(name: str) -> None:
        element = open_elements.pop()
        open_elements[-1].add(name, element.value())
        open_elements[-1].texts.append("")

    def characters(data: str) -> None:
        open_elements[-1].texts[-1] += data

    def document_type(*_: Any) -> None:
        raise _DocumentType

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = document_type
    parser.buffer_text = True
    try:
        parser.Parse(text.strip().encode(), True)
    except (expat.ExpatError, _DocumentType, ValueError):
        return None
    return root.bag


@scalar("parse_xml", [STRING], DYNAMIC, naming=Naming.FIRST_ARGUMENT)
class ParseXml:
    """XML as a bag: attributes as `@name`, text beside them as `#text`, equal elements as an array.

    Null where the text is not well-formed, longer than 1 MB, or declares a document type.
    """

    @staticmethod
    def row(text: str) -> dict[str, Any] | None:
        return parsed(text) if text else None
