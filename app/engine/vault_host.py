"""The engine's side of the process that makes backups: one task each, watched and broken off through a ticket."""

import asyncio
import contextlib
import logging

import msgspec

from app.engine.helper import Helper
from app.engine.reader_host import Ticket
from app.engine.vault_wire import MAX_TASK, Failed, Outcome, Step, VaultTask, decode_said, encode
from app.ipc.frames import FrameTooLong

_MODULE = "app.engine.vault_process"
_GRACE_SECONDS = 20.0
"""To clear away what was begun; a stick may be slow."""
_log = logging.getLogger(__name__)


async def run_task(task: VaultTask, ticket: Ticket) -> Outcome:
    """Have it done in a process of its own, which ends with it.

    Cancelled, the process is told to break off; it clears away by itself what it began.
    """
    helper = await Helper.start(_MODULE)
    try:
        helper.send(encode(task))
        ticket.taken(helper.hang_up)
        while (data := await helper.receive(MAX_TASK)) is not None:
            said = decode_said(data)
            if not isinstance(said, Step):
                return said
            ticket.step(said.done)
    except (FrameTooLong, msgspec.MsgspecError) as error:
        _log.error("the backup said something that makes no sense: %s", error)
    finally:
        helper.hang_up()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(helper.died(), _GRACE_SECONDS)
        await helper.end()
    return Failed("backup.failed", "The backup ended before it was done.", "Make it again; if it fails, see the log.")
