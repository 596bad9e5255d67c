#!/usr/bin/env python3
"""Runs a build and shows how far it is, with an estimate of the time that is left.

On a terminal one line is redrawn; elsewhere a line is printed every 15 seconds. What the compiler says (a warning, an
error) is printed as it comes. Nothing is printed when there is nothing to build. The exit status is the build's.

Run as:  build_progress.py BUILD LOG WHAT TARGET...     WHAT is said at the start, as in "the program rung"
         build_progress.py --self-test
"""

import os
import re
import shutil
import subprocess
import sys
import time

STATUS = re.compile(r"^\[(\d+)/(\d+)\] (.*)")
QUIET_SECONDS = 15.0


def duration(seconds):
    """"45 s" or "3 min 20 s"; above a minute in steps of ten seconds, because it is an estimate."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    tens = round(seconds / 10)
    return f"{tens // 6} min {tens % 6 * 10:02d} s"


class Estimate:
    """The time left, from the steps done and the time they took. Without a step done there is no estimate."""

    def __init__(self, now):
        self.start = now

    def left(self, done, total, now):
        if done < 5 or now - self.start < 3:
            return None
        return (now - self.start) * (total - done) / done


class Progress:
    def __init__(self, out, terminal, clock=time.monotonic):
        self.out, self.terminal, self.clock = out, terminal, clock
        self.estimate = Estimate(clock())
        self.told = clock()
        self.line_open = False

    def status(self, done, total, step):
        now = self.clock()
        left = self.estimate.left(done, total, now)
        text = f"[{done}/{total}] {duration(now - self.estimate.start)} gone"
        text += f", about {duration(left)} left" if left is not None and done < total else ""
        if self.terminal:
            width = shutil.get_terminal_size().columns
            self.out.write("\r" + f"{text}: {step}"[: width - 1] + "\x1b[K")
            self.line_open = True
        elif now - self.told >= QUIET_SECONDS:
            self.out.write(f"rung: {text}\n")
            self.told = now
        self.out.flush()

    def message(self, text):
        """A line of the compiler or of the build tool itself."""
        self.close()
        self.out.write(text)
        self.out.flush()

    def close(self):
        if self.line_open:
            self.out.write("\r\x1b[K")
            self.line_open = False
            self.out.flush()


def short(step):
    """"Building CXX object a/CMakeFiles/b.dir/c.cpp.o" as "a/c.cpp"."""
    step = re.sub(r"^Building \w+ object ", "", step)
    return re.sub(r"(?:^|/)CMakeFiles/[^/]+\.dir/", "/", step).removesuffix(".o").lstrip("/")


def follow(lines, progress, log, start):
    """Reads the build's output to its end. `start` is called once, before the first step."""
    begun = False
    for line in lines:
        log.write(line)
        match = STATUS.match(line)
        if match and ("Re-checking globbed directories" in line or "cmake.verify_globs" in line):
            continue
        if match:
            if not begun:
                start()
                begun = True
            progress.status(int(match[1]), int(match[2]), short(match[3]))
        elif not line.startswith("ninja: no work to do") and not line.startswith("ninja: Entering directory"):
            progress.message(line)
    progress.close()


def run(build, log, what, targets):
    jobs = os.environ.get("RUNG_JOBS") or str(os.cpu_count() or 2)
    command = ["cmake", "--build", build, "-j", jobs, "--target", *targets]
    progress = Progress(sys.stderr, sys.stderr.isatty() and os.environ.get("TERM") != "dumb")
    # Ninja's own status, one line per finished step, whatever the caller's environment says.
    environment = {**os.environ, "NINJA_STATUS": "[%f/%t] "}
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, errors="replace", env=environment)
    begin = f"rung: building {what} with {jobs} jobs"
    with open(log, "w", encoding="utf-8") as file:
        try:
            follow(child.stdout, progress, file, lambda: print(begin, file=sys.stderr, flush=True))
        except KeyboardInterrupt:
            progress.close()
            child.wait()
            return 130
    return child.wait()


def self_test():
    import io

    class Clock:
        now = 0.0

        def __call__(self):
            return self.now

    lines = ["[1/40] Re-checking globbed directories...\n"]
    lines += [f"[{i}/40] Building CXX object a/CMakeFiles/b.dir/c{i}.cpp.o\n" for i in range(1, 41)]
    lines.insert(21, "c20.cpp:3: warning: unused\n")

    def slowly(clock):
        for line in lines:
            clock.now += 2
            yield line

    clock, out, log, starts = Clock(), io.StringIO(), io.StringIO(), []
    follow(slowly(clock), Progress(out, False, clock), log, lambda: starts.append(1))
    told = out.getvalue().splitlines()
    assert starts == [1] and log.getvalue() == "".join(lines)
    assert "c20.cpp:3: warning: unused" in told
    assert [line for line in told if "/40]" in line][0] == "rung: [7/40] 16 s gone, about 1 min 20 s left", told
    assert len([line for line in told if "/40]" in line]) == 5, told  # one in 16 of 84 seconds

    clock, out = Clock(), io.StringIO()
    follow(slowly(clock), Progress(out, True, clock), io.StringIO(), lambda: None)
    assert "\r[20/40]" in out.getvalue() and ": a/c20.cpp\x1b[K" in out.getvalue(), out.getvalue()
    assert "\r\x1b[Kc20.cpp:3: warning: unused\n" in out.getvalue()

    starts.clear()
    out = io.StringIO()
    follow(["ninja: no work to do.\n"], Progress(out, True), io.StringIO(), lambda: starts.append(1))
    assert not starts and not out.getvalue()
    print("build_progress.py shows progress, warnings and nothing else")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    if len(sys.argv) < 5:
        print("usage: build_progress.py BUILD LOG WHAT TARGET...", file=sys.stderr)
        return 2
    return run(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])


if __name__ == "__main__":
    sys.exit(main())
