"""Each wall taken down: the attempts that it holds are then seen to break.

Without this, "held" might only mean that an attempt could never succeed. Where one cannot be shown
without harm to the machine, or nothing on it lies behind the wall, the list below says why.
"""

import contextlib
import ctypes
import fcntl
import os
import pathlib
import socket
import subprocess
import threading

import pytest
from attack import attempts, taken_down
from bare import INNER_ROOT, LEADS_NOWHERE, NAMESPACES, OPEN_INIT, REAL_ROOT, USER, Scenery
from platform_up import needs_root
from walls_table import NOT_SHOWN, SHOWN

pytestmark = needs_root

LISTED = [attempt["name"] for attempt in attempts()]
# Said where this kernel has nothing behind the wall.
NOTHING_THERE = ("ENOSYS", "EAFNOSUPPORT", "EPROTONOSUPPORT", "ENOENT", "ENXIO", "ENODEV",
                 "is empty", "has no", "is not set-uid here", "there is no /usr")
FEWEST_SHOWN = 300  # of all attempts, on any kernel


@pytest.fixture(scope="module")
def scenery(siege):
    """Beside a platform whose victim runs: it is what shared files of the kernel tell about."""
    assert siege.victim_is_well()
    made = Scenery()
    yield made
    made.close()


# ---- one function for each set of walls that are missing: what is tried, and how it went


def without_the_filter(scenery, names):
    """No seccomp; all else as in a silo."""
    return scenery.run([*USER, *NAMESPACES, *scenery.files()], names)


def with_capabilities(scenery, names):
    """No seccomp, and all capabilities within the user namespace."""
    return scenery.run([*INNER_ROOT, *NAMESPACES, *scenery.files()], names)


def as_root(scenery, names):
    """No seccomp, no user namespace, all capabilities: root, with namespaces around it."""
    descriptors = {3: scenery.door.fileno(), 5: scenery.connection.fileno()}
    return scenery.run([*REAL_ROOT, *NAMESPACES, *scenery.files(), "--bind", "/proc/sys",
                        "/proc/sys"], names, root=True, descriptors=descriptors)


def with_the_platforms_files(scenery, names):
    """The data directory is mounted, and belongs to the silo's user."""
    folder = str(scenery.folder)
    named = [str(scenery.folder / "self-id.sock"), "/tmp/self-id"]
    return scenery.run([*USER, *NAMESPACES, *scenery.files(), "--bind", folder, folder, "--bind",
                        *named], names)


def with_a_writable_root(scenery, names):
    """All files in one mount that can be written, and more of them than a silo has."""
    return scenery.run(
        [*USER, *NAMESPACES, "--bind", str(scenery.root), "/", "--proc", "/proc", "--dev", "/dev",
         "--bind", str(scenery.root / "devlog"), "/dev/log", "--setenv", "OWNER", "self-id"],
        names, known={"canary": "/etc/shadow"})


def with_the_hosts_devices(scenery, names):
    """/dev, /proc and /sys are the host's, for root. Nothing is written to what is opened."""
    return scenery.run([*REAL_ROOT, *scenery.files(), "--dev-bind", "/dev", "/dev", "--bind",
                        "/proc", "/proc", "--bind", "/sys", "/sys"], names, root=True,
                       known={"disk": "loop0"})


def with_an_open_init(scenery, names):
    """Process 1 is like any other of the user, and its descriptors are inherited."""
    return scenery.run([*USER, *NAMESPACES, *scenery.files()], names, shell=OPEN_INIT)


def in_no_sandbox(scenery, names):
    """An ordinary user of the host."""
    descriptors = {3: scenery.door.fileno(), 5: scenery.connection.fileno()}
    with held_lock(scenery.folder / "lock"), visible_key():
        return scenery.run([], names, descriptors=descriptors,
                           known={"hostname": socket.gethostname()})


def with_sockets_of_the_hosts_network(scenery, names):
    """The silo is in a network of its own; its listener and connection were made in the host's."""
    descriptors = {3: scenery.door.fileno(), 5: scenery.connection.fileno()}
    return scenery.run([*USER, *NAMESPACES, *scenery.files()], names, descriptors=descriptors)


def in_no_sandbox_as_root(scenery, names):
    descriptors = {3: scenery.door.fileno(), 5: scenery.connection.fileno()}
    with repeated(device_event), repeated(run_program):
        return scenery.run([], names, root=True, descriptors=descriptors)


def with_a_network(scenery, names):
    """What is sent leads nowhere, but it is sent."""
    return scenery.run([], names, wrap=LEADS_NOWHERE, root=True)


def on_all_addresses(scenery, names):
    """Ports that are reached by other ways than 127.0.0.1."""
    six = "tcp-loopback-ipv6"
    result = scenery.run([], [name for name in names if name != six],
                         known={"gateway_port": scenery.everywhere.getsockname()[1]})
    return result | scenery.run([], [six],
                                known={"api_port": scenery.tcp6.getsockname()[1]})


def with_the_victims_namespaces(scenery, names):
    """Network, IPC, /tmp and devices are shared with the victim, who has lit its beacons."""
    shared = [*USER, *scenery.files(), "--bind", "/tmp", "/tmp", "--dev-bind", "/dev", "/dev"]
    if scenery.beacon is None:
        scenery.light(shared)
    with repeated(run_program):
        return scenery.run(shared, names)


def with_folders_left_open(scenery, names):
    """Descriptors of the host were inherited: a folder, and a file for a stream."""
    folder = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        with (scenery.folder / "canary").open("rb") as stream:
            return scenery.run([*USER, *NAMESPACES, *scenery.files()], names, stdin=stream,
                               descriptors={7: folder})
    finally:
        os.close(folder)


def with_cores(scenery, names):
    """A crash may leave a core."""
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text()
    if pattern.startswith(("|", "/")):
        pytest.skip("a crash would be handed to a program of this host: " + pattern.strip())
    return scenery.run([*USER, *NAMESPACES, *scenery.files()], names, core=True)


def in_a_named_group(scenery, names):
    """Without a cgroup namespace, in a control group of the platform's kind of name."""
    for top in ("/sys/fs/cgroup/pids", "/sys/fs/cgroup"):
        if os.path.exists(f"{top}/cgroup.procs"):
            break
    group = pathlib.Path(top, "granary-walls-test")
    group.mkdir()
    try:
        move = f'echo $$ > {group}/cgroup.procs; exec "$@"'
        return scenery.run([], names, root=True, wrap=["sh", "-c", move, "sh"])
    finally:
        group.rmdir()


# ---- what happens meanwhile


@contextlib.contextmanager
def repeated(act):
    over = threading.Event()

    def again():
        while not over.wait(0.1):
            act()
    thread = threading.Thread(target=again)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def run_program():
    """Opens a file of /usr/bin, and /dev/null."""
    subprocess.run(["/usr/bin/true"], stdin=subprocess.DEVNULL, check=True)


def device_event():
    """The kernel tells of /dev/null once more, as if it had changed."""
    pathlib.Path("/sys/class/mem/null/uevent").write_text("change\n")


@contextlib.contextmanager
def held_lock(path):
    """Another user holds it."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def visible_key():
    """A key of root's that everybody may see: in the keyring of this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    add_key, keyctl, process_keyring = 248, 250, -2
    key = libc.syscall(add_key, b"user", b"granary-walls", b"x", 1, process_keyring)
    libc.syscall(keyctl, 5, key, 0x3F010101)  # KEYCTL_SETPERM: all of ours, view by all
    try:
        yield
    finally:
        libc.syscall(keyctl, 3, key)  # KEYCTL_REVOKE


# ---- the tests


@pytest.mark.parametrize("walls", SHOWN)
def test_without_its_wall_an_attempt_breaks(scenery, walls):
    names = SHOWN[walls]
    results = globals()[walls](scenery, names)
    assert set(results) == set(names)
    surprises = {}
    for name, (outcome, answer) in results.items():
        if outcome == "broken":
            taken_down[name] = walls
        elif not any(word in answer for word in NOTHING_THERE):
            surprises[name] = (outcome, answer)
    assert surprises == {}
    assert any(outcome == "broken" for outcome, _ in results.values())


def test_every_attempt_is_shown_or_there_is_a_reason():
    shown = [name for names in SHOWN.values() for name in names]
    assert sorted(shown) == sorted(set(shown)), "each in one place"
    assert set(shown) | set(NOT_SHOWN) == set(LISTED)
    assert not set(shown) & set(NOT_SHOWN)
    assert all(len(reason) > 20 for reason in NOT_SHOWN.values())


def test_most_attempts_were_seen_to_break():
    """Runs after the others of this file; alone it has nothing to count."""
    if not taken_down:
        pytest.skip("only after the walls were taken down")
    assert len(taken_down) >= FEWEST_SHOWN
