"""Whose hubs are taken for genuine: the simulated maker's in simulated folders, imported ones in real folders."""

from pathlib import Path

import pytest

from core.keys import makers
from core.keys.errors import MakerRefused, NoMaker
from core.keys.makers import import_makers, read_makers, shipped_makers, trusted_makers, withdraw_maker
from core.model.certificate import Role, issue, issue_root, read_unverified
from core.model.cose import KeySigner
from core.record.practice import PracticeFile
from tests.devices.session.parties import DAY_S, NOW_S


class Maker:
    """A maker with a firmware signer."""

    def __init__(self, name: str) -> None:
        self.key = KeySigner(name.encode().ljust(32))
        self.root = issue_root(self.key, subject=name, not_before_s=NOW_S, not_after_s=NOW_S + 1000 * DAY_S)
        self.signer = self.issue(Role.FIRMWARE_SIGNER, f"{name} firmware")

    def issue(self, role: Role, subject: str) -> bytes:
        key = KeySigner(subject.encode().ljust(32))
        end = NOW_S + 100 * DAY_S
        return issue(self.key, role=role, subject=subject, not_before_s=NOW_S, not_after_s=end, signing_key=key.public)


ACME, OTHER = Maker("Acme hubs"), Maker("Other hubs")


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maker:
    """The simulated maker's files, as they come with the product."""
    folder, made = tmp_path / "trust", Maker("Simulated")
    folder.mkdir()
    (folder / "simulated-firmware.cert").write_bytes(made.signer)
    (folder / "simulated-maker.cert").write_bytes(made.root)
    (folder / "README.md").write_text("not a certificate")
    monkeypatch.setattr(makers, "_shipped", lambda: folder)
    return made


def test_the_simulated_maker_is_read_from_its_files(shipped: Maker) -> None:
    found = shipped_makers()
    assert found.trust.root.raw == shipped.root
    signer = read_unverified(shipped.signer)
    assert found.signers_at(NOW_S) == {signer.kid: signer}
    assert found.signers_at(NOW_S - 1) == found.signers_at(NOW_S + 100 * DAY_S) == {}


def test_without_files_no_maker_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(makers, "_shipped", lambda: tmp_path / "absent")
    assert shipped_makers().signers == {}
    with pytest.raises(NoMaker, match="keys trust-maker"):
        _ = shipped_makers().trust


def test_a_real_practice_trusts_whom_it_imported_the_last_one_first(practice: PracticeFile, shipped: Maker) -> None:
    assert trusted_makers(practice.keys).roots == ()
    import_makers(practice.keys, [ACME.signer, ACME.root], author="ada")
    assert trusted_makers(practice.keys).trust.root.raw == ACME.root
    import_makers(practice.keys, [OTHER.root], author="ada")
    found = trusted_makers(practice.keys)
    assert found.trust.root.raw == OTHER.root
    assert [one.raw for one in found.signers.values()] == [ACME.signer]
    withdraw_maker(practice.keys, read_unverified(ACME.root).kid, "recalled", author="ada")
    assert trusted_makers(practice.keys).signers == {}, "who vouches for the signer is gone"
    import_makers(practice.keys, [OTHER.signer], author="ada")
    assert [one.raw for one in trusted_makers(practice.keys).signers.values()] == [OTHER.signer]
    with pytest.raises(MakerRefused, match="No trusted maker"):
        withdraw_maker(practice.keys, bytes(8), "", author="ada")


@pytest.mark.parametrize(
    ("raws", "said"),
    [
        ([b""], "no certificate"),
        ([b"\xd2\x84 rubbish"], "no certificate"),
        ([ACME.root[:-1]], "no certificate"),
        ([ACME.signer], "maker is not known"),
        ([ACME.root, OTHER.signer], "maker is not known"),
        ([ACME.issue(Role.CLINICIAN, "somebody")], "for a clinician"),
        ([ACME.root, ACME.signer[:-1] + bytes([ACME.signer[-1] ^ 1])], "not its maker's"),
        ([ACME.root[:-1] + bytes([ACME.root[-1] ^ 1])], "no certificate"),
    ],
)
def test_what_is_no_makers_certificate_is_refused_and_nothing_of_it_kept(
    practice: PracticeFile, shipped: Maker, raws: list[bytes], said: str
) -> None:
    with pytest.raises(MakerRefused, match=said):
        import_makers(practice.keys, raws, author="ada")
    assert practice.keys.makers() == []


def test_the_simulated_maker_never_enters_a_real_practice(practice: PracticeFile, shipped: Maker) -> None:
    for raws in ([shipped.root], [shipped.root, shipped.signer], [ACME.root, shipped.root]):
        with pytest.raises(MakerRefused, match="simulated maker"):
            import_makers(practice.keys, raws, author="ada")
    assert practice.keys.makers() == []


def test_two_makers_and_their_signers_are_kept_apart() -> None:
    found = read_makers([ACME.signer, OTHER.signer, ACME.root, OTHER.root])
    assert {one.subject for one in found.roots} == {"Acme hubs", "Other hubs"}
    assert len(found.signers) == 2
