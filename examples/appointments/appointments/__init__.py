"""An appointment by text: a dialogue over several turns, confirmed before it is booked."""
