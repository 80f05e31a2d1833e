"""`package.module:attribute`: what it leads to, and what is said where it leads nowhere."""

import itertools
import sys
from pathlib import Path

import pytest

from openbrokerapi.cli.broker_reference import BrokerReferenceError, load_broker

_numbers = itertools.count()

BROKERS = """\
class Broker:
    def __init__(self, name="made"):
        self.name = name
    def catalog(self):
        return []
    def __call__(self):
        raise AssertionError("a broker is not called")

class Needs(Broker):
    def __init__(self, name):
        super().__init__(name)

class Namespace:
    inner = Broker("inner")

broker = Broker("broker")
number = 5

def make():
    return Broker("factory")

def make_with(name):
    return Broker(name)

def make_nothing():
    return None

def make_error():
    raise RuntimeError("no such\\ndatabase")

def make_exit():
    raise SystemExit(3)

async def make_async():
    return Broker()
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the name of a module in the current directory that no other test has imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    name = f"reference_{next(_numbers)}"
    (tmp_path / f"{name}.py").write_text(BROKERS, encoding="utf-8")
    return name


@pytest.mark.parametrize(
    ("attribute", "name"),
    [("broker", "broker"), ("Broker", "made"), ("make", "factory"), ("Namespace.inner", "inner")],
)
def test_a_broker_a_class_or_a_function_gives_a_broker(module, attribute, name):
    assert load_broker(f"{module}:{attribute}").name == name


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("{module}", '"{module}" is no reference to a broker; write package.module:attribute'),
        (":broker", '":broker" is no reference to a broker; write package.module:attribute'),
        ("{module}:", '"{module}:" is no reference to a broker; write package.module:attribute'),
        (
            "{module}_none.brokers:broker",
            "there is no module {module}_none; run the command in the directory that holds it, or install the package",
        ),
        ("{module}:brokr", "{module}:brokr: the module {module} has no brokr; it has broker"),
        (
            "{module}:Namespace.none",
            "{module}:Namespace.none: an object of the type type has no none; it has inner",
        ),
        (
            "{module}:broker.name.x",
            ("{module}:broker.name.x: an object of the type str has no x; name what holds the broker"),
        ),
        (
            "{module}:number",
            "{module}:number is an object of the type int without a method catalog; name a broker, or what returns one",
        ),
        (
            "{module}:make_nothing",
            (
                "{module}:make_nothing is an object of the type NoneType without a method catalog; "
                "name a broker, or what returns one"
            ),
        ),
        (
            "{module}:make_with",
            (
                "{module}:make_with cannot be called without arguments (missing a required argument: 'name'); "
                "write a function without arguments that returns the broker"
            ),
        ),
        (
            "{module}:Needs",
            (
                "{module}:Needs cannot be called without arguments (missing a required argument: 'name'); "
                "write a function without arguments that returns the broker"
            ),
        ),
        (
            "{module}:make_error",
            "calling {module}:make_error fails at {file}, line 29: RuntimeError: no such database",
        ),
        ("{module}:make_exit", "calling {module}:make_exit fails at {file}, line 32: SystemExit: 3"),
        (
            "{module}:make_async",
            "{module}:make_async is an async function; write a plain one that returns the broker",
        ),
    ],
)
def test_a_reference_that_leads_to_no_broker_says_what_to_change(module, reference, message):
    with pytest.raises(BrokerReferenceError) as refused:
        load_broker(reference.format(module=module))
    assert refused.value.message == message.format(module=module, file=Path.cwd() / f"{module}.py")
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import there_is_no_such_driver", "No module named 'there_is_no_such_driver'; install it"),
        ("broker = 1 / 0", "ZeroDivisionError: division by zero"),
        ("import sys; sys.exit('usage')", "SystemExit: usage"),
    ],
)
def test_a_module_that_fails_is_said_with_its_line(module, text, message):
    file = Path.cwd() / f"{module}_fails.py"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BrokerReferenceError) as refused:
        load_broker(f"{module}_fails:broker")
    assert refused.value.message == f"importing {module}_fails fails at {file}, line 1: {message}"


def test_a_module_with_a_mistake_in_it_is_said(module):
    Path(f"{module}_broken.py").write_text("def broker(:\n", encoding="utf-8")
    with pytest.raises(BrokerReferenceError, match=rf"^importing {module}_broken fails: SyntaxError: .*line 1\)$"):
        load_broker(f"{module}_broken:broker")
