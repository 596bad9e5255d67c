"""The files that belong to a source tree: what git tracks or would track; without git, all but build folders."""

import subprocess
from pathlib import Path


def tree_files(tree):
    """Paths relative to `tree`, sorted. Deleted files and submodules are left out."""
    tree = Path(tree).resolve()
    if (tree / ".git").exists():
        command = ["git", "-c", "safe.directory=*", "-C", str(tree), "ls-files", "-z", "--cached", "--others",
                   "--exclude-standard"]
        try:
            listed = subprocess.run(command, check=True, capture_output=True).stdout.decode().split("\0")
            return sorted(Path(p) for p in set(listed) if p and (tree / p).is_file())
        except (OSError, subprocess.CalledProcessError):
            pass

    def skipped(parts):
        return any(p in (".git", "__pycache__") for p in parts) or parts[0].startswith("build") or parts[0] == "out"

    relative = (p.relative_to(tree) for p in tree.rglob("*") if p.is_file())
    return sorted(p for p in relative if not skipped(p.parts))
