"""Runs a command in the namespaces of a Docker Engine, which goes with it: beside_docker.py COMMAND..., for example bash."""
import pathlib
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.engine import Docker, why_not  # pylint: disable=wrong-import-position
from support.process import die_with_parent  # pylint: disable=wrong-import-position


def run_beside_docker(command):
    """Runs it in the namespaces of a Docker Engine, which DOCKER_HOST names; its status."""
    if reason := why_not("dockerd"):
        sys.exit(f"no Docker Engine can run here: {reason}")

    def end(*_):
        for number in signals:
            signal.signal(number, signal.SIG_IGN)  # what is cleaned up now is cleaned up to the end
        sys.exit(130)

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in signals:
        signal.signal(number, end)
    with tempfile.TemporaryDirectory(prefix="nftlink-") as folder, Docker(folder) as docker:
        environment = docker.environment() | {"DOCKER_HOST": f"unix://{docker.socket}"}
        return subprocess.run(docker.inside(*command), env=environment, preexec_fn=die_with_parent, check=False).returncode


if __name__ == "__main__":
    sys.exit(run_beside_docker(sys.argv[1:]))
