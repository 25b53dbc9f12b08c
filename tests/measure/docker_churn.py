"""Containers that come and go while the service and the engine are killed: no permission outlives its container.

pytest -s docker_churn.py [--containers N]
"""
import calendar
import concurrent.futures
import threading
import time

from support.docker_service import becomes, connected, docker_and_service, permission, run_idle, run_redis
from support.marks import needs_engine
from support.service import elements

pytestmark = needs_engine("dockerd")

WORKERS = 8
LOOK_INTERVAL = 0.1  # seconds
# What an end may take from Docker's answer to the kernel: it is done in milliseconds, but a busy machine is slow.
GRACE = 0.5


class History:
    """When which address was a linked container's, what the kernel had, and when no service ran."""

    def __init__(self):
        self.lock, self.stop = threading.Lock(), threading.Event()
        self.lives, self.looks, self.downs = [], [], []

    def live(self, address, begin, end):
        with self.lock:
            self.lives.append((address, begin, end))

    def look(self):
        while not self.stop.wait(LOOK_INTERVAL):
            begin = time.time()
            self.looks.append((begin, elements()))

    def is_excused(self, end, when):
        """Whether no service ran that could have ended what was over then."""
        return any(end + GRACE > down and end < up and when <= up + GRACE for down, up in self.downs)

    def lateness(self):
        """Of each permission that was seen although its container had ended: for how long it had, and which it was."""
        for when, keys in self.looks:
            for key in keys:
                lives = [(begin, end) for address, begin, end in self.lives if address == key[0] and begin <= when]
                end = max((end for _, end in lives), default=0)
                if end < when and not self.is_excused(end, when):
                    yield when - end, key


def started(docker, name):
    """In Unix time."""
    text = docker.inspect(name)["State"]["StartedAt"].partition(".")
    return calendar.timegm(time.strptime(text[0], "%Y-%m-%dT%H:%M:%S")) + float("0." + text[2].rstrip("Z"))


def live(docker, history, number):
    """One container, from its start to its removal; every third one is a stranger. Then a while in which nobody takes its
    address, so that a permission that stays is seen."""
    name, is_linked = f"c{number}", number % 3 != 0
    address = run_idle(docker, name, *(["--link", "redis:db"] if is_linked else []))
    begin = started(docker, name) - LOOK_INTERVAL  # a look has the time when it was begun
    time.sleep(0.2)
    docker("kill", name)
    if is_linked:
        history.live(address, begin, time.time())
    docker("rm", name)
    time.sleep(2 * GRACE)


def test_no_permission_outlives_its_container(place, how_many):
    containers = how_many("containers", 100)
    docker, service = docker_and_service(place)
    redis, history = run_redis(docker), History()
    looking = threading.Thread(target=history.look)
    looking.start()
    place.endings.callback(history.stop.set)
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        lives = [pool.submit(live, docker, history, number) for number in range(containers)]
        for share in (1, 2):
            while sum(each.done() for each in lives) < containers * share // 3:
                time.sleep(0.05)
            down = time.time()
            service.kill()
            service.start()
            connected(service)
            history.downs.append((down, time.time()))
        for each in lives:
            each.result()
    webs = [run_idle(docker, f"web{n}", "--link", "redis:db") for n in range(5)]
    for web in webs:
        history.live(web, 0, float("inf"))
    becomes([permission(web, redis) for web in webs])
    history.stop.set()
    looking.join()
    assert sum(len(keys) for _, keys in history.looks) > containers / 4, "next to nothing was looked at"
    late = sorted(history.lateness(), reverse=True)
    assert not late or late[0][0] < GRACE, late[:5]
    print(f"{containers} containers, the service killed twice: {len(history.looks)} looks at the kernel, of "
          f"which {len(late)} saw a permission after its container's end, at most "
          f"{late[0][0] * 1000 if late else 0:.0f} ms after it")
