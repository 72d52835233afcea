"""What a tester's messages do to the simulated patient and to the hub's sensors."""

from devices.simulator import control
from devices.simulator.body import Body
from devices.simulator.physiology.mind import Moment
from devices.simulator.physiology.traits import fear_of


def undergo(body: Body, message: control.Control) -> None:
    """Let it happen to this body; messages about anything else change nothing."""
    match message:
        case control.Silence():
            body.silence(message.channel)
        case control.Unsilence():
            body.unsilence(message.channel)
        case control.Freeze():
            body.freeze(message.channel)
        case control.Unfreeze():
            body.unfreeze(message.channel)
        case control.Wear():
            body.wear(message.worn)
        case control.Warm():
            body.warmth.run_away(message.kelvin, message.seconds)
        case control.Runaway():
            body.swarm.run_away(message.percent, message.seconds, deaf=message.deaf, faked=message.faked)
        case _:
            _live(body, message)


def _live(body: Body, message: control.Control) -> None:
    match message:
        case control.Sugar():
            body.mouth.eat_sugar(message.servings)
        case control.Diet():
            body.mouth.eat_daily(message.servings)
        case control.Clench():
            body.clench(message.seconds, message.strength)
        case control.Chew():
            body.chew(message.seconds)
        case control.Grind():
            body.grind(message.bursts, message.strength)
        case control.PulseUp():
            body.heart.excite(message.beats)
        case control.Seat():
            body.mind.meet(Moment.SEAT if message.seated else Moment.AWAY)
        case control.Consent():
            body.mind.meet(Moment.CONSENT)
        case control.Reassure():
            body.mind.reassure()
        case control.Breathe():
            body.mind.breathe(message.seconds)
        case control.Person():
            _become(body, message)
        case _:
            pass


def _become(body: Body, person: control.Person) -> None:
    if person.anxiety is not None:
        body.mind.fear = fear_of(person.anxiety)
    if person.dryness is not None:
        body.mouth.dryness = person.dryness
    if person.hygiene is not None:
        body.mouth.hygiene = person.hygiene
