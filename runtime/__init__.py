"""What the processes share: settings, telemetry, the Temporal client, and one place that puts everything together."""
