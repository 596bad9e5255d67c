"""Finds the Python libraries that the commands need, and installs what is missing into a folder of Rung's own."""

import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VERSIONS = {"matplotlib": "matplotlib>=3.6,<4", "weasyprint": "weasyprint>=57,<70"}


def folder_of(module):
    """Returns the folder that a module is installed into, with the libraries that it needs."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Path(cache) / "rung" / "python" / f"{module}-{version}"


def refusal(module, what, reason):
    """Returns the one sentence for a library that cannot be had."""
    return (f"{what} needs the Python library {module}, and {reason}; install it with `apt-get install "
            f"{'weasyprint' if module == 'weasyprint' else 'python3-' + module}` or `python3 -m pip install {module}`")


def install(module, what):
    """Installs a module with pip into a temporary folder, and renames the folder when it is complete. If another
    command does the same at the same time, the first one wins."""
    target = folder_of(module)
    print(f"rung: installing {module} into {target}", file=sys.stderr, flush=True)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = tempfile.mkdtemp(prefix=".installing-", dir=target.parent)
    except OSError as error:
        raise SystemExit("rung: " + refusal(module, what, f"{target.parent} cannot be written ({error.strerror})")) from None
    try:
        done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target",
                               temporary, VERSIONS.get(module, module)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
            raise SystemExit("rung: " + refusal(module, what, f"pip could not install it ({lines[-1] if lines else 'no reason given'})"))
        try:
            os.rename(temporary, target)
        except OSError:  # another command was faster
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def need(module, what):
    """Imports a module that `what` (such as "drawing") needs. If it is missing, installs it, unless RUNG_NO_INSTALL is
    set. Ends the program with one sentence if this is not possible."""
    def imported():
        importlib.invalidate_caches()
        return importlib.import_module(module)

    try:
        return imported()
    except (ImportError, OSError):  # OSError: WeasyPrint without the system's library Pango
        pass
    target = folder_of(module)
    if not target.is_dir():
        if os.environ.get("RUNG_NO_INSTALL", "0") not in ("", "0"):
            raise SystemExit("rung: " + refusal(module, what, "RUNG_NO_INSTALL is set"))
        install(module, what)
    sys.path.append(str(target))  # behind the system's own libraries
    try:
        return imported()
    except (ImportError, OSError) as error:
        raise SystemExit("rung: " + refusal(module, what, f"it cannot be loaded ({str(error).splitlines()[0]})")) from None
