"""Twilio's REST: what the SDK calls."""
