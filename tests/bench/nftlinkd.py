"""nftlinkd at work, for the figures that need it whole."""
import glob
import os
import shutil
import socket
import subprocess
import time


class Nftlinkd:
    def __init__(self, nftlinkd, folder, yaml, state):
        self.socket = os.path.join(folder, "control.sock")
        self.state = os.path.join(state, "nftlink-bench-state")
        self.file = os.path.join(folder, "service.yaml")
        with open(self.file, "w", encoding="ascii") as out:
            out.write(f"control: {{socket: {self.socket}}}\nstate: {{directory: {self.state}}}\nlog: {{level: error}}\n{yaml}")
        self.process = subprocess.Popen([nftlinkd, "-c", self.file])
        self.until_ready()

    def until_ready(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(self.socket)
                    client.sendall(b"GET /v1/containers/nobody/env HTTP/1.1\r\nHost: nftlink\r\n\r\n")
                    client.recv(1)
                    return
            except OSError:
                assert self.process.poll() is None, "nftlinkd has ended"
                time.sleep(0.01)
        raise TimeoutError("nftlinkd doesn't answer")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.state, ignore_errors=True)

    def _status(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return dict(line.split(":", 1) for line in file)

    def resident_mib(self):
        return int(self._status()["VmRSS"].split()[0]) / 1024

    def switches(self):
        """How often its threads have slept or been put aside so far."""
        count = 0
        for file in glob.glob(f"/proc/{self.process.pid}/task/*/status"):
            with open(file, encoding="ascii") as lines:
                count += sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)
        return count

    def processor_seconds(self):
        files = glob.glob(f"/proc/{self.process.pid}/task/*/schedstat")
        assert files, "this kernel tells no processor time (CONFIG_SCHED_INFO)"
        used = 0
        for file in files:
            with open(file, encoding="ascii") as line:
                used += int(line.read().split()[0])
        return used / 1e9
