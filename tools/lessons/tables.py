"""Writes into lessons, between two comments that the reader of the page does not see."""


def write_between(lesson, mark, lines):
    """Replaces the lines between <!-- mark --> and the next <!-- end --> of the lesson. Leaves a lesson without the
    mark unchanged."""
    text = lesson.read_text(encoding="utf-8")
    begin = f"<!-- {mark} -->\n"
    if begin not in text:
        return
    before, rest = text.split(begin, 1)
    after = rest.split("<!-- end -->", 1)[1]
    lesson.write_text(before + begin + "\n".join(lines) + "\n<!-- end -->" + after, encoding="utf-8")
