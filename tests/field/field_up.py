"""One platform for applications that nobody here wrote, and one of them running on it."""

import contextlib
import functools

from bare import Bare, request_over
from platform_up import Platform, Refused, wait_for
from vendored import app_folder

PLAN = "field"
IDLE = "1s"  # a manifest's own is for users; here nobody waits for a minute
SLEEP_SECONDS = 30  # idle time, and an orderly end of the slowest


class FieldPlatform(Platform):
    @functools.cached_property
    def new_app(self):
        """What lets one installation have another app: its option, where there is one."""
        known = "--new-app" in self.run("release", "create", "--help").stdout
        return ["--new-app"] if known else []

    def create_release(self, folder):
        return self.granary("release", "create", str(folder), *self.new_app)["id"]

    def plan(self):
        self.granary("plan", "set", PLAN, "--max-idle", IDLE)


@contextlib.contextmanager
def running_field():
    """Starts one, and holds it to leaving nothing behind."""
    platform = FieldPlatform()
    try:
        platform.start()
        platform.plan()
        yield platform
        code = platform.stop()
        assert code == 0, f"granary up ended with {code}\n{platform.log_tail()}"
        platform.assert_nothing_left()
    finally:
        platform.clean_up()


class AppUp:
    """An application in its tenant's silo, and the same bare, to compare with."""

    def __init__(self, platform, app):
        self.platform = platform
        self.app = app
        self.tenant = app.name
        self.folder = app_folder(app.folders, app.name)
        self.tried = False
        self.refused = None
        self.bare = Bare(self.folder, platform.folder / f"bare-{app.name}")

    def deploy(self):
        """Creates its release and its tenant, once; what went wrong then is raised each time."""
        if not self.tried:
            self.tried = True
            try:
                release = self.platform.create_release(self.folder)
                self.platform.granary("tenant", "create", self.tenant, "--plan", PLAN, "--release",
                                      release)
            except Refused as problem:
                self.refused = problem
        if self.refused:
            raise self.refused

    @functools.cached_property
    def questions(self):
        """Each with what the application answers without any platform."""
        with self.bare.running() as connect:
            asks = self.app.asks
            return [(ask, request_over(connect(), ask, self.host)) for ask in asks]

    @property
    def host(self):
        return self.platform.host(self.tenant)

    def ask(self, ask, tenant=None):
        return self.platform.request(tenant or self.tenant, ask.path, ask.method, body=ask.body,
                                     headers=dict(ask.fields), timeout=60)

    def why(self):
        service = self.platform.service(self.tenant)
        log = self.platform.logs(self.tenant)[-2000:]
        return f"{service['phase']} {service['last_failure']}\n{log}"

    def wait_until_asleep(self):
        self.platform.wait_for_phase(self.tenant, "asleep", SLEEP_SECONDS)
        wait_for(lambda: not self.platform.silo_pids(self.tenant), 5, "its processes are gone")
