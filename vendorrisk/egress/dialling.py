"""Raw TCP and TLS towards vetted hosts: certificate scans and WHOIS."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from vendorrisk.egress.guard import WEB_PORTS, WHOIS_PORT, Guard, Vetted
from vendorrisk.egress.pacing import time_limit
from vendorrisk.egress.reasons import EgressError, Reason

_PORTS = WEB_PORTS | {WHOIS_PORT}
_CHUNK = 16 * 1024


class Dialled(msgspec.Struct, frozen=True):
    """An open connection. `address` is the literal that was reached."""

    host: str
    address: str
    port: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@asynccontextmanager
async def dial(
    guard: Guard,
    host: str | Vetted,
    port: int,
    *,
    timeout_seconds: float,
    tls: ssl.SSLContext | None = None,
    server_name: str | None = None,
) -> AsyncIterator[Dialled]:
    """Open a connection for the length of the block, which has `timeout_seconds` in total.

    A host that was vetted a moment ago may be given as `Vetted`. It is not looked up again, so that all connections of
    a scan reach one place. Each literal is vetted once more when it is dialled.

    With `tls` the handshake is done before the block begins, for `server_name`, or the host if there is none. The
    context decides whether the certificate is checked. Failures are `EgressError`s, in the block as well.
    """
    if port not in _PORTS:
        raise EgressError(Reason.PORT, f"port {port} is not one of {sorted(_PORTS)}")
    opened: Dialled | None = None
    try:
        async with time_limit(timeout_seconds):
            vetted = host if isinstance(host, Vetted) else await guard.resolve(host)
            opened = await _open(guard, vetted, port, tls, server_name)
            yield opened
    except TimeoutError:
        reason = Reason.CONNECT_TIMEOUT if opened is None else Reason.TIMEOUT
        raise EgressError(reason, f"not done in {timeout_seconds} s") from None
    except ssl.SSLError as error:
        raise EgressError(tls_reason(error), error.reason or str(error)) from error
    except OSError as error:
        raise EgressError(_reason(error), str(error)) from error
    finally:
        if opened is not None:
            opened.writer.transport.abort()


async def exchange(
    guard: Guard, host: str, port: int, *, question: bytes, most_bytes: int, timeout_seconds: float
) -> tuple[bytes, bool]:
    """Send a question and read the answer until the other side closes (WHOIS, RFC 3912).

    Returns at most `most_bytes`, and whether the answer was cut there.
    """
    async with dial(guard, host, port, timeout_seconds=timeout_seconds) as connection:
        connection.writer.write(question)
        await connection.writer.drain()
        answer = bytearray()
        while chunk := await connection.reader.read(_CHUNK):
            answer += chunk
            if len(answer) > most_bytes:
                return bytes(answer[:most_bytes]), True
        return bytes(answer), False


async def _open(
    guard: Guard, vetted: Vetted, port: int, tls: ssl.SSLContext | None, server_name: str | None
) -> Dialled:
    failed: OSError | None = None
    for address in vetted.addresses[:4]:
        literal, real_port = guard.target(address, port)
        await guard.turn(vetted.host, literal)
        try:
            reader, writer = await asyncio.open_connection(
                literal, real_port, ssl=tls, server_hostname=(server_name or vetted.host) if tls else None
            )
        except ssl.SSLError:
            raise
        except OSError as error:
            failed = failed or error
            continue
        if writer.get_extra_info("peername")[0] != literal:
            writer.transport.abort()
            raise EgressError(Reason.ADDRESS, f"the socket reached another address than {literal}")
        return Dialled(vetted.host, literal, port, reader, writer)
    raise failed or OSError("no address")


def tls_reason(error: ssl.SSLError) -> Reason:
    """Distinguish a handshake that was refused or answered without TLS from a dropped one, which proves nothing."""
    is_hung_up = isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError)
    return Reason.CLOSED if is_hung_up else Reason.TLS_FAILED


def _reason(error: OSError) -> Reason:
    if isinstance(error, ConnectionRefusedError):
        return Reason.CONNECT_REFUSED
    if isinstance(error, ConnectionResetError | BrokenPipeError | ConnectionAbortedError):
        return Reason.CLOSED
    return Reason.CONNECT_FAILED
