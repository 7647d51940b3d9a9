"""The findings for a person: one line each, as wide as the terminal allows."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vendorrisk.doctor.model import Finding, Level, Report

_COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILURE: "bold red"}


def show(report: Report, console: Console) -> None:
    """Print the findings, and a last line that sums them up. Where no person watches, each stays on its line."""
    if console.is_terminal:
        console.print(_table(report))
    else:
        width = max((len(finding.check) for finding in report.findings), default=0)
        for finding in report.findings:
            line = f"{finding.level.value:7}  {finding.check:{width}}  {_text(finding).plain}"
            console.print(line, soft_wrap=True, markup=False, highlight=False)
    count = {level: sum(f.level is level for f in report.findings) for level in Level}
    said = f"{count[Level.OK]} ok, {count[Level.WARNING]} warnings, {count[Level.FAILURE]} failures"
    console.print(said, highlight=False)


def _table(report: Report) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in report.findings:
        table.add_row(Text(finding.level.value, style=_COLOURS[finding.level]), finding.check, _text(finding))
    return table


def _text(finding: Finding) -> Text:
    text = Text(_one_line(finding.said))
    if finding.todo:
        text.append(f"  → {_one_line(finding.todo)}", style="dim" if finding.level is Level.OK else "bold")
    return text


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
