"""One attack, and the honest traffic around it."""

from core.model.hub import LinkState, ReceiptCode, TherapyState
from core.model.words import Text
from devices.simulator.scenarios.stolen import StolenKeys
from tests.devices.hub.clinic import ENVELOPE, ORDER
from tests.devices.hub.rig import Rig, until


class Siege:
    """A rig at which scenarios play quickly."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.store = rig.store
        self.brain = rig.brain
        self.stage = rig.hub.stage
        self.stage.linger_s = 0.0

    async def ready(self) -> "Siege":
        await self.rig.connect()
        await self.rig.passes(0.5)
        return self

    async def play(self, name: str) -> str:
        """The attack from beginning to end; what was told of it."""
        await self.stage.begin(name)
        return await self.stage.over()

    def steal(self, *, clinician: bool = True) -> None:
        """From now on the thief has our keys."""
        clinic = self.rig.clinic
        keys = StolenKeys(
            workstation=clinic.workstation.certificate.raw,
            agreement=clinic.workstation.agreement_private,
            clinician=clinic.clinician.certificate.raw if clinician else b"",
            signing=clinic.clinician.signer.seed if clinician else b"",  # type: ignore[attr-defined]
        )
        self.stage.stolen = lambda: keys

    async def treat(self) -> None:
        """Begin the phase that the patient consented to."""
        receipt = await self.rig.driver.start_phase(ORDER, ENVELOPE, self.rig.clinic.clinician)
        assert receipt.code is ReceiptCode.DONE
        assert self.brain.therapy.state is TherapyState.RUNNING

    async def back(self) -> None:
        """Until a session stands again."""
        await until(lambda: self.store.up and self.brain.client is not None and self.brain.client.streaming)

    async def refused_for(self, reason: str) -> None:
        """Until the workstation has refused the hub for this reason."""
        wanted = f"hub.refused.{reason}"
        await until(lambda: any(reason is not None and reason.key == wanted for _, reason in self.store.links))

    async def honest_traffic_goes_on(self) -> None:
        """Orders are obeyed, signed ones too, every sample made is here, once, as it was made."""
        await self.rig.goes_on()

    def refusals(self) -> list[tuple[LinkState, Text | None]]:
        return [one for one in self.store.links if one[0] is LinkState.REFUSED]
