"""examples/certificate_broker.py: authorities, certificates that expire and are rotated, and trust stores."""

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from tests.contract.hosts import Answer
from tests.examples.playing import EXAMPLES, Play, killed, played
from tests.operating.commands import until

from openbrokerapi.managed.key_ring import new_key

AUTHORITY, SIMPLE, AUDITED = (
    "5c1f7a3e-7a8d-4e0b-9b57-0c6a5d1e8f01",
    "a2b1d0c4-3f5e-4c6a-8d7b-1e9f0a2b3c02",
    "c4d3e2f1-5a6b-4d7c-9e8f-2a0b1c3d4e03",
)
STORE, SHARED = "e6f5a4b3-7c8d-4e9f-8a0b-3c1d2e4f5a04", "b8a7c6d5-9e0f-4a1b-8c2d-4e3f5a6b7c05"
DAY = 86_400


@pytest.fixture
def key(tmp_path: Path) -> str:
    return new_key()


def authorities(folder: Path, key: str):
    return played(folder, "certificate_broker:broker", AUTHORITY, OPENBROKER_KEYS=key)


def stores(folder: Path, key: str):
    return played(folder, "certificate_broker:broker", STORE, OPENBROKER_KEYS=key)


def published(folder: Path, name: str) -> Path:
    (found,) = folder.glob(f"certificates/*/{name}")
    return found


def revoked(folder: Path) -> set[int]:
    path = published(folder, "revoked.pem")
    # The list is read while the broker replaces it: as a whole, so it can always be read.
    crl = x509.load_pem_x509_crl(path.read_bytes())
    authority = x509.load_pem_x509_certificate(published(folder, "authority.pem").read_bytes())
    assert crl.is_signature_valid(authority.public_key())  # type: ignore[arg-type]
    return {each.serial_number for each in crl}


def certificate_in(answer: Answer) -> x509.Certificate:
    return x509.load_pem_x509_certificate(answer.json["credentials"]["certificate"].encode())


def verified(folder: Path, credentials: dict[str, Any], *, revocations: bool = True) -> str:
    """Let OpenSSL verify a client's certificate; give what it says."""
    client = folder / "client.pem"
    client.write_text(credentials["certificate"])
    authority, crl = published(folder, "authority.pem"), published(folder, "revoked.pem")
    options = ["-crl_check", "-CRLfile", str(crl)] if revocations else []
    command = ["openssl", "verify", "-CAfile", str(authority), *options, str(client)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def provisioned(play: Play, instance_id: str = "one", plan: str = SIMPLE, **parameters: Any) -> Answer:
    answer = play.provision(instance_id, plan, parameters=parameters)
    assert answer.status == 201, answer.body
    return answer


def test_it_is_short_enough_to_be_read():
    assert len((EXAMPLES / "certificate_broker.py").read_text().splitlines()) <= 250


def test_a_certificate_verifies_until_it_is_unbound(tmp_path, key):
    with authorities(tmp_path, key) as play:
        made = provisioned(play, common_name="Our authority")
        assert made.json["dashboard_url"].startswith("https://")
        authority = x509.load_pem_x509_certificate(published(tmp_path, "authority.pem").read_bytes())
        assert authority.subject.rfc4514_string() == "CN=Our authority"
        assert made.json["metadata"]["labels"] == {"name": "Our authority"}

        bound = play.bind("one", "app", SIMPLE, parameters={"common_name": "app", "lifetime": 3600})
        assert bound.status == 201, bound.body
        credentials = bound.json["credentials"]
        certificate = certificate_in(bound)
        private = serialization.load_pem_private_key(credentials["private_key"].encode(), None)
        assert private.public_key() == certificate.public_key()
        assert certificate.subject.rfc4514_string() == "CN=app"
        assert verified(tmp_path, credentials).endswith("OK\n")
        ends = datetime.fromisoformat(bound.json["metadata"]["expires_at"])
        assert ends == certificate.not_valid_after_utc
        assert 3500 < (ends - datetime.now(UTC)).total_seconds() <= 3600
        assert datetime.fromisoformat(bound.json["metadata"]["renew_before"]) < ends
        assert play.send("GET", "service_instances/one/service_bindings/app").json["credentials"] == credentials

        assert play.unbind("one", "app", SIMPLE).status == 200
        assert revoked(tmp_path) == {certificate.serial_number}
        assert "certificate revoked" in verified(tmp_path, credentials)
        assert verified(tmp_path, credentials, revocations=False).endswith("OK\n")


def test_a_certificate_is_rotated_and_keeps_its_name(tmp_path, key):
    with authorities(tmp_path, key) as play:
        provisioned(play)
        old = play.bind("one", "old", SIMPLE, parameters={"common_name": "app", "lifetime": 3600})
        new = play.bind("one", "new", SIMPLE, predecessor_binding_id="old")
        assert new.status == 201, new.body

        assert certificate_in(new).subject == certificate_in(old).subject
        assert certificate_in(new).serial_number != certificate_in(old).serial_number
        assert verified(tmp_path, old.json["credentials"]).endswith("OK\n")
        assert verified(tmp_path, new.json["credentials"]).endswith("OK\n")
        renamed = play.bind(
            "one", "third", SIMPLE, predecessor_binding_id="new", parameters={"common_name": "other", "lifetime": 60}
        )
        assert certificate_in(renamed).subject == certificate_in(old).subject


def test_a_certificate_that_has_expired_is_revoked(tmp_path, key):
    with authorities(tmp_path, key) as play:
        provisioned(play)
        bound = play.bind("one", "app", SIMPLE, parameters={"lifetime": 1})
        serial = certificate_in(bound).serial_number

        until(lambda: revoked(tmp_path) == {serial})
        until(lambda: play.unbind("one", "app", SIMPLE).status == 410)


def test_a_deletion_takes_the_bindings_with_it(tmp_path, key):
    with authorities(tmp_path, key) as play:
        provisioned(play)
        assert play.bind("one", "app", SIMPLE).status == 201

        assert play.deprovision("one", SIMPLE).status == 200
        assert list((tmp_path / "certificates").iterdir()) == []
        assert play.unbind("one", "app", SIMPLE).status == 410


def test_an_audited_authority_can_be_called_off_while_it_waits(tmp_path, key):
    with authorities(tmp_path, key) as play:
        begun = play.provision("one", AUDITED)
        assert begun.status == 202
        assert begun.json["dashboard_url"].startswith("https://")
        poll = play.poll("one", begun.json["operation"])
        assert poll.json == {"state": "in progress", "description": "Waiting for objections"}
        assert 1 <= int(poll.headers["retry-after"]) <= 2

        assert play.deprovision("one", AUDITED).status == 200
        assert play.poll("one", begun.json["operation"]).json["state"] == "failed"
        assert list(tmp_path.glob("certificates/*")) == []


def test_an_audited_authority_is_made_across_a_kill(tmp_path, key):
    with authorities(tmp_path, key) as play:
        begun = play.provision("one", AUDITED)
        killed(play)
    with authorities(tmp_path, key) as play:
        end, _ = play.end_of("one", begun.json["operation"])
        assert end.json == {"state": "succeeded"}
        assert published(tmp_path, "authority.pem").exists()


def test_lifetimes_are_those_that_the_plan_allows(tmp_path, key):
    with authorities(tmp_path, key) as play:
        provisioned(play, lifetime=90 * DAY)
        for parameters in ({"lifetime": 0}, {"lifetime": 366 * DAY}, {"lifetime": "long"}):
            assert play.bind("one", "app", SIMPLE, parameters=parameters).status == 400, parameters

        refused = play.update("one", plan_id=AUDITED, previous_values={"plan_id": SIMPLE})
        # UPD-29: it is the state of the instance that forbids it, not what the request says.
        assert (refused.status, "lifetime" in refused.json["description"]) == (422, True)
        assert play.update("one", plan_id=AUDITED, parameters={"lifetime": 90 * DAY + 1}).status == 400
        assert play.send("GET", "service_instances/one").json["plan_id"] == SIMPLE
        assert play.update("one", plan_id=AUDITED, parameters={"lifetime": DAY}).status == 200
        assert play.send("GET", "service_instances/one").json["plan_id"] == AUDITED
        assert play.update("one", parameters={"common_name": "Another"}).status == 400


def test_maintenance_renews_the_certificate_with_the_same_key(tmp_path, key):
    with authorities(tmp_path, key) as play:
        provisioned(play)
        bound = play.bind("one", "app", SIMPLE, parameters={"lifetime": 3600})
        before = published(tmp_path, "authority.pem").read_text()
    newer(tmp_path)
    with played_as_it_is(tmp_path, key) as play:
        assert play.update("one", maintenance_info={"version": "2.0.0"}).status == 422
        answer = play.update("one", maintenance_info={"version": "2.1.0"})
        assert answer.status == 200, answer.body
        assert answer.json["metadata"]["attributes"]["sha256"]

        assert published(tmp_path, "authority.pem").read_text() != before
        assert verified(tmp_path, bound.json["credentials"]).endswith("OK\n")
        assert play.send("GET", "service_instances/one").json["maintenance_info"] == {"version": "2.1.0"}


def test_a_renewal_that_fails_leaves_the_authority_usable(tmp_path, key):
    with authorities(tmp_path, key) as play:
        provisioned(play)
    newer(tmp_path)
    path = published(tmp_path, "authority.pem")
    before = path.read_text()
    path.unlink()
    (path / "in the way").mkdir(parents=True)
    with played_as_it_is(tmp_path, key) as play:
        begun = play.update("one", maintenance_info={"version": "2.1.0"})
        # Its three tries take 0.3 s: less than after what an answer becomes asynchronous.
        assert (begun.status, begun.json["instance_usable"], begun.json["update_repeatable"]) == (500, True, True)
        assert begun.json["description"] == "The certificate cannot be published just now."

        (path / "in the way").rmdir()
        path.rmdir()
        path.write_text(before)
        assert play.update("one", maintenance_info={"version": "2.1.0"}).status == 200
        assert path.read_text() != before


def newer(folder: Path) -> None:
    """Let the next release of the broker have another maintenance version."""
    path = folder / "certificate_broker.py"
    path.write_text(path.read_text().replace('maintenance_info="2.0.0"', 'maintenance_info="2.1.0"'))
    path.rename(folder / "newer_broker.py")


def played_as_it_is(folder: Path, key: str):
    return played(folder, "newer_broker:broker", AUTHORITY, OPENBROKER_KEYS=key)


def test_an_organization_has_three_at_most(tmp_path, key):
    with authorities(tmp_path, key) as play:
        for number in range(3):
            provisioned(play, f"of-{number}")
        refused = play.provision("fourth", SIMPLE)
        assert (refused.status, "organization" in refused.json["description"]) == (422, True)
        assert play.provision("fourth", SIMPLE, organization_guid="another").status == 201
        assert play.deprovision("of-1", SIMPLE).status == 200
        provisioned(play, "fifth")


def test_no_private_key_is_in_the_store_or_among_what_is_published(tmp_path, key):
    with authorities(tmp_path, key) as play:
        provisioned(play)
        bound = play.bind("one", "app", SIMPLE)
    secret = "".join(bound.json["credentials"]["private_key"].split("\n")[1:-2])[:40].encode()
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".py"]

    assert any(path.name.startswith("broker.db") for path in files)
    for path in files:
        content = path.read_bytes()
        assert secret not in content, path
        assert not re.search(rb"BEGIN [A-Z ]*PRIVATE KEY", content), path


def test_no_id_leads_out_of_the_folder(tmp_path, key):
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "precious").mkdir()
    with authorities(inside, key) as play:
        for instance_id in ("..", "../../precious", str(tmp_path / "precious"), "a/b", "x" * 300):
            provisioned(play, instance_id)
            assert play.deprovision(instance_id, SIMPLE).status == 200

    assert sorted(path.name for path in tmp_path.iterdir()) == ["inside", "precious"]


# --- trust stores ---


def test_a_trust_store_is_mounted_into_an_application(tmp_path, key):
    with authorities(tmp_path, key) as play:
        provisioned(play)
    trusted = published(tmp_path, "authority.pem").read_text()
    with stores(tmp_path, key) as play:
        assert play.provision("store", SHARED, parameters={"certificates": [trusted]}).status == 201
        (kept,) = [path for path in tmp_path.glob("certificates/*/*.pem") if len(path.stem) == 64]
        assert kept.read_text() == trusted

        alone = play.bind("store", "app", SHARED)
        assert (alone.status, alone.json["error"]) == (422, "RequiresApp")
        bound = play.bind("store", "app", SHARED, bind_resource={"app_guid": "an-app"})
        assert bound.status == 201
        (mount,) = bound.json["volume_mounts"]
        assert (mount["driver"], mount["mode"], mount["container_dir"]) == ("nfs", "r", "/etc/trusted")
        refused = play.deprovision("store", SHARED)
        assert refused.status == 422
        assert play.unbind("store", "app", SHARED).status == 200
        assert play.deprovision("store", SHARED).status == 200
        assert not kept.exists()


def test_a_trust_store_refuses_what_is_no_certificate(tmp_path, key):
    with stores(tmp_path, key) as play:
        refused = play.provision("store", SHARED, parameters={"certificates": ["no certificate"]})
        assert (refused.status, "number 1" in refused.json["description"]) == (400, True)

        until(lambda: list(tmp_path.glob("certificates/*")) == [])
        until(lambda: play.deprovision("store", SHARED).status == 410)
