"""One call to the system fails, or is the last: libfiu's preload (Debian's `fiu-utils`), ruled from within the process.

A process that runs under `preloaded()` may arm a fault: the n-th call of a kind returns an error, does less than it was
asked, or never happens because the process is dead. Everything else goes through to the real system.
"""

import ctypes
import errno
import os
import signal
from collections import Counter
from pathlib import Path

CALLS: dict[str, tuple[int, ...]] = {
    "io/oc/open": (errno.EIO, errno.ENOSPC, errno.EINTR),
    "io/rw/read": (errno.EIO, errno.EINTR),
    "io/rw/pread": (errno.EIO, errno.EINTR),
    "io/rw/write": (errno.EIO, errno.ENOSPC, errno.EINTR),
    "io/rw/pwrite": (errno.EIO, errno.ENOSPC, errno.EINTR),
    "io/rw/ftruncate": (errno.EIO, errno.EINTR),
    "io/sync/fsync": (errno.EIO, errno.ENOSPC, errno.EINTR),
    "io/sync/fdatasync": (errno.EIO, errno.ENOSPC, errno.EINTR),
    "io/dir/unlink": (errno.EIO,),
    "io/dir/rename": (errno.EIO, errno.ENOSPC),
    "mm/mmap": (errno.ENOMEM,),
    "io/rw/read/reduce": (0,),
    "io/rw/pread/reduce": (0,),
    "io/rw/write/reduce": (0,),
    "io/rw/pwrite/reduce": (0,),
}
"""Each kind of call by libfiu's name, and the errors it is made to return; 0: it reads or writes less than asked."""
KILL = -1
"""In place of an error: `kill -9` before the call."""
ANY = "any"
"""In place of a kind: calls of all kinds are counted together."""

_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.POINTER(ctypes.c_int),
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.POINTER(ctypes.c_uint),
)


def preload() -> str | None:
    """libfiu's preload library, where it is installed."""
    places = ("lib/fiu", "lib/*/fiu", "lib64/fiu", "local/lib/fiu")
    found = (path for place in places for path in Path("/usr").glob(f"{place}/fiu_posix_preload.so"))
    return next((str(path) for path in found), None)


def preloaded() -> dict[str, str]:
    """What to add to a process's environment so that it can arm faults; nothing where libfiu is not installed."""
    found = preload()
    return {"LD_PRELOAD": found} if found else {}


class Faults:
    """Arms one fault at a time. To be made after all imports, in a process that runs under `preloaded()`.

    Attributes:
        counted: calls by kind since it was armed.
    """

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self._kind, self._at, self._error = "", 0, 0
        self._armed = False
        self._library = ctypes.CDLL("libfiu.so.0")
        self._library.fiu_enable_external.argtypes = (
            *(ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, _Callback),
        )
        self._callbacks = [self._watch(kind) for kind in CALLS]

    def arm(self, kind: str = "", at: int = 0, error: int = 0) -> None:
        """The `at`-th call of a kind from now on, 1 for the first, fails; without a kind, calls are counted."""
        self.counted.clear()
        self._kind, self._at, self._error = kind, at, error
        self._armed = True

    def disarm(self) -> None:
        self._armed = False

    def close(self) -> None:
        """Let go of libfiu before the interpreter ends."""
        self._armed = False
        for kind in CALLS:
            self._library.fiu_disable(b"posix/" + kind.encode())

    def _watch(self, kind: str) -> object:
        def called(_name: bytes, _failnum: object, failinfo: "ctypes._Pointer[ctypes.c_void_p]", _flags: object) -> int:
            if not self._armed:
                return 0
            self.counted[kind] += 1
            number = self.counted[kind] if self._kind == kind else self.counted.total() if self._kind == ANY else 0
            if number != self._at or not number:
                return 0
            if self._error == KILL:
                os.kill(os.getpid(), signal.SIGKILL)
            failinfo[0] = self._error
            self._armed = False
            return 1

        callback = _Callback(called)
        code = self._library.fiu_enable_external(b"posix/" + kind.encode(), 1, None, 0, callback)
        if code:
            raise OSError(code, f"libfiu does not take {kind}")
        return callback
