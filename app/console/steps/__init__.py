"""The wizard's steps, one file each: a panel that shows the procedure as it stands and says what the person wants."""
