"""The `backup` and `restore` commands as the command line knows them; `app/backup_commands.py` does them."""

from pathlib import Path

import click

from app.keys_cli import DATA, PASSPHRASE, WHO

PLACE = click.argument("place", type=click.Path(path_type=Path, file_okay=False))


@click.group()
def backup() -> None:
    """Backups of a practice, made while it works, and the sheet that opens them.

    Example: python main.py backup make /media/stick
    """


@backup.command("make")
@PLACE
@DATA
@PASSPHRASE
def backup_make(place: Path, data: Path | None, passphrase: str | None) -> int:
    """Copy all chairs and the practice's file into PLACE, a folder on another disk. The workstation may be running.

    Each backup is restored once, on this machine, and checked; older ones are taken away: one for each of 7 days,
    5 weeks and 12 months stays.

    Example: python main.py backup make /media/stick
    """
    from app.backup_commands import make

    return make(data, passphrase, place)


@backup.command("list")
@DATA
@PASSPHRASE
def backup_list(data: Path | None, passphrase: str | None) -> int:
    """Where backups lie, when the last one was made, and which place still holds keys of erased patients.

    Example: python main.py backup list
    """
    from app.backup_commands import list_places

    return list_places(data, passphrase)


@backup.command("daily")
@PLACE
@click.option("--off", is_flag=True, help="No longer by itself.")
@DATA
@PASSPHRASE
def backup_daily(place: Path, off: bool, data: Path | None, passphrase: str | None) -> int:
    """Let the workstation make a backup in PLACE each day, when nobody is treated.

    Example: python main.py backup daily /mnt/backups
    """
    from app.backup_commands import daily

    return daily(data, passphrase, place, on=not off)


@backup.command("keys")
@DATA
@PASSPHRASE
def backup_keys(data: Path | None, passphrase: str | None) -> int:
    """Bring the newest keys to every place that can be reached: after an erasure, or a new sheet.

    Example: python main.py backup keys
    """
    from app.backup_commands import renew

    return renew(data, passphrase)


@backup.command("forget")
@PLACE
@DATA
@PASSPHRASE
def backup_forget(place: Path, data: Path | None, passphrase: str | None) -> int:
    """Forget a place that was destroyed. Nothing in it is touched, and no erasure reaches it any more.

    Example: python main.py backup forget /media/lost-stick
    """
    from app.backup_commands import forget

    return forget(data, passphrase, place)


@backup.command("sheet")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default=None, help="A PDF to print instead.")
@DATA
@PASSPHRASE
@WHO
def backup_sheet(out: Path | None, data: Path | None, passphrase: str | None, who: str | None) -> int:
    """Print a recovery sheet for backups. It replaces the one before, once a line of it was typed back.

    The workstation must be closed. Delete the PDF when it is printed.

    Example: python main.py backup sheet --out sheet.pdf
    """
    from app.backup_commands import sheet

    return sheet(data, passphrase, who, out)


@click.command()
@PLACE
@click.option("--backup", "name", default=None, help="The name of a backup; the newest when left out.")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="A new data folder.")
@PASSPHRASE
@WHO
def restore(place: Path, name: str | None, data: Path, passphrase: str | None, who: str | None) -> int:
    """Make a data folder out of a backup, on any machine, with the recovery sheet and a dentist's PIN.

    Its keys are new ones: in the keyring, or wrapped by SMILESCAPE_PASSPHRASE.

    Example: python main.py restore /media/stick --data /srv/practice
    """
    from app.backup_commands import restore_into

    return restore_into(place, name, data, passphrase, who)
