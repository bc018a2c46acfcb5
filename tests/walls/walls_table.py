"""Which missing walls show that an attempt can break; and which attempts are not shown, and why.

The keys of SHOWN are functions of test_taken_down.py.
"""

SHOWN = {
    "without_the_filter": """
        handle-of-name proc-pressure dev-null-mark process-trace-self
        process-memory-self process-compare process-advise process-move-memory
        init-descriptors init-memory init-memory-read init-memory-write
        init-environment init-maps init-trace socket-vsock unshare-user unshare-mount
        unshare-network unshare-process unshare-ipc unshare-hostname unshare-cgroup
        unshare-time clone-user clone-mount clone-network clone-process clone-ipc
        clone-hostname clone-cgroup clone3-user perf-self userfaultfd io-uring
        io-setup key-add key-request key-control quota clock-set clock-set-day
        personality-layout personality-zero-page segment-table memory-policy
        secret-memory mounts-listing lsm-attribute calls-32-bit names-processes
        disks-activity disks-sizes disks-fill disks-journals lease-release
        limit-core-lower""".split(),
    "with_capabilities": """
        chroot owner-root proc-userns-limit freeze init-enter-mounts
        init-enter-network socket-raw socket-icmp socket-packet socket-xdp
        netlink-address netlink-route netlink-link netlink-flags socket-mark
        socket-transparent setns-hostname setns-network setns-pidfd mount-new
        mount-bind mount-remount mount-move mount-attributes umount pivot-root fsopen
        fsopen-cgroup fspick open-tree move-mount reboot hostname-set domainname-set
        user-root group-root user-files capability-held capability-raise
        capability-ambient capability-securebits capability-file set-uid-own""".split(),
    "with_the_platforms_files": """
        victim-disk-read victim-disk-write victim-key-read victim-record-read
        victim-log-read victim-log-write victim-folder-create victim-folder-rename
        accounts-list silos-list silo-record-read silo-status-write store-read
        store-write operator-token-read signing-key-read platform-key-read
        routing-read routing-write access-log-read activity-board-write bundles-list
        releases-list releases-create frontends-create graveyard-list data-dir-create
        canary-direct canary-dotdot canary-symlink canary-symlink-climbing
        canary-openat2 canary-init-root canary-init-cwd canary-own-root
        canary-thread-root unix-agent unix-victim names-mounts others-sockets""".split(),
    "with_a_writable_root": """
        hard-link-usr hard-link-app hard-link-etc hard-link-config hard-link-init
        usr-create usr-write usr-reopen usr-chmod usr-chown app-create app-write
        app-reopen app-rename app-attribute own-program-write init-program-write
        init-file-write etc-create etc-write etc-rename root-create config-write
        config-chmod config-rename secrets-create names-var-tmp host-shadow host-root-home
        host-homes host-var host-boot host-opt host-ssh-keys host-machine-id
        host-resolver unix-docker unix-dbus unix-systemd unix-log names-environment
        names-config names-etc names-app contents-run contents-root""".split(),
    "with_the_victims_namespaces": """
        names-tmp names-shared-memory beacon-abstract beacon-loopback
        beacon-shared-memory beacon-shared-memory-list beacon-messages
        beacon-semaphores beacon-queue beacon-tmp beacon-shm-file watch-release
        watch-release-all watch-release-link
        watch-release-folder watch-programs watch-device""".split(),
    "in_no_sandbox": """
        victim-root victim-folder agent-root process-see process-see-victim
        process-guess process-signal-victim process-signal-agent process-signal-thread
        process-signal-queue process-signal-group process-pidfd process-setown
        process-trace process-memory-victim process-renice process-renice-user
        process-ioprio process-affinity process-policy process-limits
        process-robust-list process-session tcp-gateway tcp-api tcp-admin
        listener-interfaces listener-interface-names listener-name
        connection-interfaces gateway-number netlink-interfaces netlink-diagnosis
        no-new-privileges set-uid-su set-uid-mount set-uid-passwd set-uid-newgrp
        set-uid-chsh names-host others-locks others-keys others-interfaces
        core-handler""".split(),
    "with_sockets_of_the_hosts_network": """
        listener-names connection-names""".split(),
    "with_a_network": """
        tcp-metadata tcp-metadata-ipv6 tcp-private tcp-private-192 tcp-public
        tcp-public-ipv6 udp-dns udp-broadcast udp-multicast udp-multicast-ipv6""".split(),
    "on_all_addresses": """
        tcp-host tcp-loopback-ipv6 tcp-loopback-mapped""".split(),
    "with_an_open_init": """
        init-log-open init-log-other-half init-status-open init-log-take
        init-status-take inherited-descriptors""".split(),
    "with_folders_left_open": """
        descriptor-climb inherited-streams""".split(),
    "with_cores": """
        core-dump""".split(),
    "in_a_named_group": """
        group-name""".split(),
    "in_no_sandbox_as_root": """
        gateway-signal netlink-uevents netlink-processes netlink-audit""".split(),
    "with_the_hosts_devices": """
        proc-kcore proc-kallsyms proc-pagemap proc-kmsg proc-slabinfo proc-timer-list
        proc-sysrq proc-hostname proc-core-pattern proc-modprobe proc-drop-caches
        proc-overcommit proc-irq sys-contents sys-list sys-power sys-uevent-helper sys-debug
        sys-tracing sys-firmware sys-dmi sys-bpf dev-mem dev-port dev-kmsg dev-disk
        dev-loop dev-loop-control dev-mapper dev-fuse dev-kvm dev-tun dev-vsock
        dev-console dev-hwrng dev-uinput dev-null-mode group-list group-members group-memory
        group-processes group-leave group-release-agent""".split(),
    "as_root": """
        handle-open owner-victim trusted-attribute entropy-credit mknod-block
        mknod-char mknod-tmp socket-alg socket-bluetooth socket-key socket-can
        socket-tipc socket-rds socket-kcm socket-smc listener-interface-down
        listener-network listener-buffer listener-owner connection-interface-down
        connection-network gateway-descriptor gateway-network gateway-mounts
        bpf-program bpf-map perf-machine kexec kexec-file module-load module-load-file
        module-unload swapon swapoff accounting kernel-log io-ports io-level
        clock-adjust hang-up fanotify cookie-of-path nfs-server filesystem-kinds
        calls-x32 memory-lock priority-highest priority-fifo priority-round-robin
        priority-deadline priority-disk user-victim group-more""".split(),
}

NOT_SHOWN = {
    "canary-openat2-in-root":
        "the kernel resolves it within /data by definition: only a hole in it could break",
    "above-root":
        "the kernel keeps every process below its root: only a hole in it could break",
    "proc-binfmt":
        "mounting binfmt_misc to show it would change the host",
    "dev-serial":
        "opening a serial line may be felt by what is attached to it",
    "dev-type":
        "needs a terminal of its own to type into; a silo has none to open",
    "dev-terminals":
        "whether somebody has a terminal open on the host is not the test's to decide",
    "init-enter-users":
        "nobody may enter the user namespace that he is in already, says the kernel",
    "netlink-udev":
        "needs a running udev on the host",
    "namespace-parent":
        "the kernel gives nobody the parent of his own namespace",
    "namespace-parent-process":
        "the kernel gives nobody the parent of his own namespace",
    "map-users":
        "a map can be written once; bubblewrap has always written it already",
    "map-groups":
        "a map can be written once; bubblewrap has always written it already",
    "deleted-blocks":
        "the file system would have to be broken",
    "memory-huge":
        "huge pages would have to be taken from the host first",
    "limit-core":
        "nobody but a silo has a hard limit here; without it there is nothing to raise",
}
NEEDS_RESOURCE = ("needs CAP_SYS_RESOURCE on the host, which root in a container or a virtual "
                  "machine may lack")
NOT_SHOWN |= dict.fromkeys("""
    limit-descriptors limit-processes limit-locked limit-signals limit-messages limit-nice
    limit-real-time priority-killing""".split(), NEEDS_RESOURCE)
