#!/usr/bin/env python3
"""worker.test.py WORKER TROUPE: two workers form a cluster, answer through a pool, and leave in order."""
import re
import signal
import subprocess
import sys

WAIT_SECONDS = 60


def start(worker, name, *more):
    process = subprocess.Popen([worker, "--name", name, "--listen", "tcp://127.0.0.1:0", *more],
                               stdout=subprocess.PIPE, text=True)
    found = re.search(r"listens at (\S+)", process.stdout.readline())
    if found is None:
        process.kill()
        sys.exit(f"{name} did not start")
    return process, found.group(1)


def main():
    worker, troupe = sys.argv[1:]
    processes = []

    def run(*words):
        done = subprocess.run([troupe, "-s", address, *words], stdout=subprocess.PIPE, text=True,
                              timeout=WAIT_SECONDS)
        if done.returncode != 0:
            raise AssertionError(f"troupe {' '.join(words)}: exit code {done.returncode}")
        return done.stdout.strip()

    try:
        first, address = start(worker, "w1")
        processes.append(first)
        processes.append(start(worker, "w2", "--seeds", address)[0])
        run("wait", "--for", "nodes=2")
        run("spawn", "prime_pool", "--name", "primes")
        counted = run("ask", "primes", "CountPrimes", '{"from": 0, "to": 100}')
        assert counted == "25", counted
        for process in reversed(processes):
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=WAIT_SECONDS)
            assert code == 0, f"a worker left with exit code {code}"
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()


main()
