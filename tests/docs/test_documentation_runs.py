"""Every block of the documentation does what its page says."""

import re
import shutil
from pathlib import Path

import pytest
from tests.docs.pages import DOCS, ROOT, all_pages, read_page
from tests.docs.running import OTHER_LANGUAGES, run_page

# What pages use that is not on every machine.
PROGRAMS = ("curl", "openssl")

# Blocks that are not run, by page, with the reason that the page gives. Keep them few.
NOT_RUN = [
    ("README.md", "the address of the repository is where you found this page"),
    ("README.md", "the tests run in an environment that has it"),
    ("docs/how-to/deploy.md", "needs a Cloud Foundry"),
    ("docs/how-to/deploy.md", "needs a Cloud Foundry"),
    ("docs/tutorial/first-broker.md", "the address of the repository is where you found this page"),
]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", all_pages(), ids=name_of)
def test_every_block_of_a_page_does_what_the_page_says(path, tmp_path):
    consoles = "".join(block.text for block in read_page(path).blocks if block.language == "console")
    for program in PROGRAMS:
        if re.search(rf"(^\$ |\(){program} ", consoles, re.MULTILINE) and shutil.which(program) is None:
            pytest.skip(f"needs {program}: apt-get install {program}")
    run_page(path, tmp_path)


def test_the_blocks_that_are_not_run_are_these_and_each_says_why():
    found = [(name_of(block.page), block.not_run) for path in all_pages() for block in read_page(path).blocks]

    assert sorted((page, reason) for page, reason in found if reason) == NOT_RUN


def test_every_comment_about_a_block_stands_before_one():
    assert [(name_of(path), text) for path in all_pages() for text in read_page(path).stray] == []


def test_every_language_that_is_allowed_without_a_check_is_used():
    used = {block.language for path in all_pages() for block in read_page(path).blocks}

    assert set(OTHER_LANGUAGES) <= used


def test_a_title_names_a_file_in_the_directory_of_the_reader():
    titles = {
        block.attributes["title"]
        for path in all_pages()
        for block in read_page(path).blocks
        if "title" in block.attributes
    }

    assert [title for title in titles if Path(title).is_absolute() or ".." in Path(title).parts] == []
    assert DOCS.is_dir()
