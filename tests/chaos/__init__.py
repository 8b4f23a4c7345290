"""Real processes, killed, stopped and lied to, while people text. `python -m tests.chaos`."""
