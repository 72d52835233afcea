"""A hub as the witness of a log, over real BLE frames: it countersigns what grew, and nothing that went back."""

import pytest

from core.model.cose import KeySigner
from core.model.hub import Opcode, ReceiptCode
from core.model.merkle import CompactRange, consistency_proof, leaf_hash, stored_index
from core.model.note import Checkpoint, Note, sign_checkpoint
from core.model.witness import hub_witness
from devices.hub.errors import HubUnreachable
from devices.hub.session.journal import decode_entry
from devices.hub.session.wire import MOST_LOGS
from devices.hub.witnessing import Countersigned, NotCountersigned
from devices.simulator.control import Reboot
from tests.devices.hub.clinic import NOW_S
from tests.devices.hub.rig import Rig, until

ORIGIN = "smilescape/record/1"


class Log:
    """A log of a workstation."""

    def __init__(self, entries: list[bytes], signer: KeySigner, origin: str = ORIGIN) -> None:
        self.nodes: list[bytes] = []
        tree = CompactRange()
        for entry in entries:
            self.nodes += tree.append(leaf_hash(entry))
        self.note: Note = sign_checkpoint(Checkpoint(origin, tree.size, tree.root()), signer)

    def proof(self, old: int) -> list[bytes]:
        return consistency_proof(self._node, old, self.note.checkpoint.size)

    def _node(self, level: int, number: int) -> bytes:
        return self.nodes[stored_index(level, number)]


def entries(count: int, word: str = "entry") -> list[bytes]:
    return [f"{word} {number}".encode() for number in range(count)]


@pytest.fixture
async def signer(rig: Rig) -> KeySigner:
    """The workstation's key; the session with the hub stands."""
    await rig.connect()
    return rig.clinic.workstation_signer


async def witnessed(rig: Rig, log: Log, old: int = 0) -> Countersigned:
    return await rig.driver.countersign(log.note, old, log.proof(old) if old else [])


async def refused(rig: Rig, log: Log, old: int, path: list[bytes]) -> ReceiptCode:
    with pytest.raises(NotCountersigned) as error:
        await rig.driver.countersign(log.note, old, path)
    return error.value.receipt


async def test_what_grows_is_countersigned_with_the_hubs_own_key(rig: Rig, signer: KeySigner) -> None:
    assert rig.driver.witnesses
    assert await rig.driver.last_witnessed(ORIGIN) is None
    old = 0
    for size in (1, 5, 5, 64, 300):
        log = Log(entries(size), signer)
        found = await witnessed(rig, log, old)
        hub = rig.brain.vault.key.certificate
        assert found.certificate == hub.raw
        seen = await rig.driver.last_witnessed(ORIGIN)
        assert seen == log.note.with_signatures([found.line])
        assert abs(seen.cosigned(hub_witness(hub.kid), hub.signing_key) - NOW_S) <= 60
        old = size
    assert not rig.store.alarms


async def test_a_log_that_was_set_back_or_forked_is_refused_even_after_a_power_loss(
    rig: Rig, signer: KeySigner
) -> None:
    await witnessed(rig, Log(entries(20), signer))
    await rig.hub.tell(Reboot())
    await rig.reconnected()
    seen = await rig.driver.last_witnessed(ORIGIN)
    assert seen is not None
    assert seen.checkpoint.size == 20
    shorter = Log(entries(12), signer)
    assert await refused(rig, shorter, 20, []) is ReceiptCode.CONTRADICTED
    forked = Log([*entries(19), *entries(9, "other")], signer)
    assert await refused(rig, forked, 20, forked.proof(20)) is ReceiptCode.CONTRADICTED
    same_size = Log([*entries(19), b"other"], signer)
    assert await refused(rig, same_size, 20, []) is ReceiptCode.CONTRADICTED
    longer = Log(entries(21), signer)
    assert await refused(rig, longer, 3, longer.proof(3)) is ReceiptCode.NOT_STORED
    assert await refused(rig, longer, 20, []) is ReceiptCode.CONTRADICTED
    journal = [decode_entry(raw) for raw in rig.brain.logbook.read(0, 64)]
    codes = [entry.code for entry in journal if entry.opcode == Opcode.WITNESS]
    assert codes.count(ReceiptCode.CONTRADICTED) == 4, "each stands in the hub's journal"
    await witnessed(rig, longer, 20)


async def test_it_witnesses_for_the_workstation_of_its_session_alone(rig: Rig, signer: KeySigner) -> None:
    assert await refused(rig, Log(entries(3), KeySigner()), 0, []) is ReceiptCode.REFUSED
    assert await rig.driver.last_witnessed(ORIGIN) is None


async def test_it_remembers_many_logs_and_forgets_none(rig: Rig, signer: KeySigner) -> None:
    for number in range(MOST_LOGS):
        await witnessed(rig, Log(entries(2), signer, f"log/{number}"))
    assert await refused(rig, Log(entries(2), signer, "log/more"), 0, []) is ReceiptCode.OUTSIDE_LIMITS
    await witnessed(rig, Log(entries(3), signer, "log/0"), 2)
    assert await refused(rig, Log(entries(1), signer, "log/1"), 2, []) is ReceiptCode.CONTRADICTED


async def test_an_older_hub_is_asked_for_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.simulator.card.PROFILE", (2, 0))
    await rig.connect()
    assert not rig.driver.witnesses
    assert not rig.store.alarms


async def test_without_a_session_nothing_is_witnessed(rig: Rig) -> None:
    assert not rig.driver.witnesses
    with pytest.raises(HubUnreachable):
        await rig.driver.countersign(Log(entries(1), KeySigner()).note, 0, [])
    await rig.connect()
    await until(lambda: rig.driver.witnesses)
