"""Receivers, and e-mail and Slack as far as they can be checked without sending."""

from datetime import timedelta
from email.utils import parseaddr

from vendorrisk.alerts.rules import opened_address
from vendorrisk.channels.mail import MailServer, mail_server
from vendorrisk.channels.mail_form import mailbox
from vendorrisk.channels.outlets import Outlets, outlets_from
from vendorrisk.channels.port import EmailAddress, SlackConversation, Undeliverable
from vendorrisk.doctor import queries
from vendorrisk.doctor.database import server
from vendorrisk.doctor.model import DatabaseAwayError, Finding, Level, Patient
from vendorrisk.keys import Keyring, SealError
from vendorrisk.settings import SettingError

_MOST_BOTS = 20
_MAIL_KINDS = ("email", "owners")
_LOOKED_BACK = timedelta(days=7)
_CLEAR = "Set smtps://, or smtp://…?tls=required: what is sent can be read on the way."
_DEFAULT_SENDER = "vendorrisk@localhost"


async def receivers(patient: Patient) -> list[Finding]:
    """Report tenants without active receivers, and the number of alerts of the last week without recipients."""
    await server(patient)
    async with patient.database.system() as connection:
        unheard = await queries.WITHOUT_RECIPIENTS.one(connection, patient.clock() - _LOOKED_BACK)
    found = []
    if unheard.without_receiver:
        lacking = f"{unheard.without_receiver} of {unheard.tenants} tenants"
        said = f"{lacking} have no active receiver: nobody is notified of anything"
        todo = "Add one with POST /v1/receivers. `owners` needs no address."
        found.append(Finding("receivers", Level.WARNING, said, todo))
    if unheard.alerts:
        said = f"{unheard.alerts} alerts of the last 7 days had no recipients: no receiver lets them pass"
        todo = "GET /v1/alerts?filter=has_recipients:eq:false lists them. Widen a receiver's classes, tiers or owners."
        found.append(Finding("receivers", Level.WARNING, said, todo))
    return found or [Finding("receivers", Level.OK, "every tenant has one, and every alert of the last 7 days had one")]


async def email(patient: Patient) -> list[Finding]:
    """Connect, greet, take TLS and log in as configured. Hand over no message."""
    settings = patient.settings
    if not settings.smtp_url:
        return [_off(await _receivers(patient))]
    mail = mail_server(settings.smtp_url)
    where = f"{mail.host}:{mail.port}"
    try:
        sender = mailbox(parseaddr(settings.mail_from)[1])
        await _outlets(patient, EmailAddress(sender))
    except ValueError as error:
        return [Finding("e-mail", Level.FAILURE, f"VENDORRISK_MAIL_FROM: {error}", "Set it to Name <address@domain>.")]
    except Undeliverable as error:
        todo = "See that VENDORRISK_SMTP_URL names the right host, port, user and password, and that TLS fits the port."
        return [Finding("e-mail", Level.FAILURE, f"{where}: {error.failure.value}: {error.detail}", todo)]
    return [_answers(mail, sender)]


def _off(receivers: dict[str, int]) -> Finding:
    if waiting := sum(receivers.get(kind, 0) for kind in _MAIL_KINDS):
        todo = "Set VENDORRISK_SMTP_URL. Their deliveries are tried again until they are dead letters."
        return Finding("e-mail", Level.FAILURE, f"off, though {waiting} receivers are reached by e-mail", todo)
    return Finding("e-mail", Level.OK, "off: VENDORRISK_SMTP_URL is not set, and no receiver needs it")


def _answers(mail: MailServer, sender: str) -> Finding:
    said = f"{mail.host}:{mail.port} answers"
    said += (f" and lets {mail.username} in" if mail.username else "") + f", TLS {mail.tls}"
    if mail.tls == "never":
        return Finding("e-mail", Level.WARNING, said, _CLEAR)
    if sender == _DEFAULT_SENDER:
        todo = "Set VENDORRISK_MAIL_FROM to an address of yours: many servers refuse this one."
        return Finding("e-mail", Level.WARNING, f"{said}; mail comes from {sender}", todo)
    return Finding("e-mail", Level.OK, said)


async def slack(patient: Patient) -> list[Finding]:
    """Ask Slack for the owner of each bot token. An incoming webhook can only be tried by sending."""
    await server(patient)
    count = await _receivers(patient)
    found = []
    if count.get("slack_bot"):
        async with patient.database.system() as connection:
            bots = await queries.SLACK_BOTS.many(connection, _MOST_BOTS)
        found += [await _bot(patient, bot) for bot in bots]
        if count["slack_bot"] > _MOST_BOTS:
            said = f"{count['slack_bot'] - _MOST_BOTS} further bot receivers were not asked about"
            found.append(Finding("slack", Level.OK, said))
    if hooks := count.get("slack_webhook"):
        said = f"{hooks} incoming webhooks: these cannot be looked at without sending"
        todo = "POST /v1/receivers/{id}/tests sends one a test message."
        found.append(Finding("slack", Level.OK, said, todo))
    return found or [Finding("slack", Level.OK, "no receiver uses it")]


async def _bot(patient: Patient, bot: queries.SlackBot) -> Finding:
    name = f"receiver {bot.name!r} of tenant {bot.tenant_id}"
    try:
        keyring = Keyring.from_setting(patient.settings.secret_keys)
        address = opened_address(keyring, bot.tenant_id, bot.id, bot.address_sealed)
    except (SealError, SettingError) as error:
        todo = "Put the key back that sealed it, or set the receiver's address again."
        return Finding("slack", Level.FAILURE, f"{name}: {error}", todo)
    if not isinstance(address, SlackConversation):
        return Finding("slack", Level.FAILURE, f"{name} holds no bot token", "Set the receiver's address again.")
    try:
        whose = await _outlets(patient, address)
    except Undeliverable as error:
        todo = (
            "Set a token that is valid. For another refusal see that this machine may reach VENDORRISK_SLACK_API_URL."
        )
        return Finding("slack", Level.FAILURE, f"{name}: {error.failure.value}: {error.detail}", todo)
    return Finding("slack", Level.OK, f"{name}: {whose}")


async def _outlets(patient: Patient, to: EmailAddress | SlackConversation) -> str:
    outlets: Outlets = outlets_from(patient.settings, patient.clock)
    try:
        return await outlets.check(to)
    finally:
        await outlets.aclose()


async def _receivers(patient: Patient) -> dict[str, int]:
    """Return kind → how many active receivers. Nothing if the database cannot be asked."""
    try:
        await server(patient)
        async with patient.database.system() as connection:
            return {row.kind: row.receivers for row in await queries.RECEIVERS.many(connection)}
    except DatabaseAwayError:
        return {}
