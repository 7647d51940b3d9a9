"""Names of makers and products, in the form in which they are compared."""


def plain(name: str) -> str:
    """Return letters and digits in lower case, with single blanks for all else."""
    return " ".join("".join(c if c.isalnum() else " " for c in name.casefold()).split())
