"""What a bench prints: one line for each comparison, with its goal and whether it was met."""

import statistics
from collections.abc import Iterable, Sequence

import msgspec


class Line(msgspec.Struct, frozen=True):
    """One comparison. `goal` is ">= x" or "<= x" on the ratio; empty where the line is there to be read only."""

    scenario: str
    measured: float
    baseline: float
    against: str
    unit: str
    goal: str = ""

    @property
    def ratio(self) -> float:
        return self.measured / self.baseline if self.baseline else 0.0

    @property
    def verdict(self) -> str:
        if not self.goal:
            return ""
        sign, bound = self.goal.split()
        met = self.ratio >= float(bound) if sign == ">=" else self.ratio <= float(bound)
        return "ok" if met else "over"


HEADINGS = ("scenario", "measured", "baseline", "against", "unit", "ratio", "goal", "")


def printed(lines: Iterable[Line]) -> str:
    """Return the lines as a table in Markdown, aligned."""
    rows = [HEADINGS, *(_cells(line) for line in lines)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEADINGS))]
    rows.insert(1, tuple("-" * width for width in widths))
    return "\n".join("| " + " | ".join(_set(row, widths)) + " |" for row in rows)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _cells(line: Line) -> tuple[str, ...]:
    figures = (_figure(line.measured), _figure(line.baseline))
    return (line.scenario, *figures, line.against, line.unit, f"{line.ratio:.2f}", line.goal, line.verdict)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _set(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    numbers = {1, 2, 5}
    return [
        cell.rjust(width) if place in numbers else cell.ljust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
