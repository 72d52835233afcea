"""Receipts that can be asked for again (docs/hub-protocol.md, section 8)."""

import hashlib
from collections import OrderedDict
from typing import Final

from devices.simulator.store import KeptReceipt, Store

_KEPT: Final = 32


class ReceiptBook:
    """The last receipts: those of signed commands and HOLD over reboots too, those of all others in this boot."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._others: OrderedDict[int, KeptReceipt] = OrderedDict()

    def of(self, counter: int) -> bytes | None:
        """The receipt of a counter, None when there is none or it is forgotten."""
        kept = self._find(counter)
        return kept.receipt if kept is not None else None

    def again(self, counter: int, message: bytes) -> bytes | None:
        """The receipt of this very message, if it was carried out already."""
        kept = self._find(counter)
        return kept.receipt if kept is not None and kept.message == hashlib.sha256(message).digest() else None

    def keep(self, counter: int, message: bytes, receipt: bytes, *, durable: bool) -> None:
        kept = KeptReceipt(counter, hashlib.sha256(message).digest(), receipt)
        if durable:
            state = self._store.state
            state.receipts = [*state.receipts, kept][-_KEPT:]
            self._store.save()
        else:
            self._others[counter] = kept
            if len(self._others) > _KEPT:
                self._others.popitem(last=False)

    def forget(self) -> None:
        """Forget what does not outlive a boot; the rest is the state's."""
        self._others.clear()

    def _find(self, counter: int) -> KeptReceipt | None:
        durable = next((kept for kept in self._store.state.receipts if kept.counter == counter), None)
        return durable or self._others.get(counter)
