"""Where a client finds a broker, and how it keeps its catalog."""

from __future__ import annotations

import base64

import pytest
from tests.platform.odd import answer, catalog, obliging

from openbrokerapi.platform import (
    Client,
    MalformedAnswer,
    UnexpectedStatus,
)


@pytest.mark.parametrize(
    ("url", "target", "user"),
    [
        ("http://h", "/v2/catalog", None),
        ("http://h:80/", "/v2/catalog", None),
        ("http://h/a/pre%20fix/", "/a/pre%20fix/v2/catalog", None),
        ("http://u:p%40%3A%2Fw@h/prefix", "/prefix/v2/catalog", "u:p@:/w"),
        ("http://u@h", "/v2/catalog", "u:"),
        ("http://u:p@[::1]:8080", "/v2/catalog", "u:p"),
    ],
)
def test_a_url_has_a_prefix_and_credentials(url: str, target: str, user: str | None) -> None:
    odd = obliging(url)
    with odd.client as client:
        client.catalog()
        assert "p@" not in repr(client)

    sent = odd.sent[0].headers.get("authorization")
    assert odd.sent[0].target == target
    assert sent == (None if user is None else "Basic " + base64.b64encode(user.encode()).decode())


@pytest.mark.parametrize(
    "url",
    [
        "",
        "h",
        "ftp://h",
        "http://",
        "http://u:pa?ss@h",
        "http://u:pass@h:port",
        "http://u:pass@h/?q=1",
        "http://h#f",
        "http://u:pass@h\x00",
        "http://u:pass@h:99999",
    ],
)
def test_a_url_that_is_none_of_a_broker_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="address of") as caught:
        Client(url)
    assert "pass" not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"username": "a:b", "password": "c"},
        {"password": "c"},
        {"token": "t", "username": "a"},
        {"token": "a\nb"},
        {"token": ""},
    ],
)
def test_credentials_that_cannot_be_sent_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"token|user"):
        Client("http://h", **given)  # type: ignore[arg-type]


@pytest.mark.rule("CAT-05")
def test_a_catalog_is_fetched_again_only_if_it_has_changed() -> None:
    odd = obliging()
    dated = {"ETag": 'W/"one"', "Last-Modified": "Mon, 23 Nov 2026 18:00:00 GMT"}
    changed = answer(200, catalog(name="changed"), {"ETag": '"two"'})
    odd.answers("GET /v2/catalog", answer(200, catalog(), dated), answer(304, b""), changed, answer(304, b""))
    with odd.client as client:
        names = [client.catalog().offerings[0].name for _ in range(4)]

    assert names == ["name-of-offering", "name-of-offering", "changed", "changed"]
    asked = [(sent.headers.get("if-none-match"), sent.headers.get("if-modified-since")) for sent in odd.sent]
    both = ('W/"one"', "Mon, 23 Nov 2026 18:00:00 GMT")
    assert asked == [(None, None), both, both, ('"two"', None)]


def test_a_304_that_nobody_asked_for_is_no_catalog() -> None:
    odd = obliging()
    odd.answers("GET /v2/catalog", answer(304, b""))
    with odd.client as client, pytest.raises(UnexpectedStatus):
        client.catalog()


def test_a_malformed_catalog_is_not_remembered() -> None:
    odd = obliging()
    odd.answers("GET /v2/catalog", answer(200, {"services": 1}, {"ETag": '"bad"'}), answer(200, catalog()))
    with odd.client as client:
        with pytest.raises(MalformedAnswer, match="services is not an array"):
            client.catalog()
        client.catalog()
    assert "if-none-match" not in odd.sent[1].headers
