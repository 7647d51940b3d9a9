"""What names mean wherever they stand: fields of bodies and responses, and parameters.

A field whose meaning differs has a string of its own (`descriptions`). Each says what the name cannot: unit, range,
format, source, and what null means.
"""

from collections.abc import Mapping

MEANINGS: Mapping[str, str] = {
    "id": "UUID, version 7.",
    "version": "Counts the changes of the record. Its `ETag` is this number in quotes.",
}
"""Field → meaning."""

PARAMETERS: Mapping[str, str] = {
    "vendor_id": "The vendor's id.",
}
"""Parameter → meaning."""
