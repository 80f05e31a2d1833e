"""`openbroker register`: commands for a shell, manifests that are YAML, and no secrets unless asked for."""

from __future__ import annotations

import base64
import shlex
from typing import Any

import pytest
import yaml
from tests.contract.hosts import CREDENTIALS
from tests.platform.odd import catalog
from tests.platform_commands.operator import Operator
from tests.platform_commands.scripted import Scripted


def offered(*names: str) -> dict[str, Any]:
    (offering,) = catalog()["services"]
    return {"services": [{**offering, "id": name, "name": name} for name in names]}


def test_cloud_foundry_registers_the_broker_and_enables_each_offering(broker: Scripted, at_broker: Operator) -> None:
    broker.answers("GET /v2/catalog", (200, offered("one", "an other")))
    lines = at_broker.run("register", "cf", "--name", "my broker").splitlines()
    assert [shlex.split(line) for line in lines] == [
        [
            *("CF_BROKER_PASSWORD=$OPENBROKER_PASSWORD", "cf", "create-service-broker"),
            *("my broker", CREDENTIALS.username, broker.url),
        ],
        ["cf", "enable-service-access", "one", "-b", "my broker"],
        ["cf", "enable-service-access", "an other", "-b", "my broker"],
    ]


def test_a_broker_of_one_space_needs_no_access_and_no_catalog(broker: Scripted, at_broker: Operator) -> None:
    (line,) = at_broker.run("register", "cf", "--name", "b", "--space-scoped", "--show-credentials").splitlines()
    assert shlex.split(line)[0] == f"CF_BROKER_PASSWORD={CREDENTIALS.password}"
    assert shlex.split(line)[-1] == "--space-scoped"
    assert broker.sent == []


def test_kubernetes_gets_a_secret_and_a_broker_that_refers_to_it(at_broker: Operator) -> None:
    written = at_broker.run("register", "kubernetes", "--name", "my-broker", "--namespace", "brokers")
    assert CREDENTIALS.password not in written
    secret, broker = yaml.safe_load_all(written)
    assert secret["stringData"] == {"username": CREDENTIALS.username, "password": "${OPENBROKER_PASSWORD}"}
    assert (broker["apiVersion"], broker["kind"]) == ("servicecatalog.k8s.io/v1beta1", "ClusterServiceBroker")
    assert broker["spec"]["url"] == at_broker.url
    assert broker["spec"]["authInfo"] == {"basic": {"secretRef": secret["metadata"]}}
    assert secret["metadata"] == {"name": "my-broker-credentials", "namespace": "brokers"}

    shown = at_broker.run("register", "kubernetes", "--name", "b", "--show-credentials", "--insecure")
    secret, broker = yaml.safe_load_all(shown)
    assert secret["stringData"]["password"] == CREDENTIALS.password
    assert broker["spec"]["insecureSkipTLSVerify"] is True


def test_kubernetes_sends_a_token_and_trusts_the_authority(at_broker: Operator) -> None:
    import trustme

    path = at_broker.home / "ca.pem"
    trustme.CA().cert_pem.write_to_path(path)
    given: dict[str, Any] = {"OPENBROKER_TOKEN": "the-token", "OPENBROKER_USERNAME": "", "OPENBROKER_PASSWORD": ""}
    secret, broker = yaml.safe_load_all(
        at_broker.run("register", "kubernetes", "--name", "b", "--ca", str(path), **given)
    )
    assert secret["stringData"] == {"token": "${OPENBROKER_TOKEN}"}
    assert list(broker["spec"]["authInfo"]) == ["bearer"]
    assert base64.b64decode(broker["spec"]["caBundle"]) == path.read_bytes()
    for platform in ("cf", "btp"):
        assert "no token" in at_broker.run("register", platform, "--name", "b", code=2, **given)


def test_btp_registers_the_broker_in_a_subaccount(at_broker: Operator) -> None:
    line = at_broker.run("register", "btp", "--name", "my-broker", "--subaccount", "sub-1")
    assert shlex.split(line) == [
        *("btp", "register", "services/broker", "--subaccount", "sub-1", "--name", "my-broker"),
        *("--url", at_broker.url, "--user", CREDENTIALS.username, "--password", "$OPENBROKER_PASSWORD"),
    ]


@pytest.mark.parametrize(
    ("platform", "name"), [("kubernetes", "My Broker"), ("kubernetes", "-b"), ("btp", "my broker"), ("btp", "a_b")]
)
def test_a_name_that_the_platform_would_not_take_is_refused(at_broker: Operator, platform: str, name: str) -> None:
    assert f'"{name}" is no name for' in at_broker.run("register", platform, f"--name={name}", code=2)


def test_a_broker_that_refuses_its_catalog_is_not_registered_at_cloud_foundry(
    broker: Scripted, at_broker: Operator
) -> None:
    broker.answers("GET /v2/catalog", (401, {}))
    result = at_broker.try_("register", "cf", "--name", "b")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "the broker answered 401" in result.stderr
