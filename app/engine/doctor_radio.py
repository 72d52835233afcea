"""Whether the radio can be opened: asked by the doctor, answered where the event loop lives."""

import asyncio

from core.model.errors import SmilescapeError
from devices.radio import Radio


def radio_works(spec: str) -> SmilescapeError | None:
    """Open and close the radio; the error when that fails."""

    async def attempt() -> SmilescapeError | None:
        try:
            radio = Radio.parse(spec)
            await radio.open()
        except SmilescapeError as error:
            return error
        await radio.close()
        return None

    return asyncio.run(attempt())
