"""The two load generators: `wrk` over HTTP, and `pgbench` with prepared statements. Neither is Python."""

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_TPS = re.compile(r"tps = ([\d.]+)")
_BAD = re.compile(r"(Non-2xx or 3xx responses: .*|Socket errors: .*)")

# Takes one of the lines of a file for each request; "@" in it becomes a number that was not used before.
_LUA = """
local lines, count = {{}}, {first}
for line in io.lines({file}) do lines[#lines + 1] = line end
math.randomseed(7)
wrk.headers["Authorization"] = {authorization}
wrk.headers["Content-Type"] = "application/json"
function request()
    local line = lines[math.random(#lines)]
    if {method} == "GET" then return wrk.format("GET", line) end
    count = count + 1
    return wrk.format("POST", {path}, nil, (line:gsub("@", tostring(count))))
end
"""


class MissingToolError(Exception):
    """A program that the bench needs is not installed; the message says how to get it."""


class Wrk:
    """Drives one server; `folder` takes the files of requests."""

    def __init__(self, folder: Path, *, connections: int = 8, key: str = "") -> None:
        found = shutil.which("wrk")
        if found is None:
            raise MissingToolError("wrk is missing: apt-get install -y wrk")
        self._program, self._folder, self._connections, self._key = found, folder, connections, key
        self._sent = 0

    def gets(self, port: int, paths: Sequence[str], seconds: float) -> float:
        """Return how many GETs a second are answered, each of a path taken at random."""
        return self._run(port, "GET", "/", paths, seconds)

    def posts(self, port: int, path: str, bodies: Sequence[str], seconds: float) -> float:
        """Return how many POSTs a second are answered; "@" in a body becomes a number that was not used before."""
        return self._run(port, "POST", path, bodies, seconds)

    def _run(self, port: int, method: str, path: str, lines: Sequence[str], seconds: float) -> float:
        file, script = self._folder / "wrk-lines", self._folder / "wrk.lua"
        file.write_text("\n".join(lines))
        self._sent += 10_000_000
        values = {"file": str(file), "method": method, "path": path, "authorization": f"Bearer {self._key}"}
        script.write_text(_LUA.format(first=self._sent, **{k: json.dumps(v) for k, v in values.items()}))
        address = f"http://127.0.0.1:{port}"
        command = [
            self._program,
            "-t1",
            f"-c{self._connections}",
            f"-d{seconds:.0f}s",
            "--timeout",
            "30s",
            "-s",
            str(script),
            address,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 60)
        bad = _BAD.search(done.stdout)
        if done.returncode or bad:
            raise RuntimeError(f"{method} {path} {lines[0][:200]}: {done.stderr or (bad and bad[1])}")
        rate = _RATE.search(done.stdout)
        assert rate is not None, done.stdout
        return float(rate[1])


class Pgbench:
    """Drives Postgres itself, with four clients that speak prepared statements."""

    def __init__(self, program: Path, folder: Path, url: str) -> None:
        self._program, self._folder, self._url = program, folder, url

    def runs(self, scripts: Sequence[str], seconds: float, *, clients: int = 4) -> float:
        """Return how many times a second the scripts run, each time one of them by chance."""
        command = [str(self._program), "-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-T", f"{seconds:.0f}"]
        for number, script in enumerate(scripts):
            file = self._folder / f"pgbench-{number}.sql"
            file.write_text(script)
            command += ["-f", str(file)]
        command.append(self._url)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 60)
        if done.returncode != 0 or "aborted" in done.stderr:
            raise RuntimeError(f"pgbench: {done.stderr[-500:]}")
        return float(_TPS.search(done.stdout)[1])  # type: ignore[index] # pgbench always tells its rate


def inlined(sql: str, *values: str) -> str:
    """Put texts in the place of $1, $2, …: pgbench has variables, and makes parameters of them itself."""
    for number in range(len(values), 0, -1):
        sql = re.sub(rf"\${number}\b", lambda _match, value=values[number - 1]: value, sql)  # type: ignore[misc]  # mypy cannot infer a lambda with a default
    assert not re.search(r"\$\d", sql), f"a parameter has no text: {sql}"
    return re.sub(r"--.*", "", sql).replace("\n", " ") + ";\n"
