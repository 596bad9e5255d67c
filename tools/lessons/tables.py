"""Writes into lessons, between two comments that the reader of the page does not see."""


def write_between(lesson, mark, lines):
    """Replaces the lines between <!-- mark --> and the next <!-- end --> of the lesson. Leaves a lesson without the
    mark unchanged. A file tables.md, which a script's --out makes, gets the mark."""
    text = lesson.read_text(encoding="utf-8") if lesson.exists() else ""
    begin = f"<!-- {mark} -->\n"
    if begin not in text:
        if lesson.name != "tables.md":
            return
        text += f"{begin}<!-- end -->\n\n"
    before, rest = text.split(begin, 1)
    after = rest.split("<!-- end -->", 1)[1]
    lesson.write_text(before + begin + "\n".join(lines) + "\n<!-- end -->" + after, encoding="utf-8")
