"""The statements over processes, ticks and the installation."""

from datetime import datetime

from vendorrisk.db.connection import Connection
from vendorrisk.db.queries import QueryFile
from vendorrisk.processes.model import DueDeliveries, Installation, Process, Tick

_sql = QueryFile("processes")
_BEAT = _sql.command("beat")
LEAVE = _sql.command("leave")
FORGET_HOST = _sql.command("forget_host")
LIST = _sql.rows("list_processes", Process)
BEGIN_TICK = _sql.command("begin_tick")
END_TICK = _sql.command("end_tick")
LAST_TICKS = _sql.rows("last_ticks", Tick)
INSTALLATION = _sql.rows("find_installation", Installation)
HOLD = _sql.command("hold_deliveries")
DUE = _sql.rows("measure_deliveries", DueDeliveries)


async def beat(connection: Connection, process: Process, now: datetime) -> None:
    await _BEAT.run(
        connection,
        process.process,
        process.kind,
        process.host,
        process.version,
        process.key_ids,
        process.started_at,
        now,
    )
