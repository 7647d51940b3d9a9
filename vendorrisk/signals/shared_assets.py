"""Assets of a vendor that show one and the same thing, such as a certificate. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from vendorrisk.evaluation.model import AssetKind
from vendorrisk.signals.asset_model import VendorAsset
from vendorrisk.signals.reconcile_queries import VendorState

Key = tuple[UUID, str, str]
"""An asset of a vendor, a rule and its subject: the key of a finding."""


CERTIFICATE_RULES = ("tls.cert_expired", "tls.cert_expiring")


def serving_together(
    assets: Iterable[VendorAsset], states: Iterable[VendorState]
) -> dict[UUID, tuple[VendorAsset, ...]]:
    """Return of each asset with a certificate those that serve the same one, the main one first."""
    shown = _certificates(states)
    serving: dict[tuple[object, ...], list[VendorAsset]] = {}
    for asset in _main_one_first(assets):
        if asset.id in shown:
            serving.setdefault(shown[asset.id], []).append(asset)
    return {asset.id: tuple(together) for together in serving.values() for asset in together}


def _certificates(states: Iterable[VendorState]) -> dict[UUID, tuple[object, ...]]:
    shown = {s.vendor_asset_id: s.evidence for s in states if s.rule == "tls.cert_expired" and s.evidence.get("serial")}
    return {asset: (of["serial"], of.get("issuer"), of.get("not_after")) for asset, of in shown.items()}


def awaiting_a_scan(assets: Iterable[VendorAsset], states: Iterable[VendorState]) -> frozenset[UUID]:
    """Return the assets that have not been scanned since another asset of their registrable domain changed its
    certificate.

    A shared certificate is usually replaced everywhere at once, but scanned hours apart: the old one is no news yet.
    """
    shown = {s.vendor_asset_id: s for s in states if s.rule == "tls.cert_expired"}
    changed_at: dict[str, datetime] = {}
    found = set()
    for asset in _main_one_first(assets):
        state = shown.get(asset.id)
        if state is None or state.last_scan_at is None:
            continue
        if asset.registrable_domain in changed_at and state.last_scan_at < changed_at[asset.registrable_domain]:
            found.add(asset.id)
        if state.unknown_since is None:
            changed_at[asset.registrable_domain] = max(
                state.changed_at, changed_at.get(asset.registrable_domain, state.changed_at)
            )
    return frozenset(found)


def of_one_thing(assets: Iterable[VendorAsset], states: Sequence[VendorState]) -> Iterable[list[VendorState]]:
    """Group the states of several assets that show one problem. The state to notify comes first.

    A certificate that serves several hosts is notified for the main host, an alias for the host itself if it is
    watched.
    """
    shown, order = _certificates(states), [asset.id for asset in _main_one_first(assets)]
    hosts = {asset.name: asset.id for asset in assets if asset.kind is AssetKind.HOST}
    things: dict[tuple[object, ...], list[VendorState]] = {}
    for state in states:
        if state.rule in CERTIFICATE_RULES and state.vendor_asset_id in shown:
            things.setdefault((state.rule, *shown[state.vendor_asset_id]), []).append(state)
        elif state.rule == "dns.dangling" and state.subject in hosts:
            things.setdefault((state.rule, state.subject), []).append(state)
    for together in things.values():
        yield sorted(
            together, key=lambda s: (hosts.get(s.subject) != s.vendor_asset_id, order.index(s.vendor_asset_id))
        )


def key_of(state: VendorState) -> Key:
    return state.vendor_asset_id, state.rule, state.subject


def _main_one_first(assets: Iterable[VendorAsset]) -> list[VendorAsset]:
    return sorted(with_a_main_one(assets), key=lambda asset: not asset.is_primary)


def with_a_main_one(assets: Iterable[VendorAsset]) -> list[VendorAsset]:
    """Return the assets in order. If no main asset is set, the domain or host attached first is the main one.

    Without one, good hosts attached later would soften the first by their mean.
    """
    ordered = sorted(assets, key=lambda a: (a.kind, a.name))
    hosts = [a for a in ordered if a.kind in {AssetKind.DOMAIN, AssetKind.HOST}]
    if not hosts or any(a.is_primary for a in hosts):
        return ordered
    first = min(hosts, key=lambda a: a.attached_at)
    return [msgspec.structs.replace(a, is_primary=True) if a is first else a for a in ordered]
