"""What can go wrong with a record, each with its next step."""

# ruff: noqa: N818 - the names say what happened, as in `raise DiskFull`

from core.model.errors import SmilescapeError


class RecordError(SmilescapeError):
    """The base of all errors of this room."""

    code = "record"


class RecordMissing(RecordError):
    """There is no such file."""

    code = "record.missing"


class NotARecord(RecordError):
    """An encrypted file of ours, but not of a chair."""

    code = "record.other"


class RecordExists(RecordError):
    """A record would have been written over."""

    code = "record.exists"


class RecordBusy(RecordError):
    """Another program holds the record open for writing, or a lock did not come free in time."""

    code = "record.busy"


class RecordReadOnly(RecordError):
    """The file or its folder cannot be written."""

    code = "record.read_only"


class RecordNewer(RecordError):
    """The file was written by a newer version of the program."""

    code = "record.newer"


class RecordOlder(RecordError):
    """The file was written by an older version of the program, and nobody has brought it up to date yet."""

    code = "record.older"


class RecordDamaged(RecordError):
    """The file is not what was written."""

    code = "record.damaged"


class WrongKey(RecordError):
    """The file is a record, and this key does not open it."""

    code = "record.wrong_key"


class DiskFull(RecordError):
    """There is no space left. The transaction was rolled back; everything committed before it stands."""

    code = "record.disk_full"


class DiskFailing(RecordError):
    """The disk did not do what it was asked. The transaction was rolled back; everything committed before it stands."""

    code = "record.disk_failing"


class ChannelChanged(RecordError):
    """The catalogue gives a channel's number another meaning than the record does."""

    code = "record.channel_changed"


class StaleVersion(RecordError):
    """Somebody else saved a newer version meanwhile."""

    code = "record.stale_version"


class ReasonMissing(RecordError):
    """A correction without its reason."""

    code = "record.reason"


class WrongEntry(RecordError):
    """A correction of what no correction changes."""

    code = "record.wrong_entry"


class Interrupted(RecordError):
    """A read was broken off because nobody wants its answer any more."""

    code = "record.interrupted"


class NotFound(RecordError):
    """The record does not hold what was asked for."""

    code = "record.not_found"


class ExportFailed(RecordError):
    """An export could not be written; no half file was left."""

    code = "record.export"
