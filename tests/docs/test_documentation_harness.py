"""The reader of the pages notices when a page is wrong: each fault is planted, and found."""

import textwrap

import pytest
from tests.docs.pages import read_page
from tests.docs.running import listens, run_page


@pytest.fixture
def page(tmp_path):
    folder = tmp_path / "reader"
    folder.mkdir()

    def follow(text):
        path = tmp_path / "page.md"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        run_page(path, folder)
        return folder

    return follow


WRONG = {
    "another output": ("```console\n$ echo one\ntwo\n```", "printed:\none"),
    "an output that is not shown": ("```console\n$ echo one\n```", "printed:\none"),
    "a shown line that is not printed": ("```console\n$ echo one\none\ntwo\n```", "printed:\none"),
    "less than the line": ("```console\n$ echo one two\none\n```", "printed:\none two"),
    "a failing command": ("```console\n$ false\n```", "ended with 1"),
    "no command": ("```console\none\n```", "begins with a command"),
    "a failing assertion": ("```python\nassert 1 == 2\n```", "AssertionError"),
    "a name that is not there": ("```python\nprint(nothing)\n```", "NameError"),
    "a warning": ("```python\nimport warnings\nwarnings.warn('old')\n```", "UserWarning"),
    "a Python that ends": ("```python\nimport os\nos._exit(3)\n```", "Python ended"),
    "a file that is no Python": ("```python title='a.py'\ndef\n```", "invalid syntax"),
    "broken JSON": ("```json\n{'a': 1}\n```", "this is no json"),
    "broken YAML": ("```yaml\na: [\n```", "this is no yaml"),
    "broken TOML": ("```toml\na =\n```", "this is no toml"),
    "an unknown language": ("```cobol\nSTOP RUN.\n```", "nobody checks a block of cobol"),
    "no language": ("```\nwhat?\n```", "nobody checks a block of no language"),
    "a server that does not start": ("```console terminal='server'\n$ false\nServing\n```", "shows no"),
}


@pytest.mark.parametrize(("text", "complaint"), WRONG.values(), ids=WRONG.keys())
def test_a_page_that_is_wrong_fails(page, text, complaint, monkeypatch):
    monkeypatch.setattr("tests.docs.terminal._WAIT", 1.0)

    with pytest.raises((AssertionError, SyntaxError), match=complaint):
        page(text)


def test_a_server_is_stopped_before_the_next_one_of_its_terminal_and_at_the_end(page):
    server = "python3 -u -m http.server --bind 127.0.0.1 8080"
    serving = f"```console terminal='server'\n$ {server}\nServing HTTP on 127.0.0.1 port 8080 ...\n```"

    # The port is taken unless the first one has gone.
    folder = page(f"{serving}\n\n{serving}\n\n```console\n$ echo 127.0.0.1:8080 > address\n```\n")

    port = int(folder.joinpath("address").read_text().partition(":")[2])
    assert not listens(port)


def test_files_blocks_and_terminals_work_on_one_another(page):
    folder = page("""
        ```python title="a.py"
        ONE = 1
        ```

        ```python title="a.py" add
        TWO = 2
        ```

        ```python
        import a
        three = a.ONE + a.TWO
        ```

        ```python
        open("three", "w").write(str(three))
        ```

        ```console
        $ export name=world && mkdir sub && cd sub
        $ cat <<EOF
        > Hello, $name
        > EOF
        Hello, world
        $ cat ../three
        3
        $ ls nothing
        ls: ...
        $ echo $?
        2
        $ printf '1\\n2\\n3\\n'
        ...
        3
        ```
    """)

    assert folder.joinpath("a.py").read_text() == "ONE = 1\n\nTWO = 2\n"


def test_a_block_is_left_out_only_with_a_reason_in_front_of_it(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("<!-- not run: no cloud here -->\n```console\n$ cf push\n```\n\n<!-- not run: lost -->\n\nText.\n")

    page = read_page(path)

    assert [block.not_run for block in page.blocks] == ["no cloud here"]
    assert page.stray == ("lost",)


def test_anchors_and_links_are_those_of_the_usual_renderers(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("# What `serve` does\n\n## What, twice?\n\n## What, twice?\n\n| a |\n|---|\n| [x](y.md#z) |\n")

    page = read_page(path)

    assert page.anchors == {"what-serve-does", "what-twice", "what-twice-1"}
    assert [target for _line, target in page.links] == ["y.md#z"]


def test_a_server_is_not_taken_for_another_one_on_its_port(page):
    serving = "```console terminal='{}'\n$ python3 -u -m http.server --bind 127.0.0.1 8080\n```"

    with pytest.raises(AssertionError, match="somebody listens"):
        page(f"{serving.format('first')}\n\n{serving.format('second')}")
