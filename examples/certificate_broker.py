"""A managed broker of certificate authorities and trust stores: everything that managed brokers can do, in one place.

An instance of the first offering is a certificate authority, a binding is a client certificate of it that expires and
is rotated. An instance of the second is a folder of certificates that applications mount. What is public is in the
folder "certificates". Serve it with `openbroker serve --keys-file keys certificate_broker:broker`.
"""

import asyncio
import hashlib
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, cast

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from openbrokerapi import InstanceMetadata, SharedDevice, VolumeMount
from openbrokerapi.errors import ErrInvalidParameters, ErrPlanChangeNotSupported
from openbrokerapi.managed import AsyncWork, Binding, Bound, Broker, Failed, Instance, Offering, Plan, Provisioned, Work

DAY = 86_400
WAITING_PERIOD = 2.0  # seconds in which an audited authority can still be called off; a day, in earnest
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Lifetime = Annotated[int, msgspec.Meta(ge=1, le=365 * DAY, description="Seconds that certificates last")]


class Authority(msgspec.Struct, forbid_unknown_fields=True):
    common_name: Name = "An authority"
    lifetime: Lifetime = 30 * DAY


class Changes(msgspec.Struct, forbid_unknown_fields=True):
    lifetime: Lifetime


@dataclass
class Client:
    common_name: Name = "A client"
    lifetime: Lifetime | None = None


@dataclass
class Trusted:
    certificates: list[str]


class InFolders(Offering):
    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, instance_id: str) -> Path:
        # The platform may put any character into an id, slashes and dots included.
        return self.root / hashlib.sha256(instance_id.encode()).hexdigest()[:32]


class Authorities(InFolders):
    id = "5c1f7a3e-7a8d-4e0b-9b57-0c6a5d1e8f01"
    name = "certificate-authority"
    description = "A certificate authority of your own, whose client certificates expire and are rotated"
    plans = (
        Plan(
            id="a2b1d0c4-3f5e-4c6a-8d7b-1e9f0a2b3c02",
            name="simple",
            description="Ready at once",
            binding_rotatable=True,
            maintenance_info="2.0.0",
            settings={"lifetime": 365 * DAY, "waiting": 0.0},
        ),
        Plan(
            id="c4d3e2f1-5a6b-4d7c-9e8f-2a0b1c3d4e03",
            name="audited",
            description="Certificates of a month at most, and a waiting period before the authority is there",
            binding_rotatable=True,
            maintenance_info="2.0.0",
            quota=10,
            settings={"lifetime": 30 * DAY, "waiting": WAITING_PERIOD},
        ),
    )
    plan_updateable = True
    parameters = Authority
    update_parameters = Changes  # another name would make what is signed worthless
    bind_parameters = Client
    quota_per_organization = 3
    estimate = WAITING_PERIOD  # seconds that an operation takes: how often the platform is to ask
    cascade = True  # a deprovision unbinds what is still bound
    revoke_expired = True  # `unbind` is called for a certificate that has expired

    def dashboard_url(self, instance: Instance[Authority]) -> str:
        return f"https://certificates.example.com/{self.folder(instance.id).name}"

    async def provision(self, instance: Instance[Authority], work: AsyncWork) -> Provisioned:
        check_lifetime(instance, instance.parameters.lifetime)
        await work.progress("Making the key")
        # What a step gives back is sealed in the store, as `private` and credentials are.
        key = await work.step("key", new_key)
        if waiting := instance.plan.settings["waiting"]:
            await work.progress("Waiting for objections")
            await work.sleep(waiting)  # a deprovision in this time stops it here
        return await self._renewed(instance, key, work)

    async def update(
        self, instance: Instance[Authority], previous: Instance[Authority], work: AsyncWork
    ) -> Provisioned | None:
        check_lifetime(instance, instance.parameters.lifetime, kept=instance.parameters == previous.parameters)
        if instance.maintenance_version == previous.maintenance_version:
            return None  # another plan, another lifetime: it is enough that the package remembers them
        return await self._renewed(instance, instance.private["key"], work)

    async def _renewed(self, instance: Instance[Authority], key: str, work: AsyncWork) -> Provisioned:
        name = instance.parameters.common_name
        certificate = await work.step("sign", signed, key, name, key, name, 3650 * DAY, authority=True)
        authority = {"certificate": certificate, "key": key}
        await work.progress("Publishing the certificate")
        try:
            # Files are written in a thread: what `async def` methods do must not block.
            await work.retry(3, backoff=0.1, on=OSError).step(
                "publish", asyncio.to_thread, self._publish, instance.id, authority
            )
        except OSError:
            raise Failed("The certificate cannot be published just now.", usable=True, repeatable=True) from None
        fingerprint = x509.load_pem_x509_certificate(certificate.encode()).fingerprint(hashes.SHA256()).hex()
        metadata = InstanceMetadata(labels={"name": name}, attributes={"sha256": fingerprint})
        return Provisioned(metadata=metadata, private=authority)

    def _publish(self, instance_id: str, authority: dict[str, str], *revoked: int) -> None:
        """Write what is public of an authority; these serial numbers join the list of what is revoked."""
        # No lock is needed, on however many replicas: an instance has one operation at a time.
        folder = self.folder(instance_id)
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / "authority.pem", authority["certificate"])
        path = folder / "revoked.pem"
        before = x509.load_pem_x509_crl(path.read_bytes()) if path.exists() else ()
        write(path, revocation_list(authority, {*revoked, *(each.serial_number for each in before)}))

    async def deprovision(self, instance: Instance[Authority], work: AsyncWork) -> None:
        # Also called for what a failed or stopped provision has left, which may be nothing.
        await asyncio.to_thread(shutil.rmtree, self.folder(instance.id), ignore_errors=True)

    async def bind(self, instance: Instance[Authority], binding: Binding[Client], work: AsyncWork) -> Bound:
        lifetime = binding.parameters.lifetime or instance.parameters.lifetime
        check_lifetime(instance, lifetime)
        # A rotation without parameters has its predecessor's; here it keeps the name even if it sends another.
        name = (binding.predecessor or binding).parameters.common_name
        issuer, authority = instance.parameters.common_name, instance.private
        key = await work.step("key", new_key)
        certificate = await work.step("sign", signed, key, name, authority["key"], issuer, lifetime)
        made = x509.load_pem_x509_certificate(certificate.encode())
        ends = made.not_valid_after_utc
        return Bound(
            credentials={"certificate": certificate, "private_key": key, "authority": authority["certificate"]},
            expires_at=ends,
            renew_before=ends - timedelta(seconds=lifetime / 3),
            private={"serial": made.serial_number},
        )

    async def unbind(self, instance: Instance[Authority], binding: Binding[Client], work: AsyncWork) -> None:
        if binding.private is None:
            return  # a bind that failed: nobody has the certificate
        await asyncio.to_thread(self._publish, instance.id, instance.private, binding.private["serial"])


class TrustStores(InFolders):
    id = "e6f5a4b3-7c8d-4e9f-8a0b-3c1d2e4f5a04"
    name = "trust-store"
    description = "The certificates that your applications trust, as a volume"
    plans = (Plan(id="b8a7c6d5-9e0f-4a1b-8c2d-4e3f5a6b7c05", name="shared", description="One folder", quota=100),)
    requires = ("volume_mount",)
    requires_app = True  # a volume is mounted into an application
    parameters = Trusted

    def provision(self, instance: Instance[Trusted], work: Work) -> None:
        folder = self.folder(instance.id)
        folder.mkdir(parents=True, exist_ok=True)
        for number, text in enumerate(instance.parameters.certificates, 1):
            if work.cancelled:  # it is being deleted, or another process goes on with it
                return
            try:
                certificate = x509.load_pem_x509_certificate(text.encode())
            except ValueError:
                raise ErrInvalidParameters(f"certificates: the one with the number {number} is no PEM") from None
            write(folder / f"{certificate.fingerprint(hashes.SHA256()).hex()}.pem", text)

    def deprovision(self, instance: Instance[Trusted], work: Work) -> None:
        shutil.rmtree(self.folder(instance.id), ignore_errors=True)

    def bind(self, instance: Instance[Trusted], binding: Binding[dict[str, Any]], work: Work) -> Bound:
        name = self.folder(instance.id).name
        device = SharedDevice(name, {"source": f"nfs.example.com:/{name}"})
        return Bound(volume_mounts=[VolumeMount("nfs", "/etc/trusted", "r", "shared", device)])

    def unbind(self, instance: Instance[Trusted], binding: Binding[dict[str, Any]], work: Work) -> None:
        """Do nothing: the platform unmounts."""


def check_lifetime(instance: Instance[Authority], lifetime: int, *, kept: bool = False) -> None:
    longest = instance.plan.settings["lifetime"]
    if lifetime > longest:
        refusal = ErrPlanChangeNotSupported if kept else ErrInvalidParameters  # 422: the plan does not fit; or 400
        raise refusal(f"lifetime: the plan {instance.plan.name} has at most {longest} seconds")


def write(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)  # whoever reads it meanwhile sees the old one or the new one, as a whole


def new_key() -> str:
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(*form).decode()


def loaded(key: str) -> ec.EllipticCurvePrivateKey:
    return cast("ec.EllipticCurvePrivateKey", serialization.load_pem_private_key(key.encode(), None))


def signed(key: str, name: str, issuer_key: str, issuer: str, lifetime: int, *, authority: bool = False) -> str:
    now = datetime.now(UTC)
    kind = x509.BasicConstraints(ca=authority, path_length=0 if authority else None)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(loaded(key).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(seconds=lifetime))
        .add_extension(kind, critical=True)
        .sign(loaded(issuer_key), hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def revocation_list(authority: dict[str, str], serials: set[int]) -> str:
    now = datetime.now(UTC)
    issuer = x509.load_pem_x509_certificate(authority["certificate"].encode()).subject
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer).last_update(now)
    for serial in sorted(serials):
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
        builder = builder.add_revoked_certificate(revoked)
    made = builder.next_update(now + timedelta(days=1)).sign(loaded(authority["key"]), hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


broker = Broker(Authorities(Path("certificates")), TrustStores(Path("certificates")))
