"""Makers of hubs: their roots, which tell genuine new hubs, and the firmware signers under them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from core.keys.errors import MakerRefused, NoMaker
from core.model.certificate import Certificate, CertificateRefused, Role, Trust, read_root, read_unverified
from core.record.practice_keys import PracticeKeys


@dataclass(frozen=True, slots=True)
class Makers:
    """Roots of makers, the one that counts last, and firmware signers by kid, each under one of the roots."""

    roots: Sequence[Certificate]
    signers: Mapping[bytes, Certificate]

    @property
    def trust(self) -> Trust:
        """The maker asked when a hub is enrolled: the one imported last. Raises NoMaker."""
        if not self.roots:
            raise NoMaker
        return Trust(self.roots[-1])

    def signers_at(self, now_s: int) -> dict[bytes, Certificate]:
        """Those whose time it is."""
        return {kid: one for kid, one in self.signers.items() if one.not_before_s <= now_s < one.not_after_s}


def read_makers(raws: Iterable[bytes]) -> Makers:
    """Certificates of makers, roots before the signers under them.

    Raises:
        MakerRefused: one that cannot be read, is of another role, or a signer whose root is not among them.
    """
    roots: dict[bytes, Certificate] = {}
    signers: dict[bytes, Certificate] = {}
    unread = list(raws)
    for raw in sorted(unread, key=lambda one: _role(one) is not Role.ROOT):
        if _role(raw) is Role.ROOT:
            root = read_root(raw)
            roots[root.kid] = root
        else:
            signer = _signer(raw, roots)
            signers[signer.kid] = signer
    return Makers(tuple(roots.values()), signers)


def shipped_makers() -> Makers:
    """The simulated maker's, from `resources/trust/*.cert`: for simulated folders alone. Raises MakerRefused."""
    folder = _shipped()
    if not folder.is_dir():
        return Makers((), {})
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".cert")), key=lambda file: file.name)
    return read_makers(file.read_bytes() for file in files)


def trusted_makers(keys: PracticeKeys) -> Makers:
    """Those that the practice imported, without signers whose root was withdrawn."""
    return read_makers(_kept(keys))


def import_makers(keys: PracticeKeys, raws: Sequence[bytes], *, author: str) -> list[Certificate]:
    """Trust these makers' certificates from now on, besides those that are trusted already; what is new.

    Raises:
        MakerRefused: as `read_makers`, or the simulated maker's.
    """
    read_makers([*_kept(keys), *raws])
    simulated = {root.kid for root in shipped_makers().roots}
    fresh = [read_unverified(raw) for raw in raws]
    fresh.sort(key=lambda one: one.role is not Role.ROOT)
    for one in fresh:
        if one.kid in simulated or one.issuer in simulated:
            raise MakerRefused(
                "This is the simulated maker, whose key everybody knows.", "Import the certificate of a real maker."
            )
    with keys.transaction():
        for one in fresh:
            keys.save_maker(one, trusted=True, reason="", author=author)
    return fresh


def withdraw_maker(keys: PracticeKeys, kid: bytes, reason: str, *, author: str) -> Certificate:
    """Trust a maker's certificate no longer. Raises MakerRefused: it was not trusted."""
    row = next((row for row in keys.makers() if row.kid == kid), None)
    if row is None:
        raise MakerRefused("No trusted maker has this key.", "Look it up: main.py keys list.")
    certificate = read_unverified(row.raw)
    keys.save_maker(certificate, trusted=False, reason=reason, author=author)
    return certificate


def _shipped() -> Traversable:
    return resources.files("resources") / "trust"


def _kept(keys: PracticeKeys) -> list[bytes]:
    rows = keys.makers()
    roots = {row.kid for row in rows if row.role is Role.ROOT}
    return [row.raw for row in rows if row.role is Role.ROOT or read_unverified(row.raw).issuer in roots]


def _role(raw: bytes) -> Role:
    try:
        role = read_unverified(raw).role
    except CertificateRefused as error:
        raise MakerRefused("This is no certificate of a maker.", "Take the file that the maker gave out.") from error
    if role not in (Role.ROOT, Role.FIRMWARE_SIGNER):
        raise MakerRefused(
            f"This certificate is for a {role.name.lower()}, not of a maker.", "Take the file that the maker gave out."
        )
    return role


def _signer(raw: bytes, roots: Mapping[bytes, Certificate]) -> Certificate:
    """A firmware signer that one of the roots vouches for; its time is looked at when it is used."""
    one = read_unverified(raw)
    root = roots.get(one.issuer)
    if root is None:
        raise MakerRefused("A firmware signer's maker is not known.", "Import the maker's root with it.")
    try:
        return Trust(root).verify(raw, Role.FIRMWARE_SIGNER, now_s=one.not_before_s)
    except CertificateRefused as error:
        raise MakerRefused(
            "A firmware signer's certificate is not its maker's.", "Ask the maker for it again."
        ) from error
