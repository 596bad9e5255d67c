"""Reads and writes the raw JSON of a lesson's tables and pictures, which is in the lesson's folder results/."""

import json


def read_json(file, otherwise=None):
    """Returns the content of the file. If there is no such file and `otherwise` is given, returns `otherwise`."""
    if otherwise is not None and not file.is_file():
        return otherwise
    return json.loads(file.read_text(encoding="utf-8"))


def save_rows(file, rows, one_line=False, **head):
    """Writes {**head, "rows": rows} with one row per line, so that a version control system shows which row
    changed. Every entry of the head has its own line too, unless one_line=True. Creates the folder if it is missing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(row) for row in rows)
    end = ", " if one_line else ",\n"
    named = "".join(f"{json.dumps(key)}: {json.dumps(value)}{end}" for key, value in head.items())
    file.write_text(f'{{{named}"rows": [\n{lines}\n]}}\n', encoding="utf-8")
