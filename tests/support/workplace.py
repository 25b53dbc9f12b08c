"""One case's folder, and nftlink called with the configuration in it."""
import json
import pathlib

from support import programs
from support.process import run


class Workplace:
    def __init__(self, folder, endings):
        self.endings = endings  # an ExitStack: what the case has started, to be ended with it, however it ends
        self.folder = pathlib.Path(folder)
        self.file = self.folder / "nftlink.yaml"

    def write(self, text, name="nftlink.yaml"):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def nftlink(self, verb, *words, status=0, env=None):
        return run(programs.nftlink, verb, "-c", self.file, *words, status=status, env=env)

    def record(self, verb, *words, status=0):
        """What --json prints: one record and nothing else."""
        done = self.nftlink(verb, "--json", *words, status=status)
        assert done.stderr == "", done.stderr
        record = json.loads(done.stdout)
        assert record["schema"] == 1 and record["ok"] is (status in (0, 2)), record
        return record
