"""Webhooks to hosts inside: those that the operator lists, by their own authority, and no others."""

import ssl
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme

from tests.alerts.make import a_receiver
from tests.conftest import FakeClock, found_company
from vendorrisk.alerts import rules
from vendorrisk.alerts.receiver_model import SlackWebhookTarget, WebhookTarget
from vendorrisk.app import create_app
from vendorrisk.channels.outlets import outlets_from, own_authorities
from vendorrisk.egress.guard import Guard, guard_from, inside_hosts
from vendorrisk.egress.reasons import EgressError
from vendorrisk.egress.resolver import Resolver
from vendorrisk.errors import Refusal
from vendorrisk.lab.dns import dns_fake
from vendorrisk.settings import SettingError, Settings

pytestmark = pytest.mark.anyio

HOST = "hooks.corp.internal"


async def test_a_listed_host_may_have_a_private_address_and_no_other_host_may() -> None:
    records = {
        (HOST, "A"): ["10.1.2.3"],
        ("other.example.com", "A"): ["10.1.2.3"],
        ("meta.corp.internal", "A"): ["169.254.169.254"],
        ("self.corp.internal", "A"): ["127.0.0.1"],
    }
    async with dns_fake(records) as names:
        listed = frozenset({HOST, "meta.corp.internal", "self.corp.internal"})
        guard = Guard(Resolver([names.address]), inside=listed)
        with pytest.raises(EgressError):
            guard.target("10.1.2.3", 443)
        assert (await guard.resolve(HOST.upper() + ".")).addresses == ("10.1.2.3",)
        assert guard.target("10.1.2.3", 443) == ("10.1.2.3", 443)
        for refused in ("other.example.com", "meta.corp.internal", "self.corp.internal", "else.corp.internal"):
            with pytest.raises(EgressError):
                await guard.resolve(refused)
        with pytest.raises(EgressError):
            guard.target("10.1.2.4", 443)
        with pytest.raises(EgressError):
            await Guard(Resolver([names.address])).resolve(HOST)


async def test_scans_never_reach_inside(settings: Settings) -> None:
    with_hosts = msgspec.structs.replace(settings, webhook_inside_hosts=HOST)
    with pytest.raises(EgressError):
        guard_from(with_hosts).host(HOST)
    assert guard_from(with_hosts, inside=inside_hosts(with_hosts)).host(HOST) == HOST


def test_only_webhooks_may_name_a_listed_host() -> None:
    assert rules.address_of(WebhookTarget(url=f"https://{HOST}/in"), {HOST}) is not None
    for target in (WebhookTarget(url="https://else.corp.internal/in"), SlackWebhookTarget(url=f"https://{HOST}/in")):
        with pytest.raises(Refusal):
            rules.address_of(target, {HOST})


async def test_a_receiver_inside_is_taken_where_the_operator_lists_its_host(
    settings: Settings, clock: FakeClock
) -> None:
    for hosts, status in (("", 422), (f"other.corp.internal, {HOST}", 201)):
        api = create_app(msgspec.structs.replace(settings, webhook_inside_hosts=hosts), clock=clock)
        async with api.running():
            company = await found_company(api, clock, f"Acme {status}")
            body: dict[str, Any] = {"name": "In", "target": {"kind": "webhook", "url": f"https://{HOST}/secret"}}
            made = await company.client.post("/v1/receivers", body)
            assert made.status_code == status, made.text
            if status == 201:
                assert made.json()["destination"] == f"https://{HOST}/…"
                await a_receiver(company)


@pytest.mark.parametrize(
    "hosts", ["10.0.0.1", "https://x.corp", "*.corp.internal", "localhost", "a b.corp", "x.corp:8443"]
)
async def test_what_is_no_name_of_a_host_is_refused_at_the_start(settings: Settings, hosts: str) -> None:
    with pytest.raises(SettingError, match="VENDORRISK_WEBHOOK_INSIDE_HOSTS"):
        inside_hosts(msgspec.structs.replace(settings, webhook_inside_hosts=hosts))


async def test_the_operators_authority_is_trusted_beside_the_systems(
    settings: Settings, clock: FakeClock, tmp_path: Path
) -> None:
    authority, file = trustme.CA(), tmp_path / "own.pem"
    authority.cert_pem.write_to_path(str(file))
    own = own_authorities(msgspec.structs.replace(settings, message_ca_file=str(file)))
    assert own is not None
    assert len(own.get_ca_certs()) == len(ssl.create_default_context().get_ca_certs()) + 1
    assert own.verify_mode is ssl.CERT_REQUIRED
    assert own_authorities(settings) is None
    file.write_text("no certificate")
    for wrong in (file, tmp_path / "nowhere.pem"):
        with pytest.raises(SettingError, match="VENDORRISK_MESSAGE_CA_FILE"):
            outlets_from(msgspec.structs.replace(settings, message_ca_file=str(wrong)), clock)
