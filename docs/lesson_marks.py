"""Where scripts write into lessons: between a mark of their own and the next end mark."""


def write_between(lesson, mark, lines):
    """Replaces what stands between <!-- mark --> and the next <!-- end --> of the lesson; does nothing where there is no mark."""
    text = lesson.read_text()
    begin = f"<!-- {mark} -->\n"
    if begin not in text:
        return
    before, rest = text.split(begin, 1)
    lesson.write_text(before + begin + "\n".join(lines) + "\n<!-- end -->" + rest.split("<!-- end -->", 1)[1])
