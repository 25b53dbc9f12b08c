"""Real container engines for the tests: Docker and Podman, each in namespaces of its own, with one image.

An engine lives in new network, mount and process namespaces. What it writes is in memory there and goes with its last process,
and that one goes with the thread that made it, however that ends; of a test that was killed only a folder and empty control
groups are left, and the next engine removes the latter. `./dev` gets the programs into build/tools/engines; nothing of them is
installed.

    with Docker(folder) as docker:
        docker("run", "-d", "--name", "redis", IMAGE)
        docker.enter()   # from here on this process and what it starts are in the engine's network namespace
"""
import contextlib
import ctypes
import functools
import http.client
import io
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tarfile
import time

from support.namespaces import CLONE_NEWNET
from support.process import die_with_parent, libc
from support.programs import project
from support.unix_http import UnixConnection

IMAGE = "redis:test"
REDIS_VERSION = "7.0.15"
PATIENCE = 60  # seconds for the engine; a busy machine is slow
PREFIX = "nftlink-engine-"

engines = project / "build" / "tools" / "engines"
cgroup_root = pathlib.Path("/sys/fs/cgroup")
search_path = os.pathsep.join([*(str(engines / folder) for folder in ("usr/bin", "usr/sbin", "bin")),
                               os.environ.get("PATH", "/usr/bin:/bin"), "/usr/sbin:/sbin"])

# The engine's namespaces: what it writes anywhere is in memory, and nobody else's; no AppArmor (a profile would be the
# host's); and none of its packets is filtered unless a bridge asks for it. The first process only waits, and reaps.
FIRST_PROCESS = """
set -e
mount -t tmpfs -o mode=755 engine "$1/data"
for path in etc opt var/lib; do
  mkdir -p "$1/data/host/$path" "$1/data/work/$path"
  mount -t overlay -o "lowerdir=/$path,upperdir=$1/data/host/$path,workdir=$1/data/work/$path" engine "/$path"
done
for path in /run /dev/shm; do
  mount -t tmpfs -o mode=755 engine "$path"
done
mkdir -p /run/cdi
mount --bind "$1/cdi" /run/cdi
[ ! -d /sys/kernel/security ] || mount -t tmpfs -o ro none /sys/kernel/security
ip link set lo up
for switch in ip ip6 arp; do
  [ ! -e /proc/sys/net/bridge/bridge-nf-call-${switch}tables ] || echo 0 >/proc/sys/net/bridge/bridge-nf-call-${switch}tables
done
touch "$1/ready"
exec tini -s -- sleep infinity
"""


def find(name):
    # Debian has redis' server in redis-tools too, as redis-check-rdb: it is what it is called by.
    names = (name, "redis-check-rdb") if name == "redis-server" else (name,)
    return next(filter(None, (shutil.which(each, path=search_path) for each in names)), None)


def why_not(*programs):
    """Why no engine can run here; empty when one can. Names of programs: of those alone."""
    if os.geteuid() != 0:
        return "container engines need root"
    for name in (*(programs or ("dockerd", "podman")), "tini", "redis-server", "busybox", "unshare", "nsenter"):
        if find(name) is None:
            return f"{name} is missing: ./dev test fetches what is needed"
    hierarchies = [path for path in (cgroup_root, *cgroup_root.glob("*")) if (path / "cgroup.procs").exists()]
    if not hierarchies:
        return f"no control groups are mounted on {cgroup_root}"
    for path in hierarchies:
        probe = path / f"{PREFIX}probe-{os.getpid()}"
        try:
            probe.mkdir()
            probe.rmdir()
        except OSError as error:
            return f"no control groups can be made in {path}: {error.strerror}"
    done = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "mount", "-t", "tmpfs", "none",
                           "/mnt"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    return "" if done.returncode == 0 else f"no namespaces can be made: {done.stderr.strip()}"


def add_file(archive, name, content, mode=0o644):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


def libraries(programs):
    lines = subprocess.run(["ldd", *programs], capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    return sorted(set(re.findall(r"(?:=> |^\t)(/\S+)", lines, re.MULTILINE)))


@functools.cache
def image_archive():
    """The image's files: busybox, redis and the libraries that it needs. Kept below the build folder."""
    path = engines / "redis.tar"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(f".{os.getpid()}")
    redis = {name: os.path.realpath(find(name)) for name in ("redis-server", "redis-cli")}
    busybox = pathlib.Path(find("busybox"))
    applets = subprocess.run([busybox, "--list"], capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    with tarfile.open(new, "w") as archive:
        for folder, mode in (("tmp", 0o1777), ("data", 0o755), ("etc", 0o755), ("var/run", 0o755)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            archive.addfile(entry)
        add_file(archive, "etc/passwd", b"root:x:0:0:root:/:/bin/sh\n")
        add_file(archive, "bin/busybox", busybox.read_bytes(), 0o755)
        for applet in set(applets.split()) - {"busybox"}:
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(entry)
        for name, file in redis.items():
            add_file(archive, f"usr/bin/{name}", pathlib.Path(file).read_bytes(), 0o755)
        for file in libraries(redis.values()):
            add_file(archive, file.lstrip("/"), pathlib.Path(file).read_bytes(), 0o755)
    new.rename(path)
    return path


IMAGE_CONFIGURATION = ["EXPOSE 6379/tcp", f"ENV REDIS_VERSION={REDIS_VERSION}",
                       "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "WORKDIR /data",
                       'CMD ["redis-server", "--protected-mode", "no", "--save", ""]']


def control_groups(name):
    """Those of that name in every hierarchy."""
    return [*cgroup_root.glob(name), *cgroup_root.glob(f"*/{name}")]


def thaw(name):
    """A paused container can't even be killed."""
    for top in control_groups(name):
        for file, word in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
            for path in top.rglob(file):
                with contextlib.suppress(OSError):  # it may have gone meanwhile
                    path.write_text(word)


def remove_control_groups(name):
    """From the leaves up; their processes have ended, or are about to."""
    thaw(name)
    deadline = time.monotonic() + 5
    for top in control_groups(name):
        for folder, _, _ in os.walk(top, topdown=False):
            while True:
                try:
                    os.rmdir(folder)
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        return
                    time.sleep(0.01)


def remove_remains():
    """What tests that were killed have left."""
    names = {path.name for pattern in (f"{PREFIX}[0-9]*", f"*/{PREFIX}[0-9]*") for path in cgroup_root.glob(pattern)}
    for name in names:
        if not os.path.exists(f"/proc/{name.removeprefix(PREFIX).partition('-')[0]}"):
            remove_control_groups(name)


class Engine:
    """What Docker and Podman have in common. The engine runs from entering the context to leaving it."""

    number = 0

    def __init__(self, folder, options=()):
        Engine.number += 1
        self.name = f"{PREFIX}{os.getpid()}-{Engine.number}"
        self.folder = pathlib.Path(folder) / self.name
        self.options = list(options)
        self.socket = self.folder / "engine.sock"
        self.log_file = self.folder / "log"
        self.cdi = self.folder / "cdi"  # what is /run/cdi for the engine
        self.holder = self.daemon = self.daemon_id = self.first = None

    def __enter__(self):
        with contextlib.ExitStack() as endings:
            endings.callback(self.close)
            remove_remains()
            for name in ("data", "cdi"):
                (self.folder / name).mkdir(parents=True)
            self.make_namespaces()
            self.start()
            self.import_image()
            endings.pop_all()
        return self

    def __exit__(self, *_):
        self.close()

    def make_namespaces(self):
        command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c",
                   FIRST_PROCESS, "sh", self.folder]
        with open(self.log_file, "ab") as log:
            self.holder = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment(),
                                            preexec_fn=die_with_parent)
        self.wait(lambda: (self.folder / "ready").exists(), self.holder)
        self.first = int(pathlib.Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text())

    def environment(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "CONTAINER"))}
        return kept | {"PATH": search_path, "HOME": str(self.folder)}

    def inside(self, *command):
        """The command, to be run in the engine's namespaces."""
        return ["nsenter", f"--target={self.first}", "--net", "--mount", "--pid", *map(str, command)]

    def wait(self, check, process):
        deadline = time.monotonic() + PATIENCE
        while not check():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not start:\n{self.log()}")
            time.sleep(0.01)

    def start(self):
        """Starts the daemon; back when it answers."""
        self.socket.unlink(missing_ok=True)
        with open(self.log_file, "ab") as log:
            self.daemon = subprocess.Popen(self.inside(*self.daemon_command()), stdin=subprocess.DEVNULL, stdout=log,
                                           stderr=log, env=self.environment(), cwd="/", preexec_fn=die_with_parent)
        self.wait(self.answers, self.daemon)
        # nsenter waits for the daemon, its only child.
        self.daemon_id = int(pathlib.Path(f"/proc/{self.daemon.pid}/task/{self.daemon.pid}/children").read_text())

    def answers(self):
        try:
            return self.ask("/_ping", raw=True) == b"OK"
        except (OSError, http.client.HTTPException):
            return False

    def end(self, number):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.daemon_id, number)
        try:
            self.daemon.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            raise

    def stop(self):
        """Ends the daemon as systemd does."""
        self.end(signal.SIGTERM)

    def kill(self):
        """Ends the daemon at once; the containers go on."""
        self.end(signal.SIGKILL)

    def restart(self):
        self.stop()
        self.start()

    def close(self):
        """Ends everything, also what the daemon has lost hold of: with their first process go all others."""
        if self.first is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.first, signal.SIGKILL)
            thaw(self.name)
        for process in (self.holder, self.daemon):
            if process is not None:
                if self.first is None:
                    process.kill()
                process.wait(PATIENCE)
        self.first = None
        remove_control_groups(self.name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def enter(self):
        """Puts this process into the engine's network namespace."""
        with open(f"/proc/{self.first}/ns/net", "rb") as namespace:
            if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def log(self):
        return self.log_file.read_text(errors="replace")

    def ask(self, path, method="GET", body=None, raw=False):
        """What the API answers, as a record."""
        with contextlib.closing(UnixConnection(self.socket, PATIENCE)) as connection:
            connection.request(method, path, body if body is None else json.dumps(body),
                               {} if body is None else {"Content-Type": "application/json"})
            response = connection.getresponse()
            content = response.read()
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {response.status} {content.decode(errors='replace')}")
        return content if raw else json.loads(content) if content.strip() else None

    def __call__(self, *words, status=0, timeout=PATIENCE):
        """Runs the client; what it prints."""
        command = [str(word) for word in self.client_command(*words)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
                              env=self.environment(), cwd="/", check=False)
        shown = " ".join(map(str, words))
        if status is not None and done.returncode != status:
            raise AssertionError(f"{shown}: status {done.returncode}, not {status}\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def import_image(self):
        changes = [word for line in IMAGE_CONFIGURATION for word in ("--change", line)]
        self("import", *changes, image_archive(), IMAGE)

    def inspect(self, container):
        return self.ask(f"/containers/{container}/json")

    def addresses(self, container):
        """IPv4 by network."""
        networks = self.inspect(container)["NetworkSettings"]["Networks"]
        return {name: endpoint["IPAddress"] for name, endpoint in networks.items()}

    def pings(self, container, address, port=6379, seconds=1):
        """Whether redis answers there, asked from within the container."""
        script = f"printf 'PING\\r\\n' | timeout {seconds} nc {address} {port} | head -n 1"
        return self("exec", container, "sh", "-c", script, status=None) == "+PONG"


class Docker(Engine):
    """Docker Engine without iptables, as issue and seed have it."""

    def daemon_command(self):
        data = self.folder / "data"
        return [find("dockerd"), "--config-file", data / "daemon.json", "--data-root", data / "root", "--exec-root",
                data / "exec", "--pidfile", data / "dockerd.pid", "--host", f"unix://{self.socket}", "--group", "root",
                "--iptables=false", "--ip6tables=false", "--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent",
                f"/{self.name}", "--storage-driver", "overlay2", *self.options]

    def start(self):
        # A daemon that was killed leaves its id, and another process may have that by now.
        for name in ("dockerd.pid", "exec/containerd/containerd.pid"):
            pathlib.Path(f"/proc/{self.first}/root{self.folder}/data/{name}").unlink(missing_ok=True)
        configuration = pathlib.Path(f"/proc/{self.first}/root{self.folder}/data/daemon.json")
        configuration.write_text("{}")
        super().start()

    def client_command(self, *words):
        return [find("docker"), "--host", f"unix://{self.socket}", *words]


class Podman(Engine):
    """Podman's service, and its own client, which works without it."""

    def global_options(self):
        data = self.folder / "data"  # but Podman wants a runroot of no more than 50 characters
        return ["--root", data / "root", "--runroot", "/run/engine", "--tmpdir", "/run/engine-tmp",
                "--cgroup-manager", "cgroupfs", "--events-backend", "file", "--storage-driver", "overlay",
                "--network-config-dir", data / "networks", *self.options]

    def make_namespaces(self):
        super().make_namespaces()
        (self.folder / ".config" / "containers").mkdir(parents=True)
        (self.folder / ".config" / "containers" / "policy.json").write_text(
            json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))
        (self.folder / "containers.conf").write_text(f"""
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
[network]
network_backend = "netavark"
[engine]
runtime = "runc"
conmon_path = ["{find('conmon')}"]
helper_binaries_dir = ["{engines}/usr/lib/podman", "/usr/lib/podman", "/usr/libexec/podman"]
cgroup_manager = "cgroupfs"
events_logger = "file"
[engine.runtimes]
runc = ["{find('runc')}"]
""")
        (self.folder / "registries.conf").write_text("")

    def environment(self):
        return super().environment() | {"CONTAINERS_CONF": str(self.folder / "containers.conf"),
                                        "CONTAINERS_REGISTRIES_CONF": str(self.folder / "registries.conf")}

    def daemon_command(self):
        return [find("podman"), *self.global_options(), "system", "service", "--time", "0", f"unix://{self.socket}"]

    def client_command(self, *words):
        verb, *others = words
        group = ["--cgroup-parent", f"/{self.name}"] if verb in ("run", "create") else []
        return self.inside(find("podman"), *self.global_options(), verb, *group, *others)
