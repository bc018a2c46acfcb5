"""What a fleet costs while it sleeps: processes, memory of all roles, disk, mounts, sockets.

Counted before the tenants are made, and after all of them were awake once and sleep again. What
makes a process large besides tenants (a first wake, code that is loaded when it is needed) has
happened before the first count. Memory is PSS: what is shared counts once. It also holds what the
allocator keeps of the work of creating tenants; counts after `granary up` was started anew, with
two tenants and with all, show what the sleepers themselves need.
"""

import os
import time

import measure
from installation import insight_folder, running
from measure import Row

SETTLE = 20  # above what the gateway keeps connections to silos for (15 s), and the allocator rests
SETTLE_QUICK = 1
MOST_BYTES = 10e6  # for all tenants, of all roles together


def count(installation):
    """What there is of the installation now."""
    pids = installation.pids()
    memory = {role: measure.memory_bytes(pid) for role, pid in pids.items()}
    # What is written late counts as well.
    os.sync()
    return {"processes": len(installation.processes()),
            "mounts": len(installation.mounts()) + len(installation.mounts(pids["agent"])),
            "loop_devices": len(installation.loops()),
            "cgroups": installation.cgroup_folders(),
            "sockets": len(installation.sockets()),
            "pss_bytes": {role: pss for role, (pss, _) in memory.items()},
            "rss_bytes": {role: rss for role, (_, rss) in memory.items()},
            "threads": {role: len(os.listdir(f"/proc/{pid}/task")) for role, pid in pids.items()},
            "disk_bytes": {folder: measure.tree_bytes(os.path.join(installation.data_dir, folder))
                           for folder in ("accounts", "control", "publish", "run", "access")}}


def added(before, after, tenants):
    """What is more: processes and so on in all, disk for each tenant."""
    total = {key: after[key] - before[key]
             for key in ("processes", "mounts", "loop_devices", "cgroups", "sockets")}
    for key in ("pss_bytes", "rss_bytes"):
        total[key] = {role: after[key][role] - before[key][role] for role in after[key]}
        total[key]["all"] = sum(total[key].values())
    total["disk_bytes_per_tenant"] = {
        folder: (after["disk_bytes"][folder] - before["disk_bytes"][folder]) / tenants
        for folder in after["disk_bytes"]}
    total["disk_bytes_per_tenant"]["all"] = sum(total["disk_bytes_per_tenant"].values())
    return total


def cpu_while_asleep(installation, seconds):
    """Milliseconds of CPU a second that all roles take together, with nobody asking."""
    before = installation.role_cpu()
    time.sleep(seconds)
    after = installation.role_cpu()
    return sum(after[role] - before[role] for role in after) * 1e3 / seconds


def fall_asleep(installation, tenants, settle):
    installation.put_to_sleep(tenants)
    measure.wait_for(installation.asleep, 30, "all tenants sleep", pause=0.2)
    time.sleep(settle)


def count_anew(installation, settle):
    """Counts after a start anew, with everything asleep."""
    installation.stop()
    installation.start()
    time.sleep(settle)
    return count(installation)


def run(quick, patience):
    patience.wait()
    tenants, settle = (20, SETTLE_QUICK) if quick else (1000, SETTLE)
    with running() as installation:
        release = installation.release(insight_folder(installation, "2s"))
        installation.settle(installation.create(["first"], release))
        before_anew = count_anew(installation, settle)
        installation.settle(installation.create(["second"], release))
        fall_asleep(installation, ["first", "second"], settle)
        before = count(installation)
        names = [f"sleeper-{number}" for number in range(tenants)]
        installation.settle(installation.create(names, release))
        fall_asleep(installation, names, settle)
        after = count(installation)
        cpu = cpu_while_asleep(installation, 2 if quick else 10)
        anew = count_anew(installation, settle)
    more, more_anew = added(before, after, tenants), added(before_anew, anew, tenants)
    pss = more["pss_bytes"]["all"]
    rows = [
        Row(f"{tenants} asleep: processes added", more["processes"], "",
            target="0", met=more["processes"] == 0),
        Row("memory added (PSS of all roles)", pss / 1e6, "MB",
            target=f"< {MOST_BYTES / 1e6:.0f} MB", met=pss < MOST_BYTES),
        Row("the same in RSS", more["rss_bytes"]["all"] / 1e6, "MB"),
        Row("the same after a restart (PSS)", more_anew["pss_bytes"]["all"] / 1e6, "MB"),
        Row("mounts, loop devices added", more["mounts"] + more["loop_devices"], "",
            target="0", met=more["mounts"] + more["loop_devices"] == 0),
        Row("sockets, control groups added", more["sockets"] + more["cgroups"], ""),
        Row("disk of a tenant", more["disk_bytes_per_tenant"]["all"] / 1e3, "kB"),
        Row("CPU while all sleep", cpu, "ms/s"),
    ]
    return rows, {"tenants": tenants, "before": before, "after": after,
                  "before_restarted": before_anew, "after_restarted": anew, "added": more,
                  "added_after_restart": more_anew, "idle_cpu_ms_per_s": cpu}
