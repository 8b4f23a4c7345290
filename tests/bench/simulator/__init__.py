"""How many messages the simulator takes, with every status told by a webhook, and what that costs it."""
