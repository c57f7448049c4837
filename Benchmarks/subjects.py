"""Those who are measured: Martlet, a process for each measurement; and each peer, a process that stays."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


class Failure(Exception):
    """A subject that cannot do a workload, with its reason."""


class Martlet:
    name = "martlet"

    def __init__(self, program, threads):
        self.program, self.threads = program, threads
        self.folder = tempfile.TemporaryDirectory()
        self.arguments = []

    def prepare(self, workload):
        if workload.sample:
            self.arguments = [workload.sample, "--train", "--batch", str(workload.batch)]
        else:
            self.arguments = [str(workload.write(pathlib.Path(self.folder.name)))]

    def time(self, seconds):
        """The fields of `martlet bench --json`; starting and compiling do not count."""
        command = ["bench", *self.arguments, "--seconds", str(seconds), "--json"]
        return json.loads(self.run(*command, "--threads", str(self.threads)).splitlines()[-1])

    def run(self, *arguments):
        """What the program prints."""
        done = subprocess.run([self.program, *arguments], capture_output=True, text=True)
        if done.returncode != 0:
            reason = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[0]
            raise Failure(f"martlet {arguments[0]}: {reason}")
        return done.stdout

    def close(self):
        self.folder.cleanup()


class Peer:
    """A library in a process of its own."""

    def __init__(self, name, threads):
        self.name = name
        environment = dict(
            os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads), JAX_PLATFORMS="cpu",
            # Freed memory is kept: large results are not mapped anew in each call.
            MALLOC_MMAP_THRESHOLD_=str(1 << 32), MALLOC_TRIM_THRESHOLD_=str(1 << 36), MALLOC_TOP_PAD_=str(1 << 26))
        if threads == 1:
            environment["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "peers" / "worker.py"), name, "--threads", str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, env=environment)

    def prepare(self, workload):
        self.ask("prepare", workload.for_peers())

    def time(self, seconds):
        return self.ask("time", seconds)

    def ask(self, what, *arguments):
        """Has the process do something, and gives its answer."""
        line = ""
        try:
            self.process.stdin.write(json.dumps({"do": what, "with": arguments}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            pass
        if not line:
            self.log.seek(0)
            last = (self.log.read().strip().splitlines() or ["no message"])[-1]
            raise Failure(f"{self.name} ended (status {self.process.wait()}): {last[:200]}")
        answer = json.loads(line)
        if "error" in answer:
            raise Failure(f"{self.name}: {answer['error']}")
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.log.close()
