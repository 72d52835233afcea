"""The `keys` commands as the command line knows them; what they do stands in `app/keys_commands.py`."""

from pathlib import Path

import click

DATA = click.option(
    "--data", type=click.Path(path_type=Path), default=None, help="Data folder; the system's usual place by default."
)
PASSPHRASE = click.option(
    "--passphrase",
    envvar="SMILESCAPE_PASSPHRASE",
    default=None,
    help="Asked for when needed. Others can read a command line: SMILESCAPE_PASSPHRASE is better.",
)
WHO = click.option("--as", "who", default=None, help="The dentist who acts; needed when there are several.")
YES = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group()
def keys() -> None:
    """The practice's keys, without the workstation: it must be closed.

    A dentist's PIN is asked for, or taken from SMILESCAPE_PIN. docs/keys.md says who holds which key.

    Example: python main.py keys list --data /srv/practice
    """


@keys.command("list")
@DATA
@PASSPHRASE
def keys_list(data: Path | None, passphrase: str | None) -> int:
    """Every key: whose, its number, from when until when, its state, and why it was revoked.

    Example: python main.py keys list --data /srv/practice
    """
    from app.keys_commands import list_keys

    return list_keys(data, passphrase)


@keys.command("revoke")
@click.argument("kid")
@click.option("--reason", required=True, help="What happened, in a few words.")
@DATA
@PASSPHRASE
@WHO
def keys_revoke(kid: str, reason: str, data: Path | None, passphrase: str | None, who: str | None) -> int:
    """Let a key count no more: of a lost hub, a stolen workstation, a person whose PIN was seen.

    Example: python main.py keys revoke "1A2B 3C4D 5E6F 7081" --reason "lost on the train"
    """
    from app.keys_commands import revoke

    return revoke(data, passphrase, who, kid, reason)


@keys.command("take-back")
@click.argument("kid")
@click.option("--reason", required=True, help="Why it may count again.")
@DATA
@PASSPHRASE
@WHO
def keys_take_back(kid: str, reason: str, data: Path | None, passphrase: str | None, who: str | None) -> int:
    """Take the revocation of a hub's key back: the hub was found. Open it by hand and enrol it then.

    Example: python main.py keys take-back "1A2B 3C4D 5E6F 7081" --reason "found in the lab"
    """
    from app.keys_commands import take_back

    return take_back(data, passphrase, who, kid, reason)


@keys.command("rotate")
@click.argument("what", type=click.Choice(["workstation", "clinician", "files"]))
@click.option("--reason", default=None, help="Why, if there is more to say than that it is replaced.")
@DATA
@PASSPHRASE
@WHO
def keys_rotate(what: str, reason: str | None, data: Path | None, passphrase: str | None, who: str | None) -> int:
    """Give this workstation, or the dentist who acts, a new key; the old one is revoked. Hubs: in Set-up, Keys.

    `files`: every chair's record and the practice's file are written anew, each under a new key; the old keys are
    destroyed. It needs room for the largest of them.

    Example: python main.py keys rotate workstation --reason "laptop stolen, restored from backup"
    """
    from app.keys_commands import rotate

    return rotate(data, passphrase, who, what, reason)


@keys.command("renew")
@DATA
@PASSPHRASE
@WHO
def keys_renew(data: Path | None, passphrase: str | None, who: str | None) -> int:
    """New certificates over the same keys, for the dentist who acts and for this workstation. A login does it, too.

    Example: python main.py keys renew --as "Dr. Ada Moor"
    """
    from app.keys_commands import renew

    return renew(data, passphrase, who)


@keys.command("trust-maker")
@click.argument("files", type=click.Path(path_type=Path, exists=True, dir_okay=False), nargs=-1)
@click.option("--withdraw", default=None, metavar="KID", help="Trust this maker or signer no longer.")
@YES
@DATA
@PASSPHRASE
@WHO
def keys_trust_maker(
    files: tuple[Path, ...],
    withdraw: str | None,
    yes: bool,
    data: Path | None,
    passphrase: str | None,
    who: str | None,
) -> int:
    """Take a maker's new hubs for genuine, and the firmware that its signers vouch for. FILES: its certificates.

    Example: python main.py keys trust-maker acme-root.cert acme-firmware.cert
    """
    from app.keys_commands import trust_maker

    if bool(files) == (withdraw is not None):
        raise click.UsageError("Name the maker's files, or --withdraw one.")
    return trust_maker(data, passphrase, who, files, withdraw, yes)


@keys.command("new-root")
@click.option("--add", default=None, metavar="NAME", help="Make an account for a new dentist, who opens the root.")
@click.option("--reason", default="nobody opens the root", help="Stands in the log.")
@YES
@DATA
@PASSPHRASE
@WHO
def keys_new_root(
    add: str | None, reason: str, yes: bool, data: Path | None, passphrase: str | None, who: str | None
) -> int:
    """Begin anew when nobody opens the root any more. Every hub has to be opened by hand and enrolled again.

    The new PIN is asked for, or taken from SMILESCAPE_NEW_PIN.

    Example: python main.py keys new-root --add "Dr. Ivo Karp"
    """
    from app.keys_commands import new_root

    if add is not None and who is not None:
        raise click.UsageError("Give --as or --add, not both.")
    return new_root(data, passphrase, who, add, reason, yes)


@keys.command("export-revocations")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
@DATA
@PASSPHRASE
def keys_export_revocations(out: Path, data: Path | None, passphrase: str | None) -> int:
    """Write the newest revocation list, signed by the root, as hubs take it.

    Example: python main.py keys export-revocations --out revocations.cose
    """
    from app.keys_commands import export_revocations

    return export_revocations(data, passphrase, out)


@keys.command("sheet")
@DATA
@PASSPHRASE
@WHO
def keys_sheet(data: Path | None, passphrase: str | None, who: str | None) -> int:
    """Print the root on paper, for the day on which no PIN opens it any more. Keep it locked away.

    Example: python main.py keys sheet | lp
    """
    from app.keys_commands import sheet

    return sheet(data, passphrase, who)


@keys.command("recover")
@DATA
@PASSPHRASE
@WHO
def keys_recover(data: Path | None, passphrase: str | None, who: str | None) -> int:
    """Open the root with the recovery sheet, and give a dentist a new PIN. All others need a new PIN afterwards.

    Example: python main.py keys recover --as "Dr. Ada Moor"
    """
    from app.keys_commands import recover

    return recover(data, passphrase, who)
