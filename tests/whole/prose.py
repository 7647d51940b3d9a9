"""The prose of the repository, sentence by sentence, and which sentences are hard to read.

`python -m tests.whole.prose` prints the measures of every part. With parts as arguments it prints their offenders.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "vendorrisk"
DOCUMENTS = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part == "node_modules" for part in path.relative_to(ROOT).parts)
)
_MADE_UP = {"lab"}
"""Packages whose strings are pages of a made-up internet, written as a stranger would."""

_MOST_ONE_STRING = 4  # words; below this a string or comment is a label

BANNED = re.compile(
    r"\b(?:mend(?:s|ed|ing)?|anew|told|untold|whither|astray|likest|likeness(?:es)?|graver|gravest|regraded?|judges?"
    r"|judgements?|judg(?:ed|ing)|settlements?|unseen|doubled|happenings?|whereof|thereof|besought|hither|betimes)\b",
    re.IGNORECASE,
)
"""Words that the vocabulary retired and that have no other sense here."""

_BARE = re.compile(r"\b(?:what|whoever|whom|whose)\b(?! (?:is|does|do|are) the\b)", re.IGNORECASE)
_BEGINS = re.compile(r"^(?:Of|What|Whatever|Whoever|Whom|Nor)\b")
_CODE = re.compile(r"``[^`]*``|`[^`]*`|https?://\S+|“[^”]*”")
_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+(?=[A-Z(*])")


class Sentence(NamedTuple):
    where: str
    """File and line where the text begins."""
    text: str

    @property
    def is_bare(self) -> bool:
        """Return True if it leans on a what, whoever, whom or whose instead of a noun. A question may."""
        return bool(_BARE.search(self.text)) and not self.text.endswith("?")

    @property
    def is_joined(self) -> bool:
        """Return True if a semicolon joins two thoughts."""
        return ";" in self.text

    @property
    def begins_badly(self) -> bool:
        """Return True if its subject comes late."""
        return bool(_BEGINS.match(self.text)) and not self.text.endswith("?")

    @property
    def banned(self) -> bool:
        return bool(BANNED.search(self.text))


class Measure(NamedTuple):
    """What one part of the prose holds: percentages of its sentences, and counts."""

    bare: float
    joined: float
    begins_badly: int
    banned: int


def measure(sentences: list[Sentence]) -> Measure:
    return Measure(
        bare=100 * sum(one.is_bare for one in sentences) / len(sentences),
        joined=100 * sum(one.is_joined for one in sentences) / len(sentences),
        begins_badly=sum(one.begins_badly for one in sentences),
        banned=sum(one.banned for one in sentences),
    )


def parts() -> dict[str, list[Sentence]]:
    """Return the sentences of each package, of `sql/queries`, and of each document."""
    found: dict[str, list[Sentence]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE).parts
        part = inside[0] if len(inside) > 1 else "vendorrisk"
        found.setdefault(part, []).extend(_of_python(path, part))
    for path in sorted((ROOT / "sql" / "queries").glob("*.sql")):
        found.setdefault("sql/queries", []).extend(_of_sql(path))
    for path in DOCUMENTS:
        found[path.relative_to(ROOT).as_posix()] = list(_of_document(path))
    return {part: sentences for part, sentences in found.items() if sentences}


def _of_python(path: Path, part: str) -> Iterator[Sentence]:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inside_f_strings = {id(one) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for one in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside_f_strings:
            if id(node) in docstrings or (part not in _MADE_UP and _is_prose(node.value)):
                yield from sentences_of(_at(path, node.lineno), node.value)
        elif isinstance(node, ast.JoinedStr):
            text = "".join(str(one.value) if isinstance(one, ast.Constant) else "X" for one in node.values)
            if part not in _MADE_UP and _is_prose(text):
                yield from sentences_of(_at(path, node.lineno), text)
    yield from _of_comments(path, source)


def _is_prose(text: str) -> bool:
    """Return True if a string is written for people: it begins with a capital and is no pattern."""
    return bool(re.match(r"[A-Z][\w,'-]* ", text)) and not re.search(r"\\[sdbwn]|\(\?|[{}<>|]", text)


def _of_comments(path: Path, source: str) -> Iterator[Sentence]:
    block: list[str] = []
    begun = last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        line = re.sub(r"\b(?:noqa|type: ignore|pragma)\S*(?: [A-Z0-9, ]+ -)?", "", token.string.lstrip("# "))
        if token.start[0] != last + 1 or token.line.strip()[0] != "#":
            yield from sentences_of(_at(path, begun), " ".join(block))
            block, begun = [], token.start[0]
        block.append(line)
        last = token.start[0]
    yield from sentences_of(_at(path, begun), " ".join(block))


def _of_sql(path: Path) -> Iterator[Sentence]:
    block: list[str] = []
    begun = 0
    for number, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), ""], 1):
        comment = re.match(r"\s*--(?! ?name:)\s?(.*)", line)
        if comment is None:
            yield from sentences_of(_at(path, begun), " ".join(block))
            block = []
            continue
        begun = begun if block else number
        block.append(comment[1])


def _of_document(path: Path) -> Iterator[Sentence]:
    source = path.read_text(encoding="utf-8")
    text = re.sub(r"```.*?```", lambda code: "\n" * code[0].count("\n"), source, flags=re.DOTALL)
    paragraph: list[str] = []
    begun = 0
    for number, line in enumerate([*text.splitlines(), ""], 1):
        stands_alone = re.match(r"\s*(?:[-*#|>]|\d+\.)\s*", line)
        if stands_alone or not line.strip():
            yield from sentences_of(_at(path, begun), " ".join(paragraph))
            paragraph = []
        begun = begun if paragraph else number
        cells = line.strip().strip("|").split("|") if line.lstrip().startswith("|") else []
        for cell in cells:
            yield from sentences_of(_at(path, number), cell.strip())
        if not cells and line.strip():
            paragraph.append(line[stands_alone.end() :] if stands_alone else line.strip())


def sentences_of(where: str, text: str) -> Iterator[Sentence]:
    """Yield the sentences of a text; an indented line of it is one of its own."""
    clean = re.sub(r"\n\s*\n|\n(?= {2,}\S)(?=.*\S {2,}\S)", "\n\n", text)
    for paragraph in clean.split("\n\n"):
        plain = re.sub(r"\s+", " ", _CODE.sub("X", paragraph)).strip()
        for sentence in _SENTENCE_ENDS.split(plain):
            if len(sentence.split()) >= _MOST_ONE_STRING:
                yield Sentence(where, sentence)


def _at(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT).as_posix()}:{line}"


def offenders(sentences: list[Sentence], only: Sequence[str] = Measure._fields) -> list[str]:
    """Return the hard sentences, each with which measures it counts in; all measures, unless some are named."""
    lines = []
    for one in sentences:
        counted = measure([one])._asdict()
        if why := ",".join(name for name in only if counted[name]):
            lines.append(f"{one.where} [{why}] {one.text}")
    return lines


def main(wanted: list[str]) -> None:
    for part, sentences in parts().items():
        if not wanted:
            found = measure(sentences)
            counts = f"{found.bare:5.1f} {found.joined:5.1f} {found.begins_badly:3} {found.banned:3}"
            print(f"{part:32} {len(sentences):5} {counts}")  # noqa: T201 - a tool for the terminal
        elif part in wanted:
            print("\n".join(offenders(sentences)))  # noqa: T201 - a tool for the terminal


if __name__ == "__main__":
    main(sys.argv[1:])
