"""Every link of the documentation leads somewhere, and every page can be reached."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from tests.docs.pages import DOCS, ROOT, all_pages, read_page

PAGES = [*all_pages(), ROOT / "CONTRIBUTING.md"]


def broken(path: Path) -> list[str]:
    """Name the links of a page that lead nowhere; links to other machines are only looked at."""
    found = []
    for line, target in read_page(path).links:
        parts = urlsplit(target)
        if parts.scheme:
            good = parts.scheme == "https" and bool(parts.netloc)
        else:
            aim = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            good = aim.is_file() and (not parts.fragment or parts.fragment in read_page(aim).anchors)
        if not good:
            found.append(f"{path.name}:{line}: {target}")
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(path):
    assert broken(path) == []


def test_a_broken_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# Here\n\n[a](page.md) [b](#here) [c](https://example.com/x)\n\n"
        "[d](nowhere.md) [e](#there) [f](page.md#there) [g](http://example.com) [h](.)\n"
    )

    assert [each.partition(": ")[2] for each in broken(page)] == [
        "nowhere.md", "#there", "page.md#there", "http://example.com", ".",
    ]  # fmt: skip


def test_the_index_leads_to_every_page():
    index = DOCS / "index.md"
    linked = {(DOCS / target).resolve() for _line, target in read_page(index).links}

    assert [path for path in DOCS.rglob("*.md") if path != index and path.resolve() not in linked] == []
