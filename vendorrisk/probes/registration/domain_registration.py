"""The scan of a domain's registration: RDAP if the registry offers it, WHOIS otherwise.

Only the WHOIS servers that IANA names are queried: a `Registrar WHOIS Server:` line can name any host and is not
followed. If our own parser finds no date, python-whois gives a second opinion, in a child process that a malicious text
may kill.
"""

from collections.abc import Awaitable, Callable, Mapping

from vendorrisk.egress.dialling import exchange
from vendorrisk.egress.fetcher import Fetcher
from vendorrisk.egress.guard import WHOIS_PORT, Guard
from vendorrisk.egress.reasons import EgressError
from vendorrisk.probes import reading
from vendorrisk.probes.observation import Raw, Unknown
from vendorrisk.probes.public_suffix import is_registered_at_a_registry
from vendorrisk.probes.registration import rdap, whois_parser
from vendorrisk.probes.registration.rdap import NotOwn, NotRegistered, RdapError, Registration
from vendorrisk.probes.registration.whois_parser import Kind
from vendorrisk.sandbox.running import Sandbox

IANA_SERVER = "whois.iana.org"
_WHOIS_SECONDS = 8.0
_FORMS = {"de": "-T dn,ace {}", "jp": "{}/e"}
"""The query forms of some registries. All others take the bare name."""

SecondOpinion = Callable[[str, str], Awaitable[Registration | None]]
"""Reads a WHOIS text about a domain once more. None if it finds no date or dies."""


class RegObservation(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="reg"):
    domain: str
    registration: Registration | NotRegistered | NotOwn | Unknown


async def scan(
    domain: str,
    *,
    fetcher: Fetcher,
    guard: Guard,
    sandbox: Sandbox,
    bases: Mapping[str, str],
    whois_servers: Mapping[str, str],
    second_opinion: SecondOpinion | None = None,
) -> RegObservation:
    """Look a registrable domain up. `bases` is the RDAP bootstrap, `whois_servers` are IANA's earlier answers."""
    if not is_registered_at_a_registry(_one_line(domain)):
        return RegObservation(domain=domain, registration=NotOwn())
    top = domain.rpartition(".")[2]
    if top in bases:
        found = await _by_rdap(f"{bases[top]}domain/{domain}", domain, fetcher)
    else:
        found = await _by_whois(domain, top, guard, sandbox, whois_servers, second_opinion)
    return RegObservation(domain=domain, registration=found)


async def _by_rdap(url: str, domain: str, fetcher: Fetcher) -> Registration | NotRegistered | Unknown:
    try:
        response = await fetcher.get(url, headers={"accept": "application/rdap+json"})
    except EgressError as error:
        return Unknown(reason=error.reason.value)
    if response.status == 404:  # noqa: PLR2004 - HTTP
        return NotRegistered(source="rdap") if rdap.says_not_found(response.body) else Unknown(reason="http_404")
    if response.status == 429:  # noqa: PLR2004 - HTTP
        return Unknown(reason="rate_limited")
    if response.status != 200:  # noqa: PLR2004 - HTTP
        return Unknown(reason=f"http_{response.status}")
    try:
        return rdap.parse(response.body, domain)
    except RdapError as error:
        return Unknown(reason=error.args[0])


async def _by_whois(
    domain: str,
    top: str,
    guard: Guard,
    sandbox: Sandbox,
    servers: Mapping[str, str],
    second_opinion: SecondOpinion | None,
) -> Registration | NotRegistered | Unknown:
    try:
        server = servers.get(top) or whois_parser.referred_server(await _ask(guard, IANA_SERVER, top))
        if not server:
            return Unknown(reason="no_registry_source")
        text = await _ask(guard, server, _FORMS.get(top, "{}").format(domain))
    except EgressError as error:
        return Unknown(reason=error.reason.value)
    return await _read(domain, text, sandbox, second_opinion)


async def _read(
    domain: str, text: str, sandbox: Sandbox, second_opinion: SecondOpinion | None
) -> Registration | NotRegistered | Unknown:
    answer = await reading.read(sandbox, whois_parser.read_answer, reading.packed(domain, text), about=domain)
    if isinstance(answer, Unknown):
        return answer
    if answer.kind is Kind.NOT_FOUND:
        return NotRegistered(source="whois")
    if answer.registration is None:
        return Unknown(reason=answer.kind.value)
    if answer.registration.expires_at is None and second_opinion is not None:
        return await second_opinion(domain, text) or answer.registration
    return answer.registration


async def _ask(guard: Guard, server: str, question: str) -> str:
    """Query a server. The query is ASCII made by our own code, so that a name cannot add a line to it."""
    response, _ = await exchange(
        guard,
        server,
        WHOIS_PORT,
        question=f"{_one_line(question)}\r\n".encode("ascii"),
        most_bytes=whois_parser.MOST_BYTES,
        timeout_seconds=_WHOIS_SECONDS,
    )
    return response.decode("utf-8", "replace").replace("\0", "\ufffd")


def _one_line(question: str) -> str:
    if not question.isascii() or any(c in question for c in "\r\n\0"):
        raise ValueError(f"{question!r} is no WHOIS question")
    return question
