"""Kills inside of writes: at the n-th call to the disk, or at a byte of a file, whoever writes it.

A fault is put into a child of this process. What is left on the disk is looked at here: a store
must then be in one of the states that are legal, and must be able to go on.
"""

import os
import resource
import signal
from collections.abc import Callable
from typing import Any

CALLS = ("open", "write", "fsync", "fdatasync", "rename", "replace", "link", "unlink", "mkdir")
PATIENCE = 30
"""Seconds after which a child that hangs is ended, which no caller takes for a kill."""

Act = Callable[[], object]


def killed_at_call(act: Act, nth: int) -> bool:
    """Do ``act`` in a child that is killed at its ``nth`` call; return whether it was.

    Of a write half is done. Calls are those that Python makes; what a library writes by itself is
    cut by ``killed_at_byte``.
    """

    def die_at_call() -> None:
        count = 0
        write = os.write

        def counting(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **options: Any) -> Any:
                nonlocal count
                count += 1
                if count == nth:
                    if real is write:
                        real(args[0], args[1][: len(args[1]) // 2])
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*args, **options)

            return call

        for name in CALLS:
            setattr(os, name, counting(getattr(os, name)))

    return _ended_by(act, die_at_call) == signal.SIGKILL


def killed_at_byte(act: Act, limit: int) -> bool:
    """Do ``act`` in a child that is killed when a file would grow beyond ``limit`` bytes."""

    def die_at_byte() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return _ended_by(act, die_at_byte) == signal.SIGXFSZ


def refused_at_byte(act: Act, limit: int) -> str:
    """Do ``act`` in a child whose disk is full at ``limit`` bytes of a file; return its error.

    "" where it went through.
    """
    reader, writer = os.pipe()

    def fill() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    def told() -> None:
        try:
            act()
        except Exception as error:
            os.write(writer, f"{type(error).__name__}: {error}".encode())

    _ended_by(told, fill)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as stream:
        return stream.read()


def _ended_by(act: Act, before: Act) -> int:
    """Return the signal that ended the child that did ``act``; 0 where it came to its end."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(PATIENCE)
            before()
            act()
            code = 0
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    code = os.waitstatus_to_exitcode(status)
    assert code != -signal.SIGALRM, "the child hangs"
    return -code if code < 0 else 0
