"""Serves HTTP/1.1 on a listening socket: one thread, one epoll, any number of slow clients.

The handler is called with one complete request at a time and must not block for long.
SIGTERM stops it gently: no new connections, the requests in flight are answered.
"""

import _signal
import _socket
import errno
import posix
import select
import sys
import time

from insight.wire import HttpError, Parser, Response

MAX_CONNECTIONS = 256  # times the largest request: 20 MiB of the 128 that we may have
READ_SIZE = 64 * 1024
ACCEPTS_AT_ONCE = 32

IDLE_SECONDS = 120  # an open connection between two requests
REQUEST_SECONDS = 20  # from the first byte of a request to its last
WRITE_SECONDS = 20  # without the client taking a byte of the answer
LINGER_SECONDS = 2  # for a client that still sends what was refused
DRAIN_SECONDS = 8  # for the requests in flight after SIGTERM; below the 10 s of stop_timeout


class Connection:
    __slots__ = ("socket", "parser", "out", "events", "deadline", "last", "lingering")

    def __init__(self, sock, deadline):
        self.socket = sock
        self.parser = Parser()
        self.out = b""  # what the kernel has not taken yet; no request is read meanwhile
        self.events = select.EPOLLIN
        self.deadline = deadline
        self.last = False  # the answer in `out` is the last one
        self.lingering = False  # answered and shut; only waiting for the client to close


class Server:
    def __init__(self, listener, handle):
        listener.setblocking(False)
        self._listener = listener
        self._handle = handle
        self._connections = {}
        self._epoll = select.epoll()
        self._listening = False
        self._stop_asked = False  # by a signal, at any instruction: it sets this and no more
        self._drain_until = None  # set by stop()
        self._next_sweep = 0.0
        self._wake_in, self._wake_out = posix.pipe2(posix.O_NONBLOCK | posix.O_CLOEXEC)
        self._epoll.register(self._wake_in, select.EPOLLIN)
        self._listen()
        _signal.set_wakeup_fd(self._wake_out)  # lets a signal end the wait in step()
        for number in (_signal.SIGTERM, _signal.SIGINT):
            _signal.signal(number, self._ask_to_stop)

    def run(self):
        """Until SIGTERM or SIGINT, and until what is in flight then is answered."""
        while self._drain_until is None or self._connections:
            self.step()
            if self._stop_asked:
                self.stop()

    def step(self):
        """Waits for something to happen and deals with it."""
        for fd, events in self._epoll.poll(self._wait_seconds()):
            connection = self._connections.get(fd)
            if connection is not None:
                self._serve(connection, events)
            elif fd == self._wake_in:
                posix.read(fd, 512)
            elif self._listening:
                self._accept()
        if time.monotonic() >= self._next_sweep:
            self._sweep()

    def stop(self):
        """Takes no new connections and ends each open one after the request it is at."""
        if self._drain_until is not None:
            return
        self._drain_until = time.monotonic() + DRAIN_SECONDS
        self._next_sweep = 0.0  # the sweep closes the connections that are idle
        self._pause_listening()

    def _ask_to_stop(self, *_):
        self._stop_asked = True

    def _wait_seconds(self):
        if not self._connections:
            return None if self._drain_until is None else 0
        return max(self._next_sweep - time.monotonic(), 0)

    def _listen(self):
        if not self._listening and self._drain_until is None:
            self._epoll.register(self._listener.fileno(), select.EPOLLIN)
            self._listening = True

    def _pause_listening(self):
        """Leaves new connections to the kernel's queue."""
        if self._listening:
            self._epoll.unregister(self._listener.fileno())
            self._listening = False

    def _accept(self):
        family = self._listener.family
        for _ in range(ACCEPTS_AT_ONCE):
            if len(self._connections) >= MAX_CONNECTIONS:
                return self._pause_listening()
            try:
                fd, _ = self._listener._accept()
            except (BlockingIOError, ConnectionAbortedError):
                return None
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE) and self._connections:
                    return self._pause_listening()  # until a connection closes
                raise
            sock = _socket.socket(family, _socket.SOCK_STREAM, 0, fd)
            sock.setblocking(False)
            if family == _socket.AF_INET:
                sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            connection = Connection(sock, 0)
            self._connections[fd] = connection
            self._epoll.register(fd, select.EPOLLIN)
            self._expect_within(connection, IDLE_SECONDS)
            self._serve(connection, select.EPOLLIN)  # its request is mostly here already
        return None

    def _serve(self, connection, events):
        try:
            if events & select.EPOLLIN:
                self._read(connection)
            elif events & select.EPOLLOUT:
                self._flush(connection)
            else:
                self._close(connection)  # hung up or broken, with nothing left to read
        except OSError:  # the client is gone
            self._close(connection)

    def _read(self, connection):
        try:
            data = connection.socket.recv(READ_SIZE)
        except BlockingIOError:
            return
        if not data:
            self._close(connection)
        elif not connection.lingering:
            if connection.parser.idle:
                self._expect_within(connection, REQUEST_SECONDS)
            connection.parser.feed(data)
            self._answer(connection)

    def _answer(self, connection):
        """Answers what is complete, one request after the other, as the client takes it."""
        parser = connection.parser
        while not connection.out and not connection.last:
            try:
                request = parser.next_request()
            except HttpError as error:
                self._refuse(connection, error)
                return
            if request is None:
                if parser.wants_continue:
                    parser.wants_continue = False
                    connection.out = b"HTTP/1.1 100 Continue\r\n\r\n"
                    self._flush(connection)
                return
            response = self._respond(request)
            connection.last = not request.keep_alive or self._drain_until is not None
            connection.out = response.to_bytes(request.method, not connection.last)
            idle = parser.idle
            self._expect_within(connection, IDLE_SECONDS if idle else REQUEST_SECONDS)
            self._flush(connection)

    def _respond(self, request):
        try:
            return self._handle(request)
        except HttpError as error:
            return error.response()
        except Exception:  # one request's fault must not end the others'
            sys.excepthook(*sys.exc_info())
            return HttpError(500, "something went wrong on our side").response()

    def _refuse(self, connection, error):
        connection.last = True
        connection.out = error.response().to_bytes()
        self._flush(connection)

    def _flush(self, connection):
        """Sends what it can. Between answers it reads, while an answer is stuck it waits."""
        was_stuck = connection.events == select.EPOLLOUT
        try:
            while connection.out:
                connection.out = connection.out[connection.socket.send(connection.out) :]
        except BlockingIOError:
            self._expect_within(connection, WRITE_SECONDS)
            self._watch(connection, select.EPOLLOUT)
            return
        if connection.last:
            # Closing while the client still sends would reset the connection and could
            # destroy the answer on its way: shut our side and wait for the client's.
            connection.lingering = True
            connection.socket.shutdown(_socket.SHUT_WR)
            self._expect_within(connection, LINGER_SECONDS)
        self._watch(connection, select.EPOLLIN)
        if was_stuck and not connection.last:
            self._answer(connection)  # what came in meanwhile

    def _watch(self, connection, events):
        if connection.events != events:
            connection.events = events
            self._epoll.modify(connection.socket.fileno(), events)

    def _expect_within(self, connection, seconds):
        connection.deadline = time.monotonic() + seconds
        self._next_sweep = min(self._next_sweep, connection.deadline)

    def _sweep(self):
        """Ends connections whose time is up, and while draining those that are idle."""
        now = time.monotonic()
        for connection in list(self._connections.values()):
            draining = self._drain_until is not None
            if draining and now >= self._drain_until:
                self._close(connection)
            elif draining and connection.parser.idle and not connection.last:
                self._last_chance(connection)
            elif now >= connection.deadline:
                self._time_out(connection)
        deadlines = [connection.deadline for connection in self._connections.values()]
        if self._drain_until is not None:
            deadlines.append(self._drain_until)
        self._next_sweep = min(deadlines, default=now + IDLE_SECONDS)

    def _last_chance(self, connection):
        """A request may have arrived with the signal: it is answered, not cut off."""
        self._serve(connection, select.EPOLLIN)
        alive = connection.socket.fileno() >= 0
        if alive and connection.parser.idle and not connection.out and not connection.lingering:
            self._close(connection)

    def _time_out(self, connection):
        waiting = connection.parser.idle or connection.out or connection.lingering
        try:
            if waiting:
                self._close(connection)
            else:
                self._refuse(connection, HttpError(408, "the request took too long"))
        except OSError:
            self._close(connection)

    def _close(self, connection):
        fd = connection.socket.fileno()
        if fd >= 0:
            del self._connections[fd]
            connection.socket.close()  # which also takes it out of the epoll
            self._listen()
