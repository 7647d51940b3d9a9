"""A feature's part of the machine, so that the rows of a file become its records."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

import msgspec

from vendorrisk.access.permissions import Permission
from vendorrisk.access.work import Work
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.errors import Code, Refusal
from vendorrisk.imports.columns import Layout, ReadRow
from vendorrisk.imports.model import Applied, Import, ImportState

Headings = Mapping[str, str]
"""Field → heading of the file."""

Stage = Callable[[Work, UUID, Sequence[ReadRow], Headings], Awaitable[None]]
Outdated = Callable[[Work, UUID], Awaitable[int]]
Apply = Callable[[Work, Import], Awaitable[Applied]]


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of import.

    `name` is the singular noun of the records, and `plural` its plural. `layout` is the table that a file must hold,
    and `example` is such a file as CSV, for the document.

    `stage` checks a chunk of rows against the records and writes it to `import_rows`, with the outcome of each row. It
    uses one statement for the whole chunk. `problems` has, for each code that the statement writes to `problem_codes`,
    the field and advice for the sender.

    `outdated` counts the rows with a record that changed since the check. `apply` creates and changes the records of
    all rows, in as few statements as possible. `overtaken` is the advice if a record changed since the check.
    """

    name: str
    plural: str
    read: Permission
    write: Permission
    layout: Layout
    example: str
    stage: Stage
    problems: Mapping[str, tuple[str, str]]
    outdated: Outdated
    apply: Apply
    overtaken: str

    @property
    def record(self) -> str:
        """Return the noun of an import of this kind, such as `vendor_import`."""
        return f"{self.name}_import"

    @property
    def path(self) -> str:
        return f"/{self.name}-imports"

    def target(self, import_id: UUID) -> Target:
        return Target(self.record, import_id)

    def action(self, state: ImportState) -> Action:
        """Return the audit action of coming into a state. The closed list has six for each kind."""
        return Action(f"{self.record}:{state}")

    def refused_as_outdated(self) -> Refusal:
        return Refusal(Code.IMPORT_OUTDATED, self.overtaken)


def applied_actions() -> list[Action]:
    """Return the audit actions of applied imports, of every kind that was ever known."""
    return [action for action in Action if action.endswith(f"_import:{ImportState.APPLIED}")]
