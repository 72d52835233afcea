"""`main.py keys …`: the practice's keys on a data folder whose engine does not run."""

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from app.engine.lock import EngineLock
from app.engine.runtime import MARKER, Folder
from app.record_commands import DEMO_PASSPHRASE, moment, open_key
from core.keys.authority import REPLACED, Authority
from core.keys.errors import KeysError, MakerRefused, NotFounded, WrongSecret
from core.keys.listing import key_rows
from core.keys.makers import import_makers, shipped_makers, trusted_makers, withdraw_maker
from core.keys.sheet import LINES, read_sheet, write_sheet
from core.keys.unlocked import Unlocked
from core.model.certificate import Certificate, Role, read_unverified
from core.model.clock import SystemClock
from core.model.errors import SmilescapeError
from core.model.ids import new_id
from core.model.keys import KeyRow, grouped, read_kid
from core.model.people import Operator
from core.model.people import Role as Job
from core.model.words import Text, load_words
from core.people.pin import check_pin, hash_pin
from core.record import Record
from core.record.keys import KeyStore
from core.record.practice import PracticeFile
from core.record.rekey import rekey

PIN_VARIABLE, NEW_PIN_VARIABLE = "SMILESCAPE_PIN", "SMILESCAPE_NEW_PIN"


class PracticeMissing(SmilescapeError):  # noqa: N818 - named for what is the case
    """The folder holds no practice."""

    code = "cli.practice"


class WhoIsIt(SmilescapeError):  # noqa: N818
    """It is not clear which dentist acts."""

    code = "cli.dentist"


@dataclass(frozen=True, slots=True)
class Practice:
    """A data folder's practice, locked for us. `record`: the first chair's, None before there is one."""

    folder: Folder
    file: PracticeFile
    authority: Authority
    record: Record | None
    clock: SystemClock

    def note(self, step: str, actor: str, body: Mapping[str, object], **values: str | int | float) -> None:
        """The same line and the same entry as the engine writes, and that it came from here."""
        if self.record is not None:
            at_us, text = self.clock.utc_us(), Text(f"log.keys.{step}", values)
            with self.record.transaction():
                self.record.add_event("keys", text, at_us=at_us, visit_id=None, author=actor)
                self.record.audit(f"keys.{step}", actor=actor, at_us=at_us, body={**body, "by": "command line"})


@contextlib.contextmanager
def opened(data: Path | None, passphrase: str | None) -> Iterator[Practice]:
    """The practice of a data folder.

    Raises:
        PracticeMissing, EngineRunning, FolderError, and what opening a record raises.
    """
    root = data or Folder.default()
    if not (root / "practice.sqlite").is_file():
        raise PracticeMissing(f"There is no practice in {root}.", "Name its data folder: --data FOLDER.")
    folder, clock = Folder.open(root, simulated=(root / MARKER).exists()), SystemClock()
    with EngineLock(folder.runtime_dir), contextlib.ExitStack() as stack:
        key = open_key(folder.practice_file, passphrase)
        file = PracticeFile.open(folder.practice_file, key, clock=clock)
        stack.callback(file.close)
        record = None
        for chair in folder.chairs()[:1]:
            path = folder.chair_file(chair)
            record = Record.open(path, open_key(path, passphrase), clock=clock)
            stack.callback(record.close)
        authority = Authority(file.keys, clock, simulated=folder.simulated)
        yield Practice(folder, file, authority, record, clock)


# commands


def list_keys(data: Path | None, passphrase: str | None) -> int:
    with opened(data, passphrase) as practice:
        register, words = practice.authority.register, load_words()
        trust = register.trust
        rows = key_rows(register, practice.file.operators(closed=True))
        click.echo(f"root     {grouped(trust.root.kid)}  until {_day(trust.root.not_after_s * 1_000_000)}")
        if trust.revoked is not None:
            when = moment(trust.revoked.issued_s * 1_000_000)
            click.echo(f"revoked  list {trust.revoked.number} of {when}, {len(trust.revoked.kids)} keys")
        makers = shipped_makers() if practice.folder.simulated else trusted_makers(practice.file.keys)
        for one in (*makers.roots, *makers.signers.values()):
            what = "maker" if one.role is Role.ROOT else "signer"
            click.echo(f"{what:8} {grouped(one.kid)}  until {_day(one.not_after_s * 1_000_000)}  {one.subject}")
        click.echo()
        widths = max((len(row.name) for row in rows), default=0)
        for row in rows:
            click.echo(_line(row, widths, words.say(f"keys.state.{row.state.value}")).rstrip())
    return 0


def revoke(data: Path | None, passphrase: str | None, who: str | None, kid: str, reason: str) -> int:
    with acting(data, passphrase, who) as (practice, unlocked):
        one = practice.authority.revoke(unlocked, read_kid(kid), reason)
        revoked = practice.file.keys.revoked()[one.kid]
        known = practice.file.operator(one.holder)
        name = known.name if known is not None else one.holder
        body: dict[str, object] = {
            "kid": one.kid,
            "role": one.role.name.lower(),
            "holder": one.holder,
            "reason": revoked.reason,
        }
        body["list"] = revoked.number
        practice.note("revoked", unlocked.operator_id, body, name=name, reason=revoked.reason)
        click.echo(f"Revoked the key of {name}. Hubs learn it with list {revoked.number}, when they are met next.")
    return 0


def take_back(data: Path | None, passphrase: str | None, who: str | None, kid: str, reason: str) -> int:
    with acting(data, passphrase, who) as (practice, unlocked):
        one = practice.authority.take_back(unlocked, read_kid(kid), reason)
        body = {"kid": one.kid, "holder": one.holder, "reason": reason}
        practice.note("taken_back", unlocked.operator_id, body, name=one.holder, reason=reason.lstrip("@"))
        click.echo(f"The key of {one.holder} counts again. Open the hub by hand, enrol it, and replace its keys.")
    return 0


def rotate(data: Path | None, passphrase: str | None, who: str | None, what: str, reason: str | None) -> int:
    if what == "files":
        return rotate_files(data, passphrase, who, reason or REPLACED)
    with acting(data, passphrase, who) as (practice, unlocked):
        authority, why, actor = practice.authority, reason or REPLACED, unlocked.operator_id
        if what == "workstation":
            old = authority.register.workstation.certificate.kid
            fresh = authority.replace_workstation(unlocked, why).certificate.kid
            body = {"old": old, "kid": fresh, "reason": why}
            practice.note("workstation_rotated", actor, body, reason=why)
        else:
            operator = _operator(practice, actor)
            grant = authority.grant(unlocked, operator, typed_pin(operator))
            authority.replace(unlocked, grant, why)
            grant.key.close()
            practice.file.keys.sweep()
            fresh = grant.certificate.kid
            practice.note("mine_rotated", actor, {"kid": fresh, "reason": why}, name=operator.name)
        click.echo(f"New key: {grouped(fresh)}. The old one is revoked.")
    return 0


def rotate_files(data: Path | None, passphrase: str | None, who: str | None, reason: str) -> int:
    with acting(data, passphrase, who) as (practice, unlocked):
        actor, folder = unlocked.operator_id, practice.folder
        practice.note("files_rotated", actor, {"reason": reason}, name=_operator(practice, actor).name)
    with EngineLock(folder.runtime_dir):
        new_keys(folder, passphrase)
    click.echo("Every file has a new key. Backups are not concerned: theirs come from the sheet.")
    return 0


def new_keys(folder: Folder, passphrase: str | None) -> None:
    """Write every file of a data folder anew under a new key, kept as the old one was; the engine must not run."""
    paths = [*(folder.chair_file(chair) for chair in folder.chairs()), folder.practice_file]
    word = passphrase or (DEMO_PASSPHRASE if folder.simulated else "")
    if not word and any(KeyStore.wrapped(path) for path in paths):
        word = str(click.prompt("Passphrase", hide_input=True))

    def spoken() -> str:
        if not word:
            raise click.UsageError("The keyring takes no new key. Unlock it, or give SMILESCAPE_PASSPHRASE.")
        return word

    for path in paths:
        rekey(path, KeyStore(prefer="file" if KeyStore.wrapped(path) else "keyring"), spoken)


def renew(data: Path | None, passphrase: str | None, who: str | None) -> int:
    with acting(data, passphrase, who) as (practice, unlocked):
        renewed = practice.authority.renew(unlocked, everything=True)
        body = {"kids": [one.kid for one in renewed]}
        practice.note("renewed", unlocked.operator_id, body, count=len(renewed))
        for one in renewed:
            click.echo(f"{grouped(one.kid)}  until {_day(one.not_after_s * 1_000_000)}")
    return 0


def trust_maker(
    data: Path | None, passphrase: str | None, who: str | None, files: Sequence[Path], withdraw: str | None, yes: bool
) -> int:
    with acting(data, passphrase, who) as (practice, unlocked):
        if practice.folder.simulated:
            raise MakerRefused("A simulated folder trusts the simulated maker alone.", "Name the real data folder.")
        keys, actor = practice.file.keys, unlocked.operator_id
        if withdraw is not None:
            one = withdraw_maker(keys, read_kid(withdraw), "", author=actor)
            practice.note("maker_withdrawn", actor, {"kid": one.kid, "maker": one.subject}, name=one.subject)
            click.echo(f"{one.subject} is not trusted any more.")
            return 0
        raws = [file.read_bytes() for file in files]
        for file, raw in zip(files, raws, strict=True):
            _show(file, raw)
        if not yes:
            click.confirm("Does the maker publish the same numbers", abort=True)
        for one in import_makers(keys, raws, author=actor):
            practice.note("maker_trusted", actor, {"kid": one.kid, "maker": one.subject}, name=one.subject)
            click.echo(f"{one.subject} is trusted.")
    return 0


def new_root(
    data: Path | None, passphrase: str | None, who: str | None, add: str | None, reason: str, yes: bool
) -> int:
    with opened(data, passphrase) as practice:
        operator = _dentist(practice, who, add)
        if not yes:
            click.echo("A new root makes every key of this practice void. Afterwards:")
            click.echo("  each hub has to be opened by hand (its button held for 10 s) and enrolled anew;")
            click.echo("  each other dentist needs a new PIN, which gives them a new key.")
            click.confirm("Make a new root", abort=True)
        pin = _new_pin(operator)
        with practice.file.transaction():
            practice.file.add_operator(operator, _hashed(operator, pin))
            practice.authority.found(operator, pin).close()
        practice.file.keys.sweep()
        root = practice.authority.register.root
        practice.note("new_root", operator.id, {"kid": root.kid, "reason": reason}, name=operator.name, reason=reason)
        click.echo(f"New root: {grouped(root.kid)}. {operator.name} opens it with the new PIN.")
    return 0


def export_revocations(data: Path | None, passphrase: str | None, out: Path) -> int:
    with opened(data, passphrase) as practice:
        listed = practice.authority.register.trust.revoked
        if listed is None:
            raise NotFounded
        out.write_bytes(listed.raw)
        click.echo(f"List {listed.number} with {len(listed.kids)} keys in {out}")
    return 0


def sheet(data: Path | None, passphrase: str | None, who: str | None) -> int:
    with acting(data, passphrase, who) as (practice, unlocked):
        root = practice.authority.register.root
        practice.note(
            "sheet", unlocked.operator_id, {"kid": root.kid}, name=_operator(practice, unlocked.operator_id).name
        )
        click.echo(f"Recovery sheet of root {grouped(root.kid)}. Keep it locked away, and not beside this computer:")
        click.echo("whoever has both can act for the practice.\n")
        for number, line in enumerate(write_sheet(unlocked.root.seed), 1):
            click.echo(f"  {number}  {line}")
    return 0


def recover(data: Path | None, passphrase: str | None, who: str | None) -> int:
    with opened(data, passphrase) as practice:
        operator = _dentist(practice, who, None)
        _ = practice.authority.register.root
        lines = [str(click.prompt(f"Line {number} of the sheet")) for number in range(1, LINES + 1)]
        seed = read_sheet(lines)
        pin = _new_pin(operator)
        with practice.file.transaction():
            practice.file.add_operator(operator, _hashed(operator, pin))
            practice.authority.recover(seed, operator, pin)
        practice.file.keys.sweep()
        practice.note("recovered", operator.id, {"operator": operator.id}, name=operator.name)
        click.echo(f"{operator.name} opens the root with the new PIN. Every other dentist needs a new PIN, too.")
    return 0


# people


@contextlib.contextmanager
def acting(data: Path | None, passphrase: str | None, who: str | None) -> Iterator[tuple[Practice, Unlocked]]:
    """The practice, with what a dentist's PIN opens. Raises WhoIsIt, WrongSecret, NoKey."""
    with opened(data, passphrase) as practice:
        _ = practice.authority.register.root
        operator = _dentist(practice, who, None)
        pin = typed_pin(operator)
        try:
            if not operator.demo and not check_pin(practice.file.pin_hash(operator.id), pin):
                raise WrongSecret
            unlocked = practice.authority.unlock(operator, pin)
        except KeysError:
            practice.file.log_login(operator.id, "refused")
            raise
        with unlocked:
            yield practice, unlocked


def _dentist(practice: Practice, who: str | None, add: str | None) -> Operator:
    """Who acts: the only dentist, or the one that is named. Raises WhoIsIt."""
    if add is not None:
        operator = Operator(id=new_id(), name=add.strip(), role=Job.DENTIST)
        if not operator.name:
            raise WhoIsIt("A name is needed.", "Give one: --add NAME.")
        return operator
    return acting_dentist(practice.file, who)


def acting_dentist(file: PracticeFile, who: str | None) -> Operator:
    """The only dentist, or the one that is named. Raises WhoIsIt."""
    dentists = [one for one in file.operators() if one.role is Job.DENTIST]
    found = [one for one in dentists if who is None or who.casefold() in (one.name.casefold(), one.id)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(one.name for one in dentists) or "none"
    raise WhoIsIt(f"Which dentist acts? Here are: {names}.", "Name one: --as NAME.")


def _operator(practice: Practice, operator_id: str) -> Operator:
    found = practice.file.operator(operator_id)
    if found is None:
        raise WhoIsIt("This person is not known.", "Name another: --as NAME.")
    return found


def typed_pin(operator: Operator) -> str:
    """Asked for, or taken from the environment; the demo's operator has none."""
    return "" if operator.demo else _secret(PIN_VARIABLE, f"PIN of {operator.name}", twice=False)


def _new_pin(operator: Operator) -> str:
    return "" if operator.demo else _secret(NEW_PIN_VARIABLE, f"New PIN of {operator.name}", twice=True)


def _hashed(operator: Operator, pin: str) -> str:
    """Raises WeakPin."""
    return "" if operator.demo else hash_pin(pin)


def _secret(variable: str, prompt: str, *, twice: bool) -> str:
    given = os.environ.get(variable)
    if given:
        return given
    try:
        text: str = click.prompt(prompt, hide_input=True, confirmation_prompt=twice)
    except click.Abort:
        raise click.UsageError(f"A PIN is needed. Type it in a terminal, or set {variable}.") from None
    return text


# words


def _line(row: KeyRow, width: int, state: str) -> str:
    dates = f"{_day(row.issued_us)}  {_day(row.expires_us)}" if row.kid else " " * 22
    reason = load_words().say(row.reason[1:]) if row.reason.startswith("@") else row.reason
    return f"{row.kind.value:12} {row.name:{width}}  {row.kid:19}  {dates}  {state:10} {reason}"


def _show(file: Path, raw: bytes) -> None:
    """What a file says that it is, and the number by which people compare it. Raises MakerRefused."""
    try:
        one: Certificate = read_unverified(raw)
    except SmilescapeError:
        raise MakerRefused(f"{file} is no certificate of a maker.", "Take the file that the maker gave out.") from None
    click.echo(f"{file.name}: {one.subject}, {one.role.name.lower().replace('_', ' ')}")
    click.echo(f"  {grouped(hashlib.sha256(one.signing_key).digest())}")


def _day(at_us: int) -> str:
    return moment(at_us)[:10]
