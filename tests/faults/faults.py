"""Runs the command with one operation of the system made to fail, or killed at it, and checks what is left.

For each job a clean run is traced first; it says how often which call is made on which file. Then each call fails at
its n-th time, once or for ever. strace counts calls in each thread by itself, so a fault may come once in each.

The rules, by the file that the fault was on (strace's log says which, and must say that it was injected at all):
- A file of the job: exit code 5 and one line that names the file and the operation.
- What the job can do without (statistics of the system, tidying, locks): that, or a good end.
- EINTR (once: for ever, everybody would try for ever) and short results: a good end.
- EFAULT of a copy out of a mapping, once or for ever: a good end, by positioned reads.
- EIO, EAGAIN or ETIMEDOUT, once, of a positioned read or write, of the input or of an output, each of which is tried three times: a good end.
- A good end: the output is that of the clean run, byte for byte.
- Any other: the output is what was there before, byte for byte, or absent. Only a report that cannot be written after
  the output got its name leaves a complete output.
- The input is as it was, and no temporary file is left, unless it is `unlink` that fails for ever, or the process was
  killed; then the next run removes it.
"""

import collections
import concurrent.futures
import itertools
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pictures

PROGRAM, WORK = sys.argv[1], Path(sys.argv[2])
FAST = bool(os.environ.get("FAST"))
SEED = int(os.environ.get("SEED", "1"))
BEFORE = b"what was there before"
ROWS, COLS = 70, 60

READS = ["read", "pread64", "readv", "preadv", "preadv2"]
WRITES = ["write", "pwrite64", "writev", "pwritev", "pwritev2", "copy_file_range", "sendfile"]
SYNCS = ["fsync", "fdatasync", "sync_file_range", "msync", "syncfs"]
NAMES = ["rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "mkdir", "mkdirat"]
SIZES = ["ftruncate", "truncate", "fallocate"]
OPENS = ["open", "openat", "openat2", "creat"]
# These must not fail unseen, whatever file of the job they are on.
NEEDED = READS + WRITES + SYNCS + NAMES + SIZES + OPENS
OTHERS = ["close", "unlink", "unlinkat", "rmdir", "stat", "lstat", "fstat", "newfstatat", "statx", "statfs", "fstatfs",
          "flock", "fcntl", "getdents64", "readlink", "lseek", "access", "dup", "mmap", "process_vm_readv"]
CHANGES = WRITES + SYNCS + NAMES + SIZES + ["unlink", "unlinkat"]
WORDS = {**dict.fromkeys(READS, ["read"]), **dict.fromkeys(WRITES, ["write"]), **dict.fromkeys(SYNCS, ["sync"]),
         "fallocate": ["reserve"], **dict.fromkeys(NAMES, ["rename"]), **dict.fromkeys(OPENS, ["open", "create", "sync", "write"])}


def errors_of(call):
    """Kinds of failure, the likeliest first."""
    if call == "fallocate":
        # EOPNOTSUPP: the file system gives no room beforehand.
        return ["ENOSPC", "EIO", "EINTR", "EOPNOTSUPP"]
    if call in WRITES + SIZES:
        return ["ENOSPC", "EIO", "EINTR"]
    if call == "renameat2":
        # EINVAL: the file system cannot swap names, or keep one from being replaced; renaming must do.
        return ["EIO", "EINVAL", "ENOSPC", "EINTR"]
    if call in NAMES + SYNCS:
        return ["EIO", "ENOSPC", "EINTR"]
    if call in OPENS:
        return ["EIO", "ENOSPC", "EINTR", "EMFILE"]
    if call == "mmap":
        return ["ENOMEM"]
    if call == "process_vm_readv":
        # A mapped page that the device does not give.
        return ["EFAULT", "EINTR"]
    if call == "pread64":
        return ["EIO", "EAGAIN", "ETIMEDOUT", "EINTR"]
    return ["EIO", "EINTR"] if call in READS else ["EIO"]


class Job:
    """A command in a folder: its words, and the names that it writes."""

    def __init__(self, name, words, outputs, receipt=None, program=PROGRAM):
        self.name, self.words, self.outputs, self.receipt = name, words.split(), outputs, receipt
        self.clean, self.tally, self.program = {}, {}, program

    def overwrites(self):
        return "--overwrite" in self.words

    def prepare(self, folder):
        folder.mkdir()
        for name, content in INPUTS.items():
            if name in self.words:
                (folder / name).write_bytes(content)
        for name in [*self.outputs, *filter(None, [self.receipt])]:
            if self.overwrites():
                (folder / name).write_bytes(BEFORE)


def convert(name, words, outputs, receipt=None):
    return Job(name, f"{words} --no-sync" if "no sync" in name else words, outputs, receipt)


INPUTS = {
    "in.ppm": pictures.ppm(ROWS, COLS, pictures.pixels(ROWS, COLS)),
    "in.tif": pictures.tiff(ROWS, COLS, [pictures.pixels(ROWS, COLS)]),
    "in-deflate.tif": pictures.tiff(ROWS, COLS, [pictures.pixels(ROWS, COLS)], deflate=True),
    "in-pages.tif": pictures.tiff(ROWS, COLS, [pictures.pixels(ROWS, COLS, turn) for turn in (0, 99)]),
    "in-white.tif": pictures.tiff(ROWS, COLS, [pictures.pixels(ROWS, COLS)[:ROWS * COLS]], white_is_zero=True),
    "in.png": pictures.png(ROWS, COLS, pictures.pixels(ROWS, COLS)),
}
ONE = "--workers 1 --strip-rows 16"
JOBS = [
    convert("convert PNM", f"convert in.ppm -o out.ppm --do invert {ONE} --overwrite", ["out.ppm"]),
    convert("thumbnail", f"thumbnail in-deflate.tif -o out.png --size 24 {ONE} --overwrite", ["out.png"]),
    convert("pyramid", f"convert in.tif -o out.tif --pyramid subifd --tile 32 --compression deflate {ONE}", ["out.tif"]),
    convert("convert PNG, no sync", f"convert in.png -o out.tif --compression zstd {ONE} --overwrite", ["out.tif"]),
    convert("pyramid, 2 workers, receipt", "convert in-deflate.tif -o out.tif --pyramid subifd --tile 32 --strip-rows 16"
            " --workers 2 --overwrite --receipt receipt.json", ["out.tif"], "receipt.json"),
    convert("pages into one", f"convert in-pages.tif -o out.tif --pages 1-2 {ONE}", ["out.tif"]),
    convert("white is 0", f"convert in-white.tif -o out.tif --tile 32 {ONE}", ["out.tif"]),
    convert("mapped", "convert in.tif -o out.png --io mmap --workers 2 --overwrite", ["out.png"]),
    convert("pages into files", f"convert in-pages.tif -o out{{page}}.tif --pages 1-2 {ONE} --overwrite",
            ["out1.tif", "out2.tif"]),
]
numbers = itertools.count()


class Run:
    """What one run left."""

    def __init__(self, job, wrapper=(), environment=None, folder=None, kill_after=None):
        self.job = job
        base = WORK / f"run-{next(numbers)}"
        self.folder, self.log = folder or base, WORK / f"{base.name}.log"
        self.log.mkdir()
        if folder is None:
            job.prepare(self.folder)
        line = [part.replace("LOG", str(self.log)) for part in wrapper] + [job.program, *job.words]
        environment = {**os.environ, **{key: value.replace("LOG", str(self.log))
                                        for key, value in (environment or {}).items()}}
        with open(self.log / "stdout", "wb") as out, open(self.log / "stderr", "wb") as err:
            began = time.monotonic()
            child = subprocess.Popen(line, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                     env=environment)
            if kill_after is not None:
                try:
                    child.wait(kill_after)
                except subprocess.TimeoutExpired:
                    child.kill()
            try:
                self.code = child.wait(60)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                self.code = "hang"
            self.seconds = time.monotonic() - began
        self.stderr = (self.log / "stderr").read_text(errors="replace")
        self.left = {path.name: path.read_bytes() for path in self.folder.iterdir()}

    def traced(self):
        """(thread, call, file, line) in each thread's order. `file` is the last name that the line holds."""
        for log in sorted(self.log.glob("trace.*")):
            for line in log.read_text(errors="replace").splitlines():
                match = re.match(r"(\w+)\(", line)
                if match:
                    yield log.name, match[1], file_of(match[1], line, self.folder), line

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.log, ignore_errors=True)


def file_of(call, line, folder):
    """The file of the job that a line is about, by its last part; `-` for the standard output and error; else None."""
    if call == "mmap":
        match = re.search(r", \d+<([^>]*)>", line)
        return Path(match[1]).name if match and match[1].startswith(f"{folder}/") else None
    match = re.match(r"\w+\((\d+)<([^>]*)>", line)
    if match:
        if match[1] in "12":
            return "-"
        path = match[2]
    else:
        match = re.findall(r'"((?:[^"\\]|\\.)*)"', line)
        if not match:
            return None
        # Relative names are relative to the folder.
        path = os.path.normpath(os.path.join(folder, match[-1]))
    path = path.removesuffix(" (deleted)")
    if path == str(folder):
        return "."
    return Path(path).name if path.startswith(f"{folder}/") else None


def strace(calls, *inject):
    # With --seccomp-bpf injected signals never come.
    line = ["strace", "-ff", "-y", "-qq", *([] if "signal" in str(inject) else ["--seccomp-bpf"]), "-o", "LOG/trace",
            "-e", f"trace={','.join('?' + call for call in calls)}"]
    return line + [word for rule in inject for word in ("-e", f"inject={rule}")]


def problems_left(run, may_leave=False, may_be_new=False, must_be_new=False):
    """What is wrong with the files that a run left."""
    job, wrong = run.job, []
    for name in job.outputs:
        content = run.left.get(name)
        if must_be_new and content != job.clean[name]:
            wrong.append(f"{name} is not the output of a clean run")
        old = content == BEFORE if job.overwrites() else content is None
        if not old and not (may_be_new and content == job.clean[name]):
            wrong.append(f"{name} is neither as before nor" + (" complete" if may_be_new else " absent"))
    if job.receipt:
        content = run.left.get(job.receipt)
        complete = content is not None and content.endswith(b"\n}\n")
        if content not in (None, BEFORE) and not complete:
            wrong.append("the receipt is torn")
        if content is None and job.overwrites():
            wrong.append("the old receipt is lost")
        if must_be_new and not complete:
            wrong.append("there is no receipt")
    for name, content in run.left.items():
        if name in INPUTS and content != INPUTS[name]:
            wrong.append(f"{name} was changed")
        if name not in INPUTS and name not in job.outputs and name != job.receipt and not may_leave:
            wrong.append(f"{name} is left")
    wrong += [f"{name} is gone" for name in INPUTS if name in job.words and name not in run.left]
    return wrong


def problems_after(run):
    """What the next run does not put right."""
    next_run = Run(run.job if run.job.overwrites() or not run.left.keys() & set(run.job.outputs) else
                   Job(run.job.name, " ".join([*run.job.words, "--overwrite"]), run.job.outputs, run.job.receipt),
                   folder=run.folder)
    next_run.job.clean = run.job.clean
    wrong = [] if next_run.code == 0 else [f"the next run ends with {next_run.code}: {next_run.stderr.strip()}"]
    wrong += ["after the next run: " + text for text in problems_left(next_run, may_be_new=True, must_be_new=True)]
    shutil.rmtree(next_run.log)
    return wrong


def check_fault(job, call, error, when):
    """One fault. Gives the verdict on it, and what is wrong."""
    rule = f"{call}:{error if '=' in error else 'error=' + error}:when={when}"
    run = Run(job, strace([call], rule))
    hits = [(hit, file, line) for _, hit, file, line in run.traced() if "(INJECTED)" in line]
    if not hits:
        # The system's own files have other lengths each time, so the last reads of them are not always made.
        verdict = "not reached"
        wrong = problems_left(run, may_be_new=True, must_be_new=True)
        wrong += [] if run.code == 0 else [f"exit code {run.code} without a fault"]
        wrong += [] if call == "read" else ["nothing was injected"]
    else:
        files = [file for _, file, _ in hits]
        ours = [file for file in files if file]
        said = run.stderr.splitlines()
        forever, wrong = when.endswith("+"), []
        retried = call in ("pread64", "pwrite64") and error in ("EIO", "EAGAIN", "ETIMEDOUT") and not forever
        survivable = (error == "EINTR" and not forever) or error in ("EINVAL", "EOPNOTSUPP") or retried
        tidying = call in ("unlink", "unlinkat")
        folder_list = all("O_DIRECTORY" in line for _, file, line in hits if file)
        needed = ours and call in NEEDED and not survivable and not folder_list and error != "EMFILE"
        if "retval" in error and call in READS:
            needed = ours
        # Said to nobody: the standard error is the one that fails.
        silent = any(re.match(r"\w+\(2<", line) for *_, line in hits)
        if not isinstance(run.code, int) or run.code < 0 or run.code in (101, 134):
            wrong.append(f"it crashed: {run.code}")
        if run.code == 0:
            verdict = "survived"
            wrong += problems_left(run, may_leave=tidying and forever, may_be_new=True, must_be_new=True)
            if needed and not (silent and files == ["-"] * len(files)):
                wrong.append("a fault that must be seen was not")
        else:
            verdict = "failed as it must"
            # Of the folder, only the line says for which file it was.
            late = [name for name in files if name != "."] + (said if "." in files else [])
            reports = "-" in files or (job.receipt and any(job.receipt in text for text in late if text))
            several = len(job.outputs) > 1
            wrong += problems_left(run, may_leave=tidying and forever, may_be_new=reports or several)
            if ours:
                allowed = (4, 5) if "retval" in error else (5,)
                if run.code not in allowed:
                    wrong.append(f"exit code {run.code}, not 5")
                if not silent and (len(said) != 1 or not said[0].startswith("plimsoll: ")):
                    wrong.append(f"not one line: {run.stderr!r}")
                names = [n for f in ours for n in names_of(job, f)]
                if not silent and said and not any(name in said[0] for name in names):
                    wrong.append(f"the line names none of {sorted(set(names))}: {said[0]}")
                words = WORDS.get(call)
                if not silent and words and said and not any(word in said[0] for word in words):
                    wrong.append(f"the line does not say {words[0]}: {said[0]}")
            if call == "process_vm_readv" and error == "EFAULT":
                wrong.append(f"a page that is missing was not read: {run.stderr.strip()}")
            if survivable and ours and call in NEEDED:
                wrong.append(f"{error} was not survived: {run.stderr.strip()}")
        if tidying and forever and not wrong:
            wrong += problems_after(run)
    run.remove()
    return verdict, [f"{job.name}: {rule}: {text}" for text in wrong]


def names_of(job, file):
    """How a line may name a file: a temporary file by its output's name."""
    if file == "-":
        return ["the standard output"]
    if file == ".":
        return [*job.outputs, *filter(None, [job.receipt]), " .:", "./"]
    return [file, *(name for name in [*job.outputs, job.receipt] if name and name in file)]


def run_short(job, call, when, forever=False):
    """A run with one call cut short, and how often that was written down."""
    run = Run(job, environment={"LD_PRELOAD": str(WORK / "short.so"), "SHORT_CALL": call, "SHORT_WHEN": str(when),
                                "SHORT_LOG": "LOG/short", **({"SHORT_FOREVER": "1"} if forever else {})})
    log = run.log / "short"
    return run, log.read_text().count("\n") if log.exists() else 0


def count_short(job, call):
    run, count = run_short(job, call, 0)
    run.remove()
    return count


def check_short(job, call, when, forever):
    run, hits = run_short(job, call, when, forever)
    wrong = problems_left(run, may_be_new=True, must_be_new=True)
    wrong += [] if hits else ["nothing was cut short"]
    if run.code != 0:
        wrong.append(f"exit code {run.code}: {run.stderr.strip()}")
    run.remove()
    rule = f"short {call} at {when}{'+' if forever else ''}"
    return ("survived" if hits else "not reached"), [f"{job.name}: {rule}: {text}" for text in wrong]


def check_kill_at(job, call, when):
    run = Run(job, strace([call], f"{call}:signal=KILL:when={when}"))
    hit = run.code in (-signal.SIGKILL, 128 + signal.SIGKILL)
    wrong = [] if hit or call in ("read", "openat") else [f"it was not killed: {run.code}"]
    wrong += problems_left(run, may_leave=True, may_be_new=True)
    wrong += problems_after(run)
    run.remove()
    return ("killed" if hit else "not reached"), [f"{job.name}: kill at {call} {when}: {text}" for text in wrong]


def check_kill_after(job, seconds):
    run = Run(job, kill_after=seconds)
    for _ in range(3):
        if run.code == -signal.SIGKILL:
            break
        # It ended before: what its time was taken from was slower.
        run.remove()
        seconds /= 2
        run = Run(job, kill_after=seconds)
    hit = run.code == -signal.SIGKILL
    wrong = [] if hit or run.code == 0 else [f"exit code {run.code}: {run.stderr.strip()}"]
    wrong += problems_left(run, may_leave=True, may_be_new=True)
    wrong += problems_after(run)
    run.remove()
    return ("killed" if hit else "ended before"), [f"{job.name}: kill after {seconds:.4f} s: {text}" for text in wrong]


def trace(job):
    """The clean run: what the output is, and which calls are made on what."""
    run = Run(job, strace(NEEDED + OTHERS))
    if run.code != 0:
        sys.exit(f"{job.name}: the clean run ends with {run.code}: {run.stderr}")
    job.clean = {name: run.left.get(name) for name in job.outputs}
    if wrong := problems_left(run, may_be_new=True, must_be_new=True):
        sys.exit(f"{job.name}: the clean run: {wrong}")
    if len(job.outputs) == 1 and job.outputs[0] == "out.ppm":
        inverted = bytes(255 - value for value in pictures.pixels(ROWS, COLS))
        assert job.clean["out.ppm"] == pictures.ppm(ROWS, COLS, inverted), "the clean run inverts"
    counts, job.tally = collections.Counter(), collections.defaultdict(dict)
    for thread, call, file, _ in run.traced():
        counts[thread, call] += 1
        number = counts[thread, call]
        job.tally[call][number] = job.tally[call].get(number) or file
    again = Run(job)
    if {name: again.left.get(name) for name in job.outputs} != job.clean:
        sys.exit(f"{job.name}: two clean runs differ")
    run.remove()
    again.remove()


def cases():
    """All that is to be tried: (group, function, arguments)."""
    dice = random.Random(SEED)
    for job in JOBS[:3] if FAST else JOBS:
        for call, numbers in job.tally.items():
            # A few of the system's own files are enough: they are the same for each job.
            every = [number for number, file in numbers.items() if file or (job is JOBS[0] and not FAST)]
            if call == "mmap":
                every = [number for number, file in numbers.items() if file]
            if FAST and len(every) > 6:
                every = sorted({*every[:1], *every[-3:], *dice.sample(every, 3)})
            for number in every:
                for error in errors_of(call)[:1] if FAST else errors_of(call):
                    yield f"{call} {error} once", check_fault, (job, call, error, str(number))
                    if error != "EINTR" and (not FAST or number == every[-1]):
                        yield f"{call} {error} for ever", check_fault, (job, call, error, f"{number}+")
            for error in ("EINTR", "EINVAL"):
                if FAST and error in errors_of(call) and every:
                    yield f"{call} {error} once", check_fault, (job, call, error, str(every[-1]))
            if call in ("pread64", "pwrite64"):
                for number in every[-2:] if FAST else every:
                    yield f"{call} gives 0 bytes", check_fault, (job, call, "retval=0", str(number))
            if call in ("read", "write", "pread64", "pwrite64") and (count := count_short(job, call)):
                for number in [1, count][:count] if FAST else range(1, count + 1):
                    yield f"{call} short once", check_short, (job, call, number, False)
                yield f"{call} short for ever", check_short, (job, call, 1, True)
            if call in CHANGES + ["close", "openat"]:
                for number in every[-3:] if FAST else every:
                    yield f"kill at {call}", check_kill_at, (job, call, number)
        whole = Run(job)
        whole.remove()
        # Some end before they are killed: so many that 200 do not.
        for _ in range(10 if FAST else 500 // len(JOBS)):
            yield "kill at random moments", check_kill_after, (job, dice.uniform(0, whole.seconds))


def control():
    """The faults are real: a call that is not traced gets none, one that is gets it, and the rules see a bad end."""
    job = JOBS[0]
    wrong = []
    none = Run(job, strace(["flock"], "pwrite64:error=EIO:when=1"))
    if any("(INJECTED)" in line for *_, line in none.traced()) or none.code != 0:
        wrong.append("control: a call outside of trace= was injected: the rule for counting is another one")
    real = Run(job, strace(["pwrite64"], "pwrite64:error=EIO:when=1+"))
    if not any("(INJECTED)" in line for *_, line in real.traced()) or real.code != 5:
        wrong.append(f"control: EIO at the first pwrite64 was not injected or not seen: {real.code}")
    # A program that writes its output in place must be found out.
    bad = WORK / "writes-in-place"
    bad.write_text("#!/usr/bin/env python3\nimport os\nout = os.open('out.ppm', os.O_WRONLY | os.O_TRUNC)\n"
                   "os.pwrite(out, b'half', 0)\nopen('rubbish', 'w')\n")
    bad.chmod(0o755)
    careless = Job(job.name, " ".join(job.words), job.outputs, program=str(bad))
    careless.clean = job.clean
    _, found = check_fault(careless, "pwrite64", "EIO", "1")
    for text in ("neither as before", "exit code 1, not 5", "not one line"):
        if not any(text in line for line in found):
            wrong.append(f"control: a program that writes in place is not found out ({text}): {found}")
    _, found = check_fault(careless, "fsync", "EIO", "1")
    for text in ("nothing was injected", "rubbish is left"):
        if not any(text in line for line in found):
            wrong.append(f"control: a fault that never came is not found out ({text}): {found}")
    for run in (none, real):
        run.remove()
    return wrong


def main():
    began = time.monotonic()
    for job in JOBS[:3] if FAST else JOBS:
        trace(job)
    wrong = control()
    table, lock = collections.defaultdict(collections.Counter), threading.Lock()

    def run(case):
        group, function, arguments = case
        verdict, found = function(*arguments)
        with lock:
            table[group][verdict] += 1
            table[group]["WRONG"] += bool(found)
            wrong.extend(found)
            for line in found:
                print(line, flush=True)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(run, cases()))
    verdicts = ["failed as it must", "survived", "killed", "ended before", "not reached", "WRONG"]
    print(f"{'case':32}" + "".join(f"{verdict:>19}" for verdict in verdicts))
    for group in sorted(table):
        print(f"{group:32}" + "".join(f"{table[group][verdict]:19}" for verdict in verdicts))
    total = sum((row for row in table.values()), collections.Counter())
    print(f"{'in all':32}" + "".join(f"{total[verdict]:19}" for verdict in verdicts))
    reached = total["failed as it must"] + total["survived"] + total["killed"]
    if table["kill at random moments"]["killed"] < (8 if FAST else 200):
        wrong.append("too few runs were killed at random moments")
    if total["not reached"] * 20 > reached:
        wrong.append("too many faults were never reached")
    for line in wrong:
        print(f"WRONG: {line}")
    print(f"faults: {sum(map(bool, wrong))} wrong of {reached} faults in {time.monotonic() - began:.0f} s (SEED={SEED})")
    sys.exit(bool(wrong))


main()
