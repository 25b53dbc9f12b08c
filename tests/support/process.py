"""Processes: one that is run to its end, and one that ends with this one."""
import ctypes
import signal
import subprocess

PR_SET_PDEATHSIG = 1

libc = ctypes.CDLL(None, use_errno=True)


def run(*command, status=0, stdin=None, env=None):
    """Runs a program to its end and insists on its exit status."""
    done = subprocess.run([str(word) for word in command], input=stdin, capture_output=True, text=True, timeout=60,
                          env=env, check=False)
    shown = " ".join(map(str, command))
    assert done.returncode == status, f"{shown}: status {done.returncode}, not {status}\n{done.stdout}{done.stderr}"
    return done


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
