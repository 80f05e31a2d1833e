"""The smallest managed broker is the same in the examples and on the pages."""

import pytest
from tests.docs.pages import DOCS, ROOT, titled

NAME = "smallest_managed.py"


@pytest.mark.parametrize("page", [ROOT / "README.md", DOCS / "tutorial" / "managed-broker.md"])
def test_the_smallest_managed_broker_is_that_of_the_examples(page):
    assert titled(page)[NAME] == (ROOT / "examples" / NAME).read_text(encoding="utf-8")
