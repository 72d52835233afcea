"""The simulated clinic: the air, and a process for each simulated hub, spoken to over a real Bluetooth stack."""
