"""Keeps the scans, in SQLite, and answers in JSON, which SQLite speaks itself.

Nothing is opened before it is asked for, and no file exists before the first scan: until
then the queries run on an empty database in memory.
"""

import posix

import _sqlite3 as sqlite

SCHEMA_VERSION = 1
SCHEMA = (
    "CREATE TABLE scans (id INTEGER PRIMARY KEY, code TEXT NOT NULL, device TEXT NOT NULL,"
    " at INTEGER NOT NULL)",  # `at`: milliseconds since 1970, UTC
    "CREATE INDEX scans_at ON scans (at)",
    "PRAGMA user_version = %d" % SCHEMA_VERSION,
)
LOCK_SECONDS = 5.0  # for a predecessor that is still finishing

MINUTE = 60 * 1000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
TOP = 8

SCAN = "json_object('id', id, 'code', code, 'device', device, 'at', at)"
RECENT = (
    "SELECT json_object('total', (SELECT ifnull(max(id), 0) FROM scans), 'scans',"
    " json_group_array(json(scan))) FROM"
    " (SELECT " + SCAN + " AS scan FROM scans WHERE id > ? ORDER BY id DESC LIMIT ?)"
)
TOP_CODES = (
    "SELECT json_group_array(json_object('code', code, 'count', n)) FROM"
    " (SELECT code, count(*) AS n FROM scans WHERE at >= ?"
    " GROUP BY code ORDER BY n DESC, code LIMIT ?)"
)
DEVICES = (
    "SELECT json_group_array(json_object('device', device, 'count', n, 'last', last)) FROM"
    " (SELECT device, count(*) AS n, max(at) AS last FROM scans WHERE at >= ?"
    " GROUP BY device ORDER BY n DESC, device LIMIT ?)"
)


class StoreFull(Exception):
    """There is no room for another scan."""


class Store:
    def __init__(self, directory):
        self._directory = directory
        self._path = directory + "/insight.db"
        self._db = None
        self._in_memory = False

    def add(self, code, device, at):
        """Writes a scan, to the disk when this returns. Returns it as JSON."""
        sql = "INSERT INTO scans (code, device, at) VALUES (?, ?, ?) RETURNING " + SCAN
        try:
            return self._writable().execute(sql, (code, device, at)).fetchall()[0][0]
        except sqlite.OperationalError as error:
            if error.sqlite_errorname == "SQLITE_FULL":
                raise StoreFull from error
            raise

    def recent(self, limit, after):
        """The newest scans whose id is above `after`, newest first, as JSON."""
        return self._one(RECENT, after, limit)

    def stats(self, now):
        """Counts up to `now`, as JSON."""
        return (
            '{"now":%d,"total":%d,"last_hour":%d,"last_day":%d,"codes":%d,'
            '"per_minute":%s,"per_hour":%s,"top_codes":%s,"devices":%s}'
        ) % (
            now,
            self.count(),
            self._one("SELECT count(*) FROM scans WHERE at >= ?", now - HOUR),
            self._one("SELECT count(*) FROM scans WHERE at >= ?", now - DAY),
            self._one("SELECT count(DISTINCT code) FROM scans WHERE at >= ?", now - DAY),
            self._per(MINUTE, 60, now),
            self._per(HOUR, 24, now),
            self._one(TOP_CODES, now - DAY, TOP),
            self._one(DEVICES, now - DAY, TOP),
        )

    def count(self):
        """The number of scans: they are never deleted, so it is the last one's id."""
        return self._one("SELECT ifnull(max(id), 0) FROM scans")

    def json_field(self, text, name):
        """(type, value) of a top-level field of valid JSON; (None, None) if there is none."""
        path = "$." + name
        sql = "SELECT json_type(?1, ?2), json_extract(?1, ?2)"
        return self._readable().execute(sql, (text, path)).fetchone()

    def is_json_object(self, text):
        return self._one("SELECT CASE WHEN json_valid(?1) THEN json_type(?1) END", text) == "object"

    def close(self):
        if self._db is not None:
            self._db.close()
            self._db = None

    def _per(self, span, slots, now):
        """Counts in `slots` spans of time, oldest first; the last one is still running."""
        first = now // span - slots + 1
        sql = "SELECT at / ?1, count(*) FROM scans WHERE at >= ?1 * ?2 GROUP BY 1"
        counts = [0] * slots
        for slot, count in self._readable().execute(sql, (span, first)):
            if slot - first < slots:  # else the clock was set back
                counts[slot - first] = count
        return "[" + ",".join(map(str, counts)) + "]"

    def _one(self, sql, *values):
        return self._readable().execute(sql, values).fetchone()[0]

    def _readable(self):
        if self._db is None or self._in_memory:
            if self._exists():
                self._open_file()
            elif self._db is None:
                self._db = sqlite.connect(":memory:", isolation_level=None)
                self._in_memory = True
                self._create()
        return self._db

    def _writable(self):
        if self._db is None or self._in_memory:
            self._open_file()
        return self._db

    def _exists(self):
        try:
            return posix.stat(self._path).st_size > 0
        except FileNotFoundError:
            return False

    def _open_file(self):
        self.close()
        self._in_memory = False
        try:
            posix.mkdir(self._directory, 0o700)
        except FileExistsError:
            pass
        db = sqlite.connect(self._path, timeout=LOCK_SECONDS, isolation_level=None)
        try:
            if db.execute("PRAGMA user_version").fetchone()[0] < SCHEMA_VERSION:
                db.execute("PRAGMA journal_mode = WAL")  # which the file remembers
                self._db = db
                self._create()
        except BaseException:
            self._db = None
            db.close()
            raise
        self._db = db

    def _create(self):
        self._db.execute("BEGIN IMMEDIATE")
        try:
            if self._db.execute("PRAGMA user_version").fetchone()[0] < SCHEMA_VERSION:
                for statement in SCHEMA:
                    self._db.execute(statement)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
