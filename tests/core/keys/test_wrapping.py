"""A wrapped secret opens with its PIN, in its place, as it was written; otherwise not at all."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.keys import wrapping
from core.keys.errors import SigningEnded, WrappedDamaged, WrongSecret
from core.keys.unlocked import HeldKey, Unlocked
from core.keys.wrapping import unwrap_by_key, unwrap_by_pin, wipe, wrap_by_key, wrap_by_pin
from core.model import cbor
from core.model.cose import KeySigner
from core.model.strict_cbor import decode

SECRET = bytes(range(100, 164))
WHERE = ("clinician", b"root", "somebody", b"kid")


@pytest.mark.usefixtures("real_costs")
def test_the_costs_are_those_of_rfc_9106() -> None:
    wrapped = wrap_by_pin(SECRET, "739154", WHERE)
    fields = decode(wrapped, limit=500)
    assert isinstance(fields, dict)
    assert [fields[key] for key in (5, 6, 7)] == [64 * 1024, 3, 4]
    assert unwrap_by_pin(wrapped, "739154", WHERE) == SECRET
    assert SECRET not in wrapped
    assert SECRET[:8] not in wrapped


def test_what_looks_the_same_opens_the_same_whichever_keyboard_typed_it() -> None:
    wrapped = wrap_by_pin(SECRET, "739154", WHERE)
    assert unwrap_by_pin(wrapped, "７３９１５４", WHERE) == SECRET


@pytest.mark.parametrize("pin", ["739155", "73915", "", "7391540"])
def test_another_pin_opens_nothing(pin: str) -> None:
    wrapped = wrap_by_pin(SECRET, "739154", WHERE)
    with pytest.raises(WrongSecret):
        unwrap_by_pin(wrapped, pin, WHERE)


def test_two_wraps_of_one_secret_have_nothing_in_common() -> None:
    one, other = (decode(wrap_by_pin(SECRET, "739154", WHERE), limit=500) for _ in range(2))
    assert isinstance(one, dict)
    assert isinstance(other, dict)
    assert [key for key in (1, 2, 4) if one[key] == other[key]] == [], "nonce, sealed bytes and salt"


@pytest.mark.parametrize(
    "where",
    [
        ("clinician", b"root", "somebody", b"kiD"),
        ("clinician", b"root", "somebody else", b"kid"),
        ("clinician", b"ROOT", "somebody", b"kid"),
        ("root", b"root", "somebody", b"kid"),
        ("clinician", b"root", "somebody"),
        ("clinician", b"rootsomebody", b"kid"),
    ],
)
def test_in_anothers_place_it_does_not_open(where: tuple[str | bytes, ...]) -> None:
    with pytest.raises(WrappedDamaged):
        unwrap_by_pin(wrap_by_pin(SECRET, "739154", WHERE), "739154", where)
    with pytest.raises(WrappedDamaged):
        unwrap_by_key(wrap_by_key(SECRET, bytes(32), WHERE), bytes(32), where)


def test_the_context_is_sealed_and_not_only_checked() -> None:
    """Whoever forges the checksum along with the place still has the tag against them."""
    wrapped = wrap_by_key(SECRET, bytes(32), WHERE)
    other = ("root", b"root")
    fields = decode(wrapped, limit=500)
    assert isinstance(fields, dict)
    nonce, sealed = fields[1], fields[2]
    assert isinstance(nonce, bytes)
    assert isinstance(sealed, bytes)
    forged = cbor.encode({1: nonce, 2: sealed, 3: wrapping._check(wrapping._header(nonce, other, None), sealed)})
    with pytest.raises(WrongSecret):
        unwrap_by_key(forged, bytes(32), other)


@pytest.mark.parametrize("by_pin", [True, False])
def test_every_bit_matters(by_pin: bool) -> None:
    wrapped = wrap_by_pin(SECRET, "739154", WHERE) if by_pin else wrap_by_key(SECRET, bytes(32), WHERE)
    for at in range(len(wrapped)):
        for bit in (0, 3, 7):
            altered = bytearray(wrapped)
            altered[at] ^= 1 << bit
            with pytest.raises((WrappedDamaged, WrongSecret)):
                unwrap_by_pin(bytes(altered), "739154", WHERE) if by_pin else unwrap_by_key(
                    bytes(altered), bytes(32), WHERE
                )


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_what_is_no_wrapped_secret_is_damaged(data: bytes) -> None:
    for form in (data, cbor.encode({1: data[:12], 2: data[12:], 3: bytes(8)})):
        with pytest.raises(WrappedDamaged):
            unwrap_by_pin(form, "739154", WHERE)
        with pytest.raises(WrappedDamaged):
            unwrap_by_key(form, bytes(32), WHERE)


@pytest.mark.parametrize(
    "costs", [(2 * 1024 * 1024, 3, 4), (1024, 1_000_000, 1), (1024, 3, 200), (1024, 0, 1), (1024, 1, 0), (7, 1, 1)]
)
def test_costs_that_would_exhaust_the_machine_are_refused(costs: tuple[int, int, int]) -> None:
    stretch = wrapping._Stretch(bytes(16), *costs)
    header = wrapping._header(bytes(12), WHERE, stretch)
    sealed = bytes(80)
    fields = {1: bytes(12), 2: sealed, 3: wrapping._check(header, sealed), 4: bytes(16)}
    forged = cbor.encode(fields | dict(zip((5, 6, 7), costs, strict=True)))
    with pytest.raises(WrappedDamaged):
        unwrap_by_pin(forged, "739154", WHERE)


def test_a_pins_wrap_and_a_keys_wrap_are_not_taken_for_each_other() -> None:
    with pytest.raises(WrappedDamaged):
        unwrap_by_key(wrap_by_pin(SECRET, "739154", WHERE), bytes(32), WHERE)
    with pytest.raises(WrappedDamaged):
        unwrap_by_pin(wrap_by_key(SECRET, bytes(32), WHERE), "739154", WHERE)


# in the clear


def test_a_held_key_signs_like_any_other_until_it_is_closed() -> None:
    seed = bytearray(range(32))
    held, plain = HeldKey(seed), KeySigner(bytes(range(32)))
    assert held.public == plain.public
    assert held.sign(b"order") == plain.sign(b"order")
    held.close()
    assert seed == bytes(32), "the seed itself was wiped, not a copy"
    held.close()
    assert held.public == plain.public, "whose it was can still be told"
    for use in (lambda: held.sign(b"order"), lambda: held.seed):
        with pytest.raises(SigningEnded):
            use()


def test_what_a_login_opened_is_gone_after_it() -> None:
    seeds = [bytearray([number]) * 32 for number in (1, 2, 3)]
    unlocked = Unlocked("somebody", HeldKey(seeds[0]), HeldKey(seeds[1]), seeds[2])
    with unlocked:
        assert unlocked.root_key == b"\3" * 32
    assert seeds == [bytearray(32)] * 3
    for use in (lambda: unlocked.root_key, lambda: unlocked.root.sign(b"x"), lambda: unlocked.clinician.sign(b"x")):
        with pytest.raises(SigningEnded):
            use()
    assert "01" * 8 not in repr(vars(unlocked))


def test_wiping_is_in_place() -> None:
    secret = bytearray(b"secret")
    view = memoryview(secret)
    wipe(secret)
    assert bytes(view) == bytes(6)
