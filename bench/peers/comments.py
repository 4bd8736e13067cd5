"""Comments from CSV: read, cleaned, written for all peers alike, and split into folds."""

from __future__ import annotations

import csv
import html
import random
import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

VERDICTS = {"0": False, "false": False, "1": True, "true": True}
WITHOUT_TEXT = {"", "[removed]", "[deleted]"}
CODE_POINT = re.compile(r"<[uU]\+([0-9a-fA-F]{1,8})>")
# Only comments that stayed up get a tail that their author added later: it gives the verdict away.
EDIT = re.compile(
    r"^(?:(?!\n)[\W_])*edit(?:ed|s)?(?![^\W_])|(?<![^\W_])edit(?:ed|s)?[ *_)\]\d]*:",
    re.IGNORECASE | re.MULTILINE,
)


class InputError(Exception):
    """A file that can't be used, in a sentence."""


class Comment(NamedTuple):
    body: str
    removed: bool


def decode(cell: str) -> str:
    """The text of a cell that was read as ISO-8859-1: UTF-8, or else windows-1252."""
    stored = cell.encode("ISO-8859-1")
    for encoding in ("utf-8", "cp1252"):
        try:
            return stored.decode(encoding)
        except UnicodeDecodeError:
            continue
    return cell


def character(digits: str) -> str:
    """The character of a code point, where it is one that text can hold."""
    value = int(digits, 16)
    return chr(value) if value < 0x110000 and not 0xD800 <= value < 0xE000 else "\ufffd"


def clean(text: str) -> str:
    """Undoes what transport did: HTML entities, code points in angle brackets, line ends, Markdown's escapes."""
    text = html.unescape(text).replace("\r\n", "\n")
    return CODE_POINT.sub(lambda found: character(found[1]), text).replace("\\", "")


def cut_edits(text: str) -> str:
    """The text without the tail that begins with `Edit:`."""
    found = EDIT.search(text)
    kept = text[: found.start()].rstrip() if found else text
    return kept or text


def read(path: Path) -> tuple[list[Comment], int]:
    """The cleaned comments of a CSV file, and how many were left out because they have no text.

    It needs columns `body` and `removed`, in any case; all others are ignored.
    """
    csv.field_size_limit(1 << 24)
    try:
        with path.open(encoding="ISO-8859-1", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, csv.Error) as error:
        raise InputError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from error
    header = [decode(name).lstrip("\ufeff").strip().lower() for name in rows[0]] if rows else []
    for wanted in ("body", "removed"):
        if wanted not in header:
            columns = ", ".join(name or '""' for name in header) or "none"
            raise InputError(f"{path}: the CSV header has no column `{wanted}`; columns found: {columns}")
    body, removed = header.index("body"), header.index("removed")
    comments, without_text = [], 0
    for number, row in enumerate((row for row in rows[1:] if row), start=1):
        verdict = VERDICTS.get(row[removed].strip().lower()) if len(row) == len(header) else None
        if verdict is None:
            raise InputError(f"{path}: comment {number} has no verdict 0, 1, true or false in column `removed`")
        text = cut_edits(clean(decode(row[body]))).strip()
        if text in WITHOUT_TEXT:
            without_text += 1
        else:
            comments.append(Comment(text, verdict))
    if len({comment.removed for comment in comments}) < 2:
        raise InputError(f"{path}: {len(comments)} comments, not some removed and some not; a comparison needs both")
    return comments, without_text


def write(path: Path, comments: list[Comment]) -> None:
    """Comments as every peer reads them: UTF-8, columns `body` and `removed`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(["body", "removed"])
        writer.writerows((comment.body, int(comment.removed)) for comment in comments)


def load(path: Path) -> list[Comment]:
    """Comments that `write` wrote."""
    csv.field_size_limit(1 << 24)
    with path.open(encoding="utf-8", newline="") as file:
        return [Comment(row["body"], row["removed"] == "1") for row in csv.DictReader(file)]


def folds(comments: list[Comment], count: int, seed: int) -> list[list[Comment]]:
    """Folds with the same share removed in each; comments of equal text are in one fold."""
    groups: dict[str, list[Comment]] = defaultdict(list)
    for comment in comments:
        groups[comment.body].append(comment)
    shuffled = list(groups.values())
    random.Random(seed).shuffle(shuffled)
    # Large groups first: small ones then even the folds out.
    shuffled.sort(key=len, reverse=True)
    parts: list[list[Comment]] = [[] for _ in range(count)]
    filled = {verdict: [0] * count for verdict in (False, True)}
    for group in shuffled:
        verdict = 2 * sum(comment.removed for comment in group) > len(group)
        sizes = filled[verdict]
        fold = sizes.index(min(sizes))
        sizes[fold] += len(group)
        parts[fold].extend(group)
    if any(len({comment.removed for comment in part}) < 2 for part in parts):
        raise InputError(f"{len(comments)} comments are too few for {count} folds with removed and other ones in each")
    return parts
