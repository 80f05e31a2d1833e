"""The pages of the documentation: their blocks of code, their headings, their links."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

# <!-- not run: why -->   <!-- files of: ../README.md -->
_COMMENT = re.compile(r"<!--\s*(not run|files of):\s*(.+?)\s*-->", re.DOTALL)
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        line: Of the page, where the fence begins.
        language: The first word of the info string.
        attributes: The others: `title="broker.py" add` gives both names, `add` with an empty value.
        not_run: Why the page says that it cannot be run; None where it can.
        brings: Another page whose files are written before this block.
    """

    page: Path
    line: int
    language: str
    attributes: dict[str, str]
    text: str
    not_run: str | None = None
    brings: Path | None = None

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT) if self.page.is_relative_to(ROOT) else self.page.name}:{self.line}"


@dataclass(frozen=True)
class Page:
    path: Path
    blocks: tuple[Block, ...]
    anchors: frozenset[str]
    links: tuple[tuple[int, str], ...]
    stray: tuple[str, ...] = field(default=())


def all_pages() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


def read_page(path: Path) -> Page:
    tokens = MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8"))
    blocks, stray = _blocks(path, tokens)
    return Page(path, tuple(blocks), frozenset(_anchors(tokens)), tuple(_links(tokens)), tuple(stray))


def _blocks(path: Path, tokens: list[Token]) -> tuple[list[Block], list[str]]:
    """Give the blocks, and the comments that stand before something else, and so would say nothing."""
    blocks: list[Block] = []
    stray: list[str] = []
    waiting: dict[str, str] = {}
    for token in tokens:
        found = _COMMENT.findall(token.content) if token.type == "html_block" else []
        if found:
            waiting |= dict(found)
        elif token.type == "fence":
            blocks.append(_block(path, token, waiting))
            waiting = {}
        elif waiting:
            stray += waiting.values()
            waiting = {}
    return blocks, [*stray, *waiting.values()]


def _block(path: Path, token: Token, comments: dict[str, str]) -> Block:
    language, *words = shlex.split(token.info) or [""]
    attributes = {name: value for name, _, value in (word.partition("=") for word in words)}
    brings = (path.parent / comments["files of"]).resolve() if "files of" in comments else None
    line = (token.map or [0])[0] + 1
    return Block(path, line, language, attributes, token.content, comments.get("not run"), brings)


def _anchors(tokens: list[Token]) -> Iterator[str]:
    # As the usual renderers make them of headings.
    seen: dict[str, int] = {}
    for before, token in itertools.pairwise(tokens):
        if before.type == "heading_open":
            text = "".join(child.content for child in token.children or [] if child.type in ("text", "code_inline"))
            anchor = _NOT_IN_ANCHORS.sub("", text.lower()).replace(" ", "-")
            seen[anchor] = seen.get(anchor, -1) + 1
            yield f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor


def _links(tokens: list[Token]) -> Iterator[tuple[int, str]]:
    for token in tokens:
        for child in token.children or []:
            target = child.attrGet("href") or child.attrGet("src")
            if target:
                yield (token.map or [0])[0] + 1, str(target)


def titled(path: Path) -> dict[str, str]:
    """Give the files of a page, as they are when its last block has been written."""
    files: dict[str, str] = {}
    for block in read_page(path).blocks:
        name = block.attributes.get("title")
        if name:
            files[name] = joined(files.get(name, ""), block)
    return files


def joined(before: str, block: Block) -> str:
    """Give the text of a file after a block: the block's own, or with `add` the former text and the block's."""
    return f"{before}\n{block.text}" if "add" in block.attributes else block.text
