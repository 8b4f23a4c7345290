"""A Twilio in a box: its REST, its signed webhooks, its faults. It imports nothing of the product."""
